"""Tasks, training tables and splits."""

import numpy as np
import pandas as pd
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.dataset import check_classes, read_dataset
from exlm_chem.finetuning.splits import column_split, random_split, scaffold_split
from exlm_chem.predictors.task import infer_kind, task_of_targets
from exlm_chem.smiles.molecule import scaffold

NAN = float("nan")


@pytest.fixture(scope="module")
def read(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu").read


def write(folder, text):
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([[0.0], [1.0], [NAN], [1.0]], "classification"),
        ([[0.0, NAN], [1.0, 1.0], [1.0, 0.0]], "classification"),
        (np.linspace(-1, 1, 12)[:, None], "regression"),
    ],
)
def test_kind_that_is_clear(labels, kind):
    assert infer_kind(np.array(labels), ["a", "b"][: len(labels[0])]) == kind


@pytest.mark.parametrize("values", [[1.0] * 20, [1.0, 2.0] * 20, [0.0, 0.5, 1.0], list(map(float, range(30))), [0.0]])
def test_kind_that_is_not_clear(values):
    with pytest.raises(ExLMError, match="not clear whether 'y' holds classes or measurements; add --kind"):
        infer_kind(np.array(values)[:, None], ["y"])


def test_mixed_kinds_are_refused():
    labels = np.stack([np.arange(20) % 2, np.linspace(0, 1, 20)], axis=1)
    with pytest.raises(ExLMError, match="one predictor for each kind"):
        infer_kind(labels, ["a", "b"])


def test_task_from_columns():
    task = task_of_targets("mine", ["logS"], "regression")
    assert task.columns[0].threshold is None
    assert task.columns[0].range is None


def test_table_with_everything_that_is_wrong_with_tables(read, tmp_path):
    path = write(
        tmp_path,
        "id,SMILES,a,b\n1,CCO,1,0.5\n2,C1CC,1,2\n3,OCC,0,\n4,c1ccccc1,,nan\n5,,1,1\n6,CC,NA, 1e-3 \n7,CC,True,\n8\n",
    )
    dataset = read_dataset(path, ["a", "b"], read)
    assert dataset.smiles == ["CCO", "CCO", "CC", "CC"]
    assert dataset.rows == [0, 2, 5, 6]
    np.testing.assert_array_equal(dataset.labels, [[1, 0.5], [0, NAN], [NAN, 0.001], [1, NAN]])
    assert [(row.row, row.line) for row in dataset.left_out] == [(1, 3), (3, 5), (4, 6), (7, 9)]
    reasons = [row.reason for row in dataset.left_out]
    assert reasons[0] == "not SMILES at position 1: ring closure 1 is never closed"
    assert reasons[1:3] == ["no label is known", "no SMILES in this row"]
    assert reasons[3] == "wrong number of cells: 1 in line 9, 4 in the header"
    report = dataset.report()
    assert (report["molecules"], report["distinct"], report["repeated"], report["conflicting"]) == (4, 2, 2, 1)
    assert (report["left_out"], report["known_labels"]) == (4, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smiles,y\nC,1\nCC,high\n", "data.csv, line 3, column 'y': 'high' is no number"),
        ("smiles,y\nC,>5\n", "line 2, column 'y': '>5' is no number"),
        ("smiles,y\nC,inf\n", "'inf' is no finite number"),
        ("smiles,z\nC,1\n", "has no column 'y'; its columns are: 'smiles', 'z'"),
        ("smiles,y,y\nC,1,1\n", "has 2 columns 'y'; rename"),
        ("smiles,y\n", "has no rows to learn from"),
        ("smiles,y\nX,1\nCC,\n", "none of its 2 rows can be learnt from; the first, line 2: "),
    ],
)
def test_tables_that_nothing_can_be_learnt_from(read, tmp_path, text, message):
    with pytest.raises(ExLMError, match=message):
        read_dataset(write(tmp_path, text), ["y"], read)


def test_a_column_without_labels_is_refused(read, tmp_path):
    with pytest.raises(ExLMError, match="column 'b' has no label at all"):
        read_dataset(write(tmp_path, "smiles,a,b\nC,1,\nCC,0,\n"), ["a", "b"], read)


def test_labels_that_are_no_classes(read, tmp_path):
    dataset = read_dataset(write(tmp_path, "smiles,y\nC,1\nCC,2\n"), ["y"], read)
    with pytest.raises(ExLMError, match="row 2, column 'y': 2 is no class"):
        check_classes(dataset, ["y"])


def test_parquet_is_read_like_csv(read, tmp_path):
    table = pd.DataFrame({"smiles": ["C", "CC", "CCC"], "y": [1.0, None, 0.0], "flag": [True, False, None]})
    table.to_parquet(tmp_path / "data.parquet")
    dataset = read_dataset(tmp_path / "data.parquet", ["y", "flag"], read)
    np.testing.assert_array_equal(dataset.labels, [[1, 1], [NAN, 0], [0, NAN]])


def test_standardisation_is_counted(tiny_model, tmp_path):
    embedder = ExLM.from_pretrained(tiny_model, "cpu")
    path = write(tmp_path, "smiles,y\nCC(=O)[O-].[Na+],1\nCCO,0\n")
    dataset = read_dataset(path, ["y"], lambda text: embedder.read(text, "parent"))
    assert dataset.smiles == ["CC(=O)O", "CCO"]
    assert dataset.report()["changed_by_standardisation"] == 1


SMILES = ["CC1CC1", "C1CC1", "CC", "CCC", "c1ccccc1C", "c1ccccc1O", "c1ccccc1", "C1CCCCC1", "c1ccncc1", "CCCC"]


def test_scaffold_split_keeps_scaffolds_whole():
    split = scaffold_split(SMILES)
    parts = [split.train, split.valid, split.test]
    assert sorted(sum(parts, [])) == list(range(10))  # noqa: RUF017
    assert [len(part) for part in parts] == [8, 1, 1]
    scaffolds = [{scaffold(SMILES[index]) for index in part} for part in parts]
    assert len(set.union(*scaffolds)) == sum(map(len, scaffolds))
    # molecules without rings are no family when the training part is cut for cross-validation
    assert len({split.groups[index] for index in (2, 3, 9)}) == 3
    assert len({split.groups[index] for index in (4, 5, 6)}) == 1


def test_random_split_keeps_repeated_molecules_together():
    smiles = [f"{'C' * (1 + index % 50)}O" for index in range(200)]
    split = random_split(smiles, seed=3)
    parts = [split.train, split.valid, split.test]
    assert [len(part) for part in parts] == [160, 20, 20]
    assert sum(len({smiles[index] for index in part}) for part in parts) == 50
    assert random_split(smiles, seed=3) == split
    assert random_split(smiles, seed=4) != split


def test_column_split():
    split = column_split(list("CNO"), "part", [" Validation", "TEST", "train"], [1, 2, 3])
    assert (split.train, split.valid, split.test) == ([2], [0], [1])
    with pytest.raises(ExLMError, match="row 7, column 'part': '' is no part of a split; write train, valid or test"):
        column_split(["C"], "part", [""], [7])

"""Training tables."""

import numpy as np
import pandas as pd
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.dataset import read_dataset
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.messages import log_table
from exlm_chem.finetuning.splits import Split, across_borders

NAN = float("nan")


@pytest.fixture(scope="module")
def read(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu").read


def write(folder, text):
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8")
    return path


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


def test_what_is_left_aside_in_cells_of_molecules_is_told(read, tmp_path):
    path = write(tmp_path, "smiles,y\nCCO ethanol,0.5\n\u200bCC,2\nC1CC x,2\nCCN my amine,3\nC,1\n")
    dataset, told = read_dataset(path, ["y"], read), []
    log_table(dataset, dataset.report(), told.append)
    assert told[-2:] == [
        "in 2 rows, the first, line 2: text after the SMILES was left aside: 'ethanol'",
        "in 1 row, line 3: invisible characters were left aside: U+200B",
    ]


@pytest.mark.parametrize(("cells", "conflicting"), [((">5", "7"), 0), ((">5", "3"), 1), (("<2", ">5"), 1)])
def test_limits_conflict_where_both_cannot_be_true(read, tmp_path, cells, conflicting):
    path = write(tmp_path, f"smiles,y\nCCO,{cells[0]}\nOCC,{cells[1]}\nCC,4.5\n")
    dataset = read_dataset(path, ["y"], read)
    assert dataset.report()["conflicting"] == conflicting
    split = Split("mine", "", [0, 2], [], [1], [])
    assert across_borders(split, dataset.splittable).contradictions == conflicting


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smiles,y\nC,1\nCC,high\n", "data.csv: column 'y': 1 of 2 labels is no plain number: 'high'"),
        ("smiles,y\nC,>5\n", "1 of 1 labels is a limit: '>5'"),
        ("smiles,y\nC,inf\nCC,1\n", "no plain number: 'inf'"),
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
    path = write(tmp_path, "smiles,y\nC,1\nCC,2\nCCC,0\n")
    with pytest.raises(ExLMError, match=r"column 'y': 1 of 3 labels is no class: '2' \(1 cell\), the first in line 3"):
        read_dataset(path, ["y"], read, labels=LabelOptions(kind="classification"))


def test_columns_of_two_kinds_are_refused(read, tmp_path):
    dataset = read_dataset(write(tmp_path, "smiles,a,b\nC,1,0.5\nCC,0,1.5\n"), ["a", "b"], read)
    assert [column.kind for column in dataset.columns] == ["classification", "regression"]
    with pytest.raises(ExLMError, match="the columns 'a' are classes and the other ones measurements; train one"):
        dataset.kind  # noqa: B018


def test_decisions_are_one_line_for_columns_that_are_alike(read, tmp_path):
    path = write(tmp_path, "smiles,a,b,c\nC,yes,0,1\nCC,No,1,0\n")
    assert read_dataset(path, ["a", "b", "c"], read).reading == [
        "data.csv: column 'a': 'yes' = 1, 'No' = 0",
        "data.csv: columns 'b', 'c': 0 and 1 are taken as classes",
    ]


def test_what_stands_beside_no_molecule_is_no_label(read, tmp_path):
    path = write(tmp_path, 'smiles,y\nC,1.5\nCC,2.5\n,mean 2\n,\n"Total",\n')
    dataset = read_dataset(path, ["y"], read)
    assert dataset.labels.ravel().tolist() == [1.5, 2.5]
    assert [row.line for row in dataset.left_out] == [4, 5, 6]


def test_rows_that_belong_to_no_part_are_left_out(read, tmp_path):
    path = write(tmp_path, "smiles,y,set\nC,1,Train\nCC,0,\nCCC,0,test\n")
    dataset = read_dataset(path, ["y"], read, split_column="SET")
    assert (dataset.split_cells, dataset.rows, dataset.lines) == (["Train", "test"], [0, 2], [2, 4])
    assert [(row.line, row.reason) for row in dataset.left_out] == [
        (3, "nothing in column 'SET', which decides the split")
    ]
    with pytest.raises(ExLMError, match=r"--split needs column 'sett', which .*data.csv does not have; its columns"):
        read_dataset(path, ["y"], read, split_column="sett")


def test_columns_are_found_by_one_rule(read, tmp_path):
    path = write(tmp_path, 'smiles," logS ","Solubility\n(log mol/L)"\nC,1.5,2.5\nCC,2.5,3.5\n')
    dataset = read_dataset(path, ["LOGS", "solubility (log mol/l)"], read)
    assert dataset.labels.tolist() == [[1.5, 2.5], [2.5, 3.5]]
    with pytest.raises(ExLMError, match="column ' logS ' is meant by two targets; name it once"):
        read_dataset(path, ["logS", "LogS"], read)


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

"""Splits: what they promise whatever the table, and what DeepChem and RDKit give where those define them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.ML.Cluster import Butina

from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.splits import (
    Split,
    Splittable,
    across_borders,
    given_split,
    make_folds,
    make_split,
    parse_split,
    scaffold_split,
)
from exlm_chem.finetuning.splits.clusters import butina_clusters, butina_split
from exlm_chem.finetuning.splits.columns import date_split
from exlm_chem.finetuning.splits.shuffled import random_split
from exlm_chem.smiles.molecule import scaffold

MOLECULES = (
    "CCO CCCO CCN c1ccccc1 c1ccccc1C c1ccccc1O Cc1ccncc1 c1ccncc1 C1CCCCC1 CC1CCCCC1 C1CCNCC1 CC(=O)O CCCC CC(C)O "
    "c1ccsc1 Cc1ccsc1 c1ccoc1 O=C1CCCN1 O=C1CCCO1 CC1CC1 OCCO NCCN CCCl CCBr c1ccc2ccccc2c1 Cc1ccc2ccccc2c1"
).split()


def real(count: int) -> list[str]:
    import gzip

    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as file:
        return [next(file).split()[0] for _ in range(count)]


@st.composite
def tables(draw: st.DrawFn) -> Splittable:
    smiles = draw(st.lists(st.sampled_from(MOLECULES), min_size=12, max_size=60))
    cells = draw(st.lists(st.sampled_from("abcdefghij"), min_size=len(smiles), max_size=len(smiles)))
    labels = np.array(draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=len(smiles), max_size=len(smiles))))
    return Splittable(smiles, labels[:, None], cells)


SPECS = ("scaffold", "random", "stratified", "butina", "group:batch")


def split_or_refusal(make, *args):
    """A rule may refuse a small table; then it says what to do."""
    try:
        return make(*args)
    except ExLMError as error:
        if "--split random" not in str(error) and "random split" not in str(error):
            raise
        return None


@pytest.mark.parametrize("spec", SPECS)
@settings(max_examples=30, deadline=None)
@given(data=tables(), seed=st.integers(0, 5))
def test_every_molecule_is_in_one_part_and_no_group_is_torn(spec, data, seed):
    split = split_or_refusal(make_split, spec, data, seed)
    if split is None:
        return
    parts = split.parts().values()
    assert sorted(sum(parts, [])) == list(range(len(data)))  # noqa: RUF017
    # Molecules without rings are no family in DeepChem's rule, and in ours only when training is cut.
    whole = [scaffold(one) for one in data.smiles] if spec == "scaffold" else split.groups
    found = [{whole[index] for index in part} for part in parts]
    assert len(set.union(*found)) == sum(map(len, found))
    assert make_split(spec, data, seed) == split


@pytest.mark.parametrize("spec", SPECS)
@settings(max_examples=30, deadline=None)
@given(data=tables(), seed=st.integers(0, 5))
def test_folds_test_every_molecule_once_and_tear_no_group(spec, data, seed):
    rounds = split_or_refusal(make_folds, spec, data, 3, 2, seed)
    if rounds is None:
        return
    assert len(rounds) == 6
    for repeat in (rounds[:3], rounds[3:]):
        assert sorted(index for one in repeat for index in one.test) == list(range(len(data)))
    for one in rounds:
        assert sorted([*one.train, *one.valid, *one.test]) == list(range(len(data)))
        assert all(one.parts().values())
        found = [{one.groups[index] for index in part} for part in one.parts().values()]
        assert len(set.union(*found)) == sum(map(len, found))
    assert make_folds(spec, data, 3, 2, seed) == rounds


def test_scaffold_split_keeps_scaffolds_whole():
    smiles = ["CC1CC1", "C1CC1", "CC", "CCC", "c1ccccc1C", "c1ccccc1O", "c1ccccc1", "C1CCCCC1", "c1ccncc1", "CCCC"]
    split = scaffold_split(smiles)
    assert [len(part) for part in split.parts().values()] == [8, 1, 1]
    # molecules without rings are no family when the training part is cut for cross-validation
    assert len({split.groups[index] for index in (2, 3, 9)}) == 3
    assert len({split.groups[index] for index in (4, 5, 6)}) == 1


@pytest.mark.deepchem
@pytest.mark.filterwarnings("ignore")
def test_scaffolds_and_clusters_are_split_as_in_deepchem():
    dc = pytest.importorskip("deepchem")
    smiles = real(300)
    data = dc.data.NumpyDataset(X=np.zeros(len(smiles)), ids=np.array(smiles, dtype=object))
    for ours, theirs in ((scaffold_split, dc.splits.ScaffoldSplitter()), (butina_split, dc.splits.ButinaSplitter())):
        split = ours(smiles)
        assert [sorted(part) for part in split.parts().values()] == [sorted(part) for part in theirs.split(data)]


def test_clusters_are_those_of_rdkit():
    smiles = real(400)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    prints = [generator.GetFingerprint(Chem.MolFromSmiles(one)) for one in smiles]
    distances = [1 - s for row in range(1, 400) for s in DataStructs.BulkTanimotoSimilarity(prints[row], prints[:row])]
    expected = Butina.ClusterData(distances, 400, 0.6, isDistData=True)
    assert [sorted(one) for one in butina_clusters(smiles)] == [sorted(one) for one in expected]
    assert [one[0] for one in butina_clusters(smiles)] == [one[0] for one in expected]


def test_a_molecule_that_keeps_rdkit_busy_is_a_cluster_of_its_own():
    slow = "C%11" + "c2ccc(cc2)C" * 12 + "%11"
    assert sorted(butina_clusters([slow, "CCO", "CCO"])) == [[0], [2, 1]]


def test_too_many_molecules_for_clusters():
    with pytest.raises(ExLMError, match=r"10,001 molecules would take long .* use --split scaffold, or group:COLUMN"):
        butina_split(["C"] * 10_001)


def test_random_split_keeps_repeated_molecules_together():
    smiles = [f"{'C' * (1 + index % 50)}O" for index in range(200)]
    split = random_split(smiles, seed=3)
    assert [len(part) for part in split.parts().values()] == [160, 20, 20]
    assert random_split(smiles, seed=4) != split


def test_stratified_parts_have_the_same_share_of_every_class():
    labels = (np.arange(400) % 8 == 0).astype(float)
    data = Splittable([f"C{'C' * n}" for n in range(400)], labels[:, None])
    split = make_split("stratified", data, 1)
    assert [int(labels[part].sum()) for part in split.parts().values()] == [40, 5, 5]
    for fold in make_folds("stratified", data, 5):
        assert labels[fold.test].sum() == 10


def test_stratified_parts_of_measurements_have_the_same_distribution():
    values = np.random.default_rng(0).lognormal(size=500)
    split = make_split("stratified", Splittable([f"C{'C' * n}" for n in range(500)], values[:, None]))
    for part in (split.valid, split.test):
        assert np.median(values[part]) == pytest.approx(np.median(values), rel=0.2)
    assert not set(split.train) & set(split.test)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((40, 2)), "follows one column of labels, and there are 2; use --split random"),
        ((np.arange(40) < 4)[:, None] * 1.0, "4 molecules of class 1 are too few for 10 stratified parts; use"),
    ],
)
def test_stratified_splits_that_cannot_be(labels, message):
    with pytest.raises(ExLMError, match=message):
        make_split("stratified", Splittable([f"C{'C' * n}" for n in range(40)], labels))


def test_a_column_says_the_parts():
    data = Splittable(list("CNOS"), cells=[" Validation", "TEST", "train", ""], rows=[0, 1, 2, 6], name="a.csv")
    split = make_split("part", data)
    assert (split.train, split.valid, split.test, split.unplaced) == ([2], [0], [1], [3])
    wrong = Splittable(list("CNOSF"), cells=["train", "holdout", "", "fold 1", "holdout"], lines=[2, 3, 4, 5, 6])
    with pytest.raises(ExLMError) as refused:
        make_split("column:part", wrong)
    assert str(refused.value) == (
        "the table: column 'part': 3 of 5 cells are no part of a split: 'holdout' (2 cells), 'fold 1' (1 cell), the "
        "first in line 3; write train, valid or test, leave the cell empty, or use --split group:part"
    )


def test_whole_groups_have_about_their_shares():
    cells = [str(index // 5) for index in range(500)]
    split = make_split("group:batch", Splittable(["C"] * 500, cells=[*cells[:-1], " "]), 2)
    assert [round(len(part), -1) for part in split.parts().values()] == [400, 50, 50]
    assert split.unplaced == [499]
    with pytest.raises(ExLMError, match="groups in column 'batch' of the table: 2 different, too few for 3 parts; use"):
        make_split("group:batch", Splittable(["C"] * 4, cells=list("abab")))


@pytest.mark.parametrize(
    "cells",
    [
        ["2020-01-05", "2019-12-31", "2021-03-01T12:00", "2018-01-01", "2022-01-01"],
        ["2020", "2019.5", "2021", "1e3", "2022"],
        ["05.01.2020", "31.12.2019", "01.03.2021", "01.01.2018", "01.01.2022"],
        ["05/01/2020", "31/12/2019", "01/03/2021", "01/01/2018", "01/01/2022"],
        ["01/05/2020", "12/31/2019", "03/01/2021", "01/01/2018", "01/01/2022"],
    ],
)
def test_dates_as_people_write_them(cells):
    split = date_split(Splittable(list("CNOSF"), cells=cells), "day")
    assert (split.train, split.valid, split.test) == ([3, 1, 0, 2], [], [4])


def test_rows_of_one_date_stay_together():
    cells = ["2020-01-01"] * 7 + ["2020-02-01"] * 2 + ["2020-03-01"]
    split = date_split(Splittable(["C"] * 10, cells=cells), "day")
    assert [len(part) for part in split.parts().values()] == [7, 2, 1]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["01/02/2020", "02/01/2020", "03/03/2020"], "'01/02/2020' may be day/month or month/day; write the dates as"),
        (["2020-01-01", "soon", "2020-01-02"], "line 2, column 'day': 'soon' is no date as the others are"),
        (["2020-01-01", "2020-01-01", "2020-01-01"], "dates in column 'day' of the table: 1 different, too few"),
        (["", " ", ""], "column 'day' of the table is empty; use --split random"),
    ],
)
def test_columns_that_are_no_dates(cells, message):
    with pytest.raises(ExLMError, match=message):
        make_split("date:day", Splittable(list("CNO"), cells=cells))


def test_folds_in_time_learn_from_what_is_older():
    dates = [str(2000 + index // 2) for index in range(40)]
    rounds = make_folds("date:year", Splittable(["C"] * 40, cells=dates), 5)
    assert len(rounds) == 5
    for one in rounds:
        train, valid, test = ({dates[index] for index in part} for part in one.parts().values())
        assert max(train) < min(valid) <= max(valid) < min(test)
        assert sorted([*one.train, *one.valid, *one.test, *one.unplaced]) == list(range(40))


def test_files_of_indices(tmp_path):
    data = Splittable(list("CNOSF"), rows=[0, 2, 3, 4, 6], table_rows=8, name="a.csv", sha256="ab")
    ours, theirs, table = tmp_path / "splits.json", tmp_path / "chemprop.json", tmp_path / "parts.csv"
    ours.write_text(json.dumps({"name": "x", "data_sha256": "ab", "train": [0, 2], "valid": [3], "test": [1, 4]}))
    theirs.write_text('[{"train": "0-2", "val": [3], "test": "4,6"}, {"train": [6], "test": [0]}]')
    table.write_text("Row,part,fold\n0,train,0\n2,train,0\n3,test,0\n0,test,1\n2,train,1\n")
    split = make_split(str(ours), data)
    assert (split.train, split.valid, split.test, split.unplaced) == ([0, 1], [2], [3], [4])
    first, second = make_folds(f"file:{theirs}", data)
    assert (first.train, first.valid, first.test) == ([0, 1], [2], [3, 4])
    assert (second.train, second.valid, second.test, second.unplaced) == ([4], [], [0], [1, 2, 3])
    assert [one.test for one in make_folds(str(table), data)] == [[2], [0]]
    with pytest.raises(ExLMError, match="holds 2 folds, and one split is asked for"):
        make_split(str(theirs), data)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "is no valid JSON; a JSON file says"),
        ("a.json", "[1]", "holds no parts"),
        ("a.json", "{}", "names no rows"),
        ("a.json", '{"train": [9]}', "'train': row 9 is not in the table, whose rows are 0 to 2"),
        ("a.json", '{"train": [-1]}', "row -1 is not in the table"),
        ("a.json", '{"train": [0], "test": [0]}', "row 0 is in two parts"),
        ("a.json", '{"train": ["x"]}', "'x' is no row"),
        ("a.json", '{"train": [0], "data_sha256": "other"}', "was made for another table than the table"),
        ("a.csv", "row,part\n0,train\n1,rest\n", "a.csv, line 3: 'rest' is no part of a split"),
        ("a.csv", "row,part\n0.5,train\n", "'0.5' is no whole number"),
        ("a.csv", "row,part\n0\n", "line 2: 1 cells, 2 in the header"),
        ("a.csv", "id,part\n0,train\n", "has no column 'row'"),
        ("a.csv", "", "has no column 'row'"),
    ],
)
def test_files_that_are_no_indices(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ExLMError, match=message):
        make_split(str(tmp_path / name), Splittable(list("CNO"), sha256="mine"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ExLMError, match="cannot be read as a file of indices"):
        make_split(str(tmp_path / "none.json"), Splittable(["C"]))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("group", None),  # may be the name of a column
        ("group:", "--split group is written group:COLUMN"),
        ("scaffold:x", "--split scaffold takes no column"),
        (" ", "--split is empty; write scaffold, random"),
    ],
)
def test_specs(spec, message):
    if message is None:
        assert parse_split(spec).rule == "column"
        return
    with pytest.raises(ExLMError, match=message):
        parse_split(spec)


@pytest.mark.parametrize(
    ("spec", "folds", "repeats", "message"),
    [
        ("part", 5, 1, "which is one split; use --split group:part for folds"),
        ("random", 2, 1, "folds must be at least 3"),
        ("random", 3, 0, "repeats must be at least 1"),
        ("date:day", 3, 2, "folds by date are the same every time"),
        ("scaffold", 5, 1, "groups of the scaffold split: 4 different, too few for 5 parts; use --split random"),
    ],
)
def test_folds_that_cannot_be(spec, folds, repeats, message):
    data = Splittable(["c1ccccc1"] * 40 + ["CC", "CCC", "c1ccncc1"], cells=["train"] * 43)
    with pytest.raises(ExLMError, match=message):
        make_folds(spec, data, folds, repeats)


def test_a_split_that_leaves_nothing_to_learn_from():
    with pytest.raises(ExLMError, match=r"the scaffold split of 2 .*: too many share one scaffold"):
        make_split("scaffold", Splittable(["c1ccccc1", "c1ccccc1C"]))


def test_folds_of_molecules_without_rings():
    folds = make_folds("scaffold", Splittable([f"C{'C' * n}O" for n in range(20)]), folds=5)
    assert [len(fold.test) for fold in folds] == [4] * 5


def test_molecules_on_both_sides_of_a_border():
    nan = float("nan")
    labels = np.array([[1.0, 2.0], [1.0, nan], [0.0, 2.0], [1.0, 2.0], [1.0, 3.0]])
    data = Splittable(["C", "C", "N", "N", "O"], labels)
    split = Split("mine", "", [0, 2], [3], [1, 4], [])
    found = across_borders(split, data)
    assert (found.duplicates, found.contradictions, found.examples) == (2, 1, ["N", "C"])
    assert found.pairs == {"train, test": 1, "train, valid": 1}
    assert "2 molecules are in two parts of the split" in str(found)
    assert "1 of them with labels that contradict each other, such as 'N', 'C'; --split random" in str(found)
    elsewhere = replace(data, beside=[("7.4",), ("7.4",), ("2",), ("7.4",), ("2",)])  # measured at another pH
    assert (across_borders(split, elsewhere).duplicates, across_borders(split, elsewhere).contradictions) == (2, 0)
    assert str(across_borders(random_split(data.smiles), data)) == "no molecule is in two parts of the split"


def test_three_files_are_three_parts():
    split = given_split(list("CNO"), ["train", "valid", "test"], "files", "one file for each part")
    assert split.parts() == {"train": [0], "valid": [1], "test": [2]}

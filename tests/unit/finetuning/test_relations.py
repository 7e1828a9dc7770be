"""Signs and units in columns beside the labels, as ChEMBL has them."""

import numpy as np
import pytest

from exlm_chem.data_sets.description import describe
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.evaluation.measured import read_measured
from exlm_chem.finetuning.dataset import read_dataset
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.relations import check_relations, says_more, sign_of

NAN = float("nan")
TABLE = """\
"Smiles";"Standard Relation";"Standard Value";"Standard Units";"pChEMBL Value"
"CCO";"'='";"52";"nM";"7.28"
"CCN";"'>'";"10000";"nM";""
"CC";"'<'";"3.5";"ug.mL-1";""
"CCC";"";"700";"nM";"6.15"
"CCCC";"'>'";"";"";""
"""
SIGNS = "column 'Standard Relation': \"'>'\" (1 cell), \"'<'\" (1 cell): if these are signs of labels, add --relation"
UNITS = "column 'Standard Units': 'nM' (3 cells), 'ug.mL-1' (1 cell): if these are units of labels"


@pytest.fixture(scope="module")
def read(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu").read


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "chembl.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_signs_of_another_column_make_limits(read, table):
    labels = LabelOptions(relations=("standard relation",))
    dataset = read_dataset(table, ["Standard Value"], read, labels=labels)
    np.testing.assert_array_equal(dataset.labels[:, 0], [52, 10000, 3.5, 700])
    np.testing.assert_array_equal(dataset.bounds[:, 0], [0, 1, -1, 0])
    assert [row.reason for row in dataset.left_out] == ["no label is known"]
    assert dataset.others == {}
    assert not any("--relation" in note for note in dataset.reading)
    values = read_dataset(table, ["Standard Value"], read)
    assert not values.bounds.any()


def test_signs_and_units_that_are_not_read_are_told(read, table):
    reading = read_dataset(table, ["Standard Value"], read).reading
    assert sum(SIGNS in note for note in reading) == sum(UNITS in note for note in reading) == 1
    known = read_dataset(table, ["pChEMBL Value"], read).reading  # exact values of one unit
    assert not any("Standard" in note for note in known)
    warnings = describe(table).advice.warnings
    assert any("add --relation 'Standard Relation'" in warning for warning in warnings)
    assert any(warning.startswith(UNITS) for warning in warnings)


def test_classes_in_words_have_no_signs(read, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("smiles,outcome,relation\nC,Active,=\nCC,Inactive,>\n", encoding="utf-8")
    assert not any("--relation" in note for note in read_dataset(path, ["outcome"], read).reading)


def test_a_benchmark_tells_how_the_table_was_read(read, table):
    with table.open("a", encoding="utf-8") as file:
        file.writelines(f"{'C' * n}O;'=';{n};nM;\n" for n in range(3, 40))
        file.write("C1CC;'=';3;nM;\n")
    notes = read_measured(table, read, ["Standard Value"], split="random").notes
    assert any("add --relation" in note for note in notes)
    assert any(note.startswith("2 rows are left out, the first: line 6: no label is known") for note in notes)


def test_several_files_and_columns(read, tmp_path):
    paths = [tmp_path / f"{part}.csv" for part in ("train", "valid", "test")]
    for path, sign in zip(paths, (">", "", "<"), strict=True):
        path.write_text(f"smiles,a,b,sign,relation\nCCO,1.5,2.5,{sign},\nCC,2,3,,~\nC,4,-9,>,>\n", encoding="utf-8")
    labels = LabelOptions(relations=("sign", "relation"), unknown=("-9",))
    dataset = read_dataset(paths, ["a", "b"], read, labels=labels, others=["sign"])
    np.testing.assert_array_equal(dataset.bounds[:, 0], [1, 0, 1, 0, 0, 1, -1, 0, 1])
    np.testing.assert_array_equal(dataset.labels[:3, 1], [2.5, 3, NAN])
    assert dataset.others == {"sign": [">", "", ">", "", "", ">", "<", "", ">"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"relations": ("Standard Units",)}, "4 of 5 cells are no sign such as =, <, > or ~: 'nM' .3 cells."),
        ({"relations": ("relation",)}, "has no column 'relation' .is 'Standard Relation' meant"),
        (
            {"relations": ("Standard Relation", "Standard Units")},
            "there is 1 column of labels, and 2 of signs are named",
        ),
        ({"relations": ("Standard Relation",), "kind": "classification"}, "a limit and no class"),
    ],
)
def test_what_is_no_column_of_signs(read, table, options, message):
    with pytest.raises(ExLMError, match=message):
        read_dataset(table, ["Standard Value"], read, labels=LabelOptions(**options))


def test_a_sign_that_contradicts_its_label(read, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("smiles,y,qualifier\nC,>5,>\nCC,<5,>\nCCC,1.5,=\n", encoding="utf-8")
    with pytest.raises(ExLMError, match="1 of 3 labels is no plain number: '><5'"):
        read_dataset(path, ["y"], read, labels=LabelOptions(relations=("qualifier",)))


def test_description_reads_no_signs(table):
    with pytest.raises(ExLMError, match="--relation and --transform are for finetune"):
        describe(table, labels=LabelOptions(relations=("Standard Relation",)))


@pytest.mark.parametrize("text", ["5", ">5", "nM", "greater", "><", "=>="])
def test_no_signs(text):
    assert sign_of(text) is None


def test_names_of_columns():
    check_relations((), ("a", "b"))
    names = ("Relation", "standard_relation", "PubChem Standard Unit", "activity units", "Qualifier", "sign")
    assert all(map(says_more, names))
    assert not any(map(says_more, ("smiles", "design", "reunite", "unity", "value", "signal")))

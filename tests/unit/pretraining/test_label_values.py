"""Labels of tables as objectives of pretraining."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.pretraining.label_table import read_label_tables, read_labels
from exlm_chem.pretraining.label_values import build_label_values
from exlm_chem.pretraining.objective_values import ObjectiveValues
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
TABLE = """\
name,smiles,toxic,pKi,empty
a,OCC,1,5,
b,CCO,0,7,
c,c1ccccc1,1,,
d,C1CC,1,2,
e,CCN,,9,
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "assays.v1.csv"
    path.write_text(TABLE)
    return path


def stores_for(folder: Path, smiles: list[str], table: Path) -> tuple[list[ObjectiveValues], list[str]]:
    (folder / "m.smi").write_text("\n".join(smiles))
    corpus = Corpus(build_corpus([folder / "m.smi"], TOKENIZER, cache=folder / "cache", check=False))
    said: list[str] = []
    return build_label_values(corpus, [str(table)], TOKENIZER, said.append), said


def test_columns_of_numbers_are_labels_and_the_rest_is_said(table: Path) -> None:
    labels = read_labels(table)
    assert (labels.name, labels.columns, list(labels.rows)) == ("assays", ["toxic", "pKi"], ["CCO", "c1ccccc1", "CCN"])
    np.testing.assert_array_equal(labels.values, [[np.nan, 6], [1, np.nan], [np.nan, 9]])
    assert labels.is_class.tolist() == [True, False]
    said = " ".join(labels.notes)
    for word in (
        "'name' ('a' is no number)",
        "1 empty column",
        "1 rows without a molecule",
        "1 classes that contradict",
    ):
        assert word in said


def test_molecules_of_the_corpus_have_the_labels_of_the_same_molecule(tmp_path: Path, table: Path) -> None:
    (classes, numbers), said = stores_for(tmp_path, ["C1=CC=CC=C1", "CCCC", "NCC", "OCC"], table)
    everything = np.arange(4)
    assert (classes.name, numbers.name) == ("assays-classes", "assays-numbers")
    assert (classes.names, numbers.names) == (["toxic"], ["pKi"])
    np.testing.assert_array_equal(classes[everything], [[1], [np.nan], [np.nan], [np.nan]])
    np.testing.assert_allclose(numbers[everything], [[np.nan], [np.nan], [1], [-1]])  # 6 and 9, standardised
    assert (numbers.mean, numbers.scale, numbers.baseline) == ([7.5], [1.5], 1.0)
    assert said[-2:] == [
        f"assays-{what} of 3 molecules." for what in ("classes: 1 labels (toxic)", "numbers: 1 labels (pKi)")
    ]


def test_a_table_that_changes_has_other_values(tmp_path: Path, table: Path) -> None:
    (_, before), _ = stores_for(tmp_path, ["NCC"], table)
    table.write_text(TABLE.replace("e,CCN,,9", "e,CCN,,12"))
    (_, after), _ = stores_for(tmp_path, ["NCC"], table)
    assert (before.mean, after.mean) == ([7.5], [9.0])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("smiles,name\nCCO,a\n", "no column of numbers beside its SMILES"),
        ("smiles,active\nCCO,\n", "no column of numbers beside its SMILES"),
        ("smiles,active\nC1CC,1\n", "no molecule"),
    ],
)
def test_a_table_without_labels_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(ExLMError, match=problem):
        read_labels(path)


def test_a_table_whose_molecules_are_not_learnt_from_is_refused(tmp_path: Path, table: Path) -> None:
    with pytest.raises(ExLMError, match=r"assays is in the corpus; name the table among the files"):
        stores_for(tmp_path, ["CCCC"], table)


@pytest.mark.parametrize("folder", ["", "my/", "/elsewhere/"])
def test_a_table_is_named_without_its_folder(folder: str) -> None:
    options = PretrainingOptions(molecule_objectives=("ecfp", f"labels:{folder}assays.csv"))
    assert options.named_objectives == ["ecfp", "labels:assays.csv"]


def test_tables_of_one_name_are_refused(tmp_path: Path, table: Path) -> None:
    other = tmp_path / "more" / "assays.csv"
    other.parent.mkdir()
    other.write_text(TABLE)
    with pytest.raises(ExLMError, match="two tables of labels have the name 'assays'"):
        read_label_tables([str(table), str(other)])


def test_a_run_learns_the_labels_and_says_so_without_paths(tmp_path: Path) -> None:
    """Whether a molecule has nitrogen: after some steps the embedding says so for every molecule of the table."""
    smiles = [f"{'C' * length}{atom}{'C' * more}" for length in range(1, 9) for more in range(1, 5) for atom in "NO"]
    table = tmp_path / "amine.csv"
    table.write_text("smiles,amine\n" + "".join(f"{one},{int('N' in one)}\n" for one in smiles))
    options = PretrainingOptions(
        preset="tiny",
        objective="mlm",
        max_steps=40,
        batch_tokens=1024,
        unmasked=0.9,
        molecule_objectives=(f"labels:{table}",),
        device="cpu",
        evaluations=1,
    )
    directory = pretrain([table], tmp_path / "run", options, cache=tmp_path / "cache")
    model = ExLMForMaskedLM.from_pretrained(directory)
    texts = list(read_labels(table).rows)
    with torch.inference_mode():
        vectors = model.model.embed(torch.from_numpy(TOKENIZER.pad([TOKENIZER.encode(one) for one in texts])))
        says = model.molecule_heads["amine-classes"](vectors)[:, 0] > 0
    assert says.tolist() == ["N" in one for one in texts]
    facts = json.loads((directory / "training.json").read_text())
    assert facts["options"]["molecule_objectives"] == ["labels:amine.csv"]
    assert 0 < facts["last_measurement"]["validation_labels"] < 0.5
    assert "with the labels of amine.csv" in (directory / "README.md").read_text()
    assert str(tmp_path) not in (directory / "training.json").read_text() + (directory / "README.md").read_text()

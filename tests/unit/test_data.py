"""The data that ships."""

import csv
import doctest
import gzip

import pytest
from rdkit import Chem, rdBase
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

import exlm_chem.data.make_drugs
import exlm_chem.data.make_zinc_sample
from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError


def test_unknown_file():
    with pytest.raises(ExLMError, match=r"no data file 'tasks.tml' ships .* tasks.toml"):
        data_path("tasks.tml")


@pytest.mark.parametrize("module", [exlm_chem.data, exlm_chem.data.make_drugs, exlm_chem.data.make_zinc_sample])
def test_doctests(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_examples_are_the_drugs_they_are_called():
    with data_path("examples.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    bad = 0
    for row in rows:
        with rdBase.BlockLogs():
            molecule = Chem.MolFromSmiles(row["smiles"]) if row["smiles"] else None
        if row["formula"]:
            assert CalcMolFormula(molecule) == row["formula"], row["name"]
        else:
            assert molecule is None
            assert row["note"].startswith("wrong on purpose, ")
            bad += 1
    assert (len(rows), bad) == (29, 5)


def test_zinc_sample():
    lines = gzip.decompress(data_path("zinc_20k.smi.gz").read_bytes()).decode("ascii").splitlines()
    assert len(lines) == len(set(lines)) == 20_000
    assert all(Chem.MolFromSmiles(smiles) is not None for smiles in lines[::200])


def test_drugs():
    lines = gzip.decompress(data_path("drugs.smi.gz").read_bytes()).decode("ascii").splitlines()
    assert len(lines) == len(set(lines)) == 500
    assert all(Chem.MolFromSmiles(smiles).GetNumHeavyAtoms() >= 6 for smiles in lines)

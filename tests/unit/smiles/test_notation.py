"""Other notations are recognised, told, and converted if asked for."""

import contextlib
import csv
from pathlib import Path

import pytest
from rdkit import Chem

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.molecule import canonical_smiles, read_molecule
from exlm_chem.smiles.notation import recognised
from exlm_chem.smiles.selfies import SelfiesError, from_selfies, join_to_smiles, smiles_from_selfies, to_selfies

CASES = Path(__file__).parents[2] / "data" / "field_cases"
BLOCK = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
BLOCK3 = Chem.MolToV3KMolBlock(Chem.MolFromSmiles("CCO"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "an InChI"),
        ("inchi=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "an InChI"),
        ("BSYNRYMUTXBXSQ-UHFFFAOYSA-N", "an InChIKey"),
        ("InChIKey=BSYNRYMUTXBXSQ-UHFFFAOYSA-N", "an InChIKey"),
        ("[C][C][O]", "SELFIES"),
        ("[C][=O]", "SELFIES"),
        ("[C][C][Branch1][C][F][Cl]", "SELFIES"),
        ("[Na+1].[Cl-1].[C][N]", None),
        ("[C@@H1][C]", "SELFIES"),
        (BLOCK, "a mol block"),
        (BLOCK3, "a mol block"),
        (BLOCK.replace("\n", "\r\n"), "a mol block"),
        ('{"smiles": "CCO"}', "JSON"),
        ('{"smiles":"CCO"}', "JSON"),
        ('["CCO", "CCN"]', "JSON"),
        ('[{"smiles": "CCO"}]', "JSON"),
    ],
)
def test_told_with_the_remedy(text, said):
    error = read_molecule(text).error
    if said is None:
        assert error is None or "this is" not in error
        return
    assert error.startswith(f"this is {said}, and a SMILES is expected: ")
    assert "\n" not in error


@pytest.mark.parametrize(
    "smiles",
    "[H][H] [O][O] [CH3][CH2][OH] [CH3:1][CH2:2][OH:3] [Na+].[Cl-] [13CH4] [2H][2H] [C-]#[O+] [Na+1].[Cl-1] [C] [Fe] "
    "[NH4+].[OH-] [C@@H](F)(Cl)Br I II IC ICI NC N c1ccccc1 [OH2].[OH2] [cH]1[cH][cH][cH][cH][cH]1".split(),
)
def test_smiles_are_smiles(smiles):
    assert recognised(smiles) is None
    assert read_molecule(smiles).error is None or smiles in ("I", "II", "ICI")


def test_field_cases_15_and_16():
    with (CASES / "15_selfies.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all("this is SELFIES" in read_molecule(row["smiles"]).error for row in rows)
    assert read_molecule(rows[0]["smiles"], convert=True).smiles == canonical_smiles("CC(=O)Oc1ccccc1C(=O)O")
    with (CASES / "16_inchi.csv").open() as file:
        texts = [row["structure"] for row in csv.DictReader(file)]
    assert all("this is an InChI" in read_molecule(text).error for text in texts)
    converted = [read_molecule(text, convert=True) for text in texts]
    assert converted[3].smiles == "CCO"
    assert all(one.note == "converted from InChI" for one in converted[:-1])
    assert "holds no structure" in converted[-1].error


def test_conversion_of_what_is_damaged():
    assert read_molecule("InChI=1S/nonsense", convert=True).error == "RDKit cannot read this InChI"
    assert read_molecule("[C][=Xyz]", convert=True).error.startswith("'[C][=Xyz]' is not SELFIES")
    assert read_molecule(BLOCK, convert=True).smiles == "CCO"
    assert read_molecule("a\nb\n\nnothing\nM  END\n", convert=True).error == "RDKit cannot read this molecule block"


@pytest.mark.parametrize("smiles", ["C*", "[Fe]<-N", "C11", "C$C", "c1cccc1", "[CH3:1]C>>C", "C1CC", "(", "C%"])
def test_nothing_but_our_error_from_selfies(smiles):
    with pytest.raises(ExLMError):
        to_selfies(smiles)


@pytest.mark.parametrize("text", ["[C][Xyz]", "[", "C", "[]", "[C", "[C][=Branch9]", "[C]]", "[@]", "[C@@@]"])
def test_nothing_but_our_error_to_smiles(text):
    for function in (smiles_from_selfies, from_selfies, join_to_smiles):
        with contextlib.suppress(ExLMError):
            function(text)


def test_selfies_error_is_one_line():
    with pytest.raises(SelfiesError) as caught:
        to_selfies("CC(C)(C)*")
    assert "\n" not in str(caught.value)

"""Which column is meant."""

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.tables.columns import choose_smiles_column, find_column

MOLECULES = ["CC(=O)O", "c1ccccc1", "CCN"]
CODES = ["NCO", "CCN", "ATP"]
WORDS = ["aspirin", "benzene", "amine"]


def choose(columns, wanted=None):
    """Choose from names with their cells; gives the name and the notes."""
    notes = []
    names, cells = list(columns), list(columns.values())
    return names[choose_smiles_column(names, cells.__getitem__, wanted, "a.csv", notes.append)], notes


def refused(columns):
    with pytest.raises(ExLMError) as caught:
        choose(columns)
    return str(caught.value)


@pytest.mark.parametrize(
    ("columns", "right"),
    [
        ({"mol": MOLECULES, "smiles": WORDS}, "smiles"),
        ({"smiles": MOLECULES, "canonical_smiles": MOLECULES}, "smiles"),
        ({"SMILES": MOLECULES, "smiles": MOLECULES}, "smiles"),
        ({" Smiles\n": MOLECULES, "ligand": CODES}, " Smiles\n"),
        ({"SMILES": WORDS, "Smiles": MOLECULES}, "Smiles"),
    ],
)
def test_a_column_called_smiles_is_it_without_a_word(columns, right):
    assert choose(columns) == (right, [])


@pytest.mark.parametrize(
    ("columns", "right"),
    [
        ({"ligand": CODES, "ligand_smiles": MOLECULES}, "ligand_smiles"),
        ({"smiles_source": WORDS, "Drug SMILES": MOLECULES}, "Drug SMILES"),
        ({"smiles_valid": ["1", "0"], "mol": MOLECULES}, "mol"),
        ({"molecule": WORDS, "structure": MOLECULES}, "structure"),
        ({"mol": ["CCO"]}, "mol"),
        ({"structure": ["InChI=1S/CH4/h1H4"]}, "structure"),
        ({"product_smiles": WORDS}, "product_smiles"),
        ({"Compound": ["CCO", "CCCCO"]}, "Compound"),
    ],
)
def test_any_other_column_is_told(columns, right):
    name, notes = choose(columns)
    assert name == right
    assert notes == [f"the SMILES are read from column {right!r}"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"smiles_a": MOLECULES, "smiles_b": MOLECULES}, "any of the columns 'smiles_a', 'smiles_b'; choose one with"),
        ({"mol": MOLECULES, "structure": MOLECULES}, "any of the columns 'mol', 'structure'"),
        ({"ligand": CODES, "pKd": ["5"]}, "no column named smiles; its columns are: 'ligand', 'pKd'"),
        ({"compound": WORDS}, "no column named smiles"),
        ({"X": MOLECULES, "Y": ["1"]}, "'X' looks like it: try --smiles-column 'X'"),
    ],
)
def test_doubt_is_a_question(columns, message):
    assert message in refused(columns)


def test_what_the_user_names_is_not_judged():
    assert choose({"smiles": MOLECULES, " Ligand ": CODES}, "ligand") == (" Ligand ", [])


def test_names_are_found_without_regard_to_white_space_and_case():
    columns = ["id", " logS ", "Solubility\n(log mol/L)", "a", "A", "b", "b"]
    assert [find_column(columns, name, "a.csv") for name in (" logS ", "logs", "LOGS ")] == [1, 1, 1]
    assert find_column(columns, "Solubility (log mol/L)", "a.csv") == 2
    assert [find_column(columns, name, "a.csv") for name in ("a", "A")] == [3, 4]
    for name in ("b", " a "):
        with pytest.raises(ExLMError, match="has 2 columns"):
            find_column(columns, name, "a.csv")
    with pytest.raises(ExLMError, match=r"no column 'logD' \(is ' logS ' meant\?\); its columns are: 'id', "):
        find_column(columns, "logD", "a.csv")
    with pytest.raises(ExLMError, match="and 180 more"):
        find_column([f"column {number}" for number in range(200)], "x", "a.csv")


def test_names_that_are_the_same_cannot_be_chosen_between():
    with pytest.raises(ExLMError, match="has 2 columns 'smiles'; rename all but one of them"):
        choose_smiles_column(["smiles", "smiles"], lambda _: MOLECULES, None, "a.csv", lambda _: None)

"""What stands in a cell besides a SMILES."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exlm_chem.smiles.cells import EMPTY, split_cell
from exlm_chem.smiles.molecule import MoleculeError, canonical_smiles, read_molecule
from exlm_chem.tables.reader import MoleculeReader, iter_smiles

CASES = Path(__file__).parents[2] / "data" / "field_cases"


@pytest.mark.parametrize(
    "rest",
    [
        *(
            "|$;;$| ethanol",
            "|(0,0,;1,0,)|",
            "ethanol",
            "Compound 12",
            "12345",
            "0.5 mM",
            "(R)-isomer",
            "- active",
            "CAS 64-17-5",
        ),
        *("sodium acetate", "ZINC000123", "CHEMBL25", "ID_7", "*** see note", "Äthanol", "aspirin (USP)", "2-naphthol"),
    ],
)
def test_names_and_extensions_are_left_aside_with_a_note(rest):
    molecule = read_molecule(f"OCC {rest}")
    assert (molecule.smiles, molecule.error) == ("CCO", None)
    assert molecule.note.startswith("text after the SMILES was left aside: ")


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("\u200bCCO", "U+200B"),
        ("CCO\u200b", "U+200B"),
        ("C\u00adC\u00adO", "U+00AD"),
        ("\ufeff\u200eCCO\u2069 ", "U+FEFF, U+200E, U+2069"),
        ("\ufeffCCO".encode(), "U+FEFF"),
    ],
)
def test_characters_that_nobody_can_see_are_left_aside_with_a_note(cell, names):
    molecule = read_molecule(cell)
    assert (molecule.smiles, molecule.error) == ("CCO", None)
    assert molecule.note == f"invisible characters were left aside: {names}"


@pytest.mark.parametrize("cell", ["CC(=O)[O\u00ad]", "[NH4\u00ad]Cl", "\u200bC[O\u00ad]\u200b"])
def test_a_soft_hyphen_that_may_be_a_charge_is_not_left_aside(cell):
    molecule = read_molecule(cell)
    assert not molecule.smiles
    assert molecule.error.endswith("unknown character '\\xad' inside of brackets")


def test_what_can_be_seen_is_judged_as_without_the_invisible():
    assert read_molecule("\u200bCCO\u200b ethanol").note == (
        "invisible characters were left aside: U+200B; text after the SMILES was left aside: 'ethanol'"
    )
    assert read_molecule("\u200b CCO CCN").error == read_molecule(" CCO CCN").error
    assert read_molecule("\u200b").error == EMPTY
    assert "unknown character" in read_molecule("C\u2212C").error


@pytest.mark.parametrize(
    ("cell", "position"),
    [
        ("CC(=O)O c1ccccc1C(=O)O", 7),
        ("OC[C@H]1O[C@@H](Oc2c[nH]c3ccccc23) [C@H](O)[C@@H](O)[C@@H]1O", 34),
        ("CCO + CCN", 3),
        ("CCO and CCN", 3),
        ("CCO, CCN".replace(",", ""), 3),
        ("CCO\tCCN", 3),
        ("CCO\u00a0CCN", 3),
        ("CC(=O)O .[Na+]", 7),
        ("CCO =O", 3),
        ("CCC (O)", 3),
        ("CC(C )C", 4),
        ("C1CCCC C1", 6),
        ("  CCO CCN", 3),
        ("CCO CCN CCC", 3),
    ],
)
def test_a_rest_of_smiles_is_an_error_with_its_position(cell, position):
    error = read_molecule(cell).error
    assert error.startswith(f"blank at position {position} inside of the SMILES: ")
    with pytest.raises(MoleculeError, match="inside of the SMILES"):
        canonical_smiles(cell)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x0b"])
def test_a_line_break_inside_is_an_error_and_around_it_is_none(end):
    assert read_molecule(f"CCCCC{end}CCCCCN").error.startswith("line break at position 5 inside of the SMILES ")
    assert read_molecule(f"CCO{end}ethanol").error.startswith("line break at position 3")
    assert "\n" not in read_molecule(f"CCO{end}ethanol").error
    assert read_molecule(f"{end}CCO{end}").smiles == "CCO"


def test_field_case_14():
    with MoleculeReader(CASES / "14_blanks_inside.csv") as reader:
        results = {record.cells[0]: read_molecule(record.smiles) for record in reader}
    assert [name for name, one in results.items() if one.error is None] == ["indican"]
    assert all("inside of the SMILES" in one.error for name, one in results.items() if name != "indican")
    assert [row.error is None for row in iter_smiles([CASES / "14_blanks_inside.csv"])] == [True] + [False] * 4


def test_in_smi_files_a_rest_is_a_name(tmp_path):
    (tmp_path / "m.smi").write_text("CCO CCN\nCC c1ccccc1\n")
    with MoleculeReader(tmp_path / "m.smi") as reader:
        assert [(record.smiles, record.cells[1]) for record in reader] == [("CCO", "CCN"), ("CC", "c1ccccc1")]
    assert [row.smiles for row in iter_smiles([tmp_path / "m.smi"])] == ["CCO", "CC"]


@pytest.mark.parametrize("cell", [None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT, "", " \t\n", b""])
def test_missing_cells(cell):
    assert split_cell(cell).error == EMPTY
    assert read_molecule(cell).error == EMPTY


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (5, "int"),
        (1.5, "float"),
        (np.float64(2), "numpy.float64"),
        (True, "bool"),
        (["CCO"], "list"),
        ({"smiles": "CCO"}, "dict"),
        (Path("a.csv"), "pathlib.PosixPath"),
        (object(), "object"),
        (np.array(["CCO", "CCN"]), "numpy.ndarray"),
    ],
)
def test_what_is_neither_text_nor_a_molecule_is_told_by_its_type(cell, kind):
    assert read_molecule(cell).error == f"neither text nor an RDKit molecule, but {kind}"


def test_bytes_are_decoded_or_told():
    assert read_molecule(b"OCC ethanol").smiles == "CCO"
    assert read_molecule(np.bytes_(b"OCC")).smiles == "CCO"
    assert read_molecule(np.str_("OCC")).smiles == "CCO"
    assert read_molecule(b"CC\xff").error == "bytes that are no UTF-8 at position 2; give them as text"
    assert read_molecule("CC\udcff").error is not None


def test_quotes_of_messages_have_no_control_characters():
    for cell in ("CCO \x1b[31mC", "CCO\x1b[31m\nC", "CCO " + "C" * 500):
        shown = read_molecule(cell)
        assert "\x1b" not in f"{shown.error}{shown.note}"
        assert len(shown.error or shown.note) < 200


def test_blanks_inside_csv_row_of_the_reader(tmp_path):
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["smiles"], ["CCO CCN"], ["CCO ethanol"]])
    rows = list(iter_smiles([tmp_path / "a.csv"]))
    assert rows[0].error.startswith("blank at position 3")
    assert (rows[1].smiles, rows[1].error) == ("CCO", None)

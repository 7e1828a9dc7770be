"""One molecule as text: RDKit's verdict, our reason."""

import random

import pytest
from rdkit import Chem, rdBase

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.molecule import (
    MAX_CHARACTERS,
    MoleculeError,
    canonical_smiles,
    from_selfies,
    randomised_smiles,
    read_molecule,
    scaffold,
    to_selfies,
)

REASONS = {
    "C1CC": "not SMILES at position 1: ring closure 1 is never closed",
    "C%12CC": "not SMILES at position 1: ring closure 12 is never closed",
    "CC(C": "not SMILES at position 2: '(' is never closed",
    "CC)C": "not SMILES at position 2: ')' without '('",
    "CC()C": "not SMILES at position 3: empty branch '()'",
    "C(=)C": "not SMILES at position 2: bond without an atom after it",
    "(C)C": "not SMILES at position 0: '(' without an atom before it",
    "C==C": "not SMILES at position 2: bond '=' directly after another bond",
    "=C": "not SMILES at position 0: bond '=' without an atom before it",
    "C11": "not SMILES at position 2: ring closure 1 joins an atom to itself",
    "C1C1": "not SMILES at position 3: ring closure 1 joins two atoms that have a bond already",
    "CC=": "not SMILES at position 2: it ends with '=', and an atom is expected after that",
    "C..C": "not SMILES at position 2: '.' without an atom before it",
    "C(.O)C": "not SMILES at position 2: '.' without an atom before it",
    "C(O.)C": "not SMILES at position 3: dot without an atom after it",
    "C(-1)C1": "not SMILES at position 3: ring closure 1 without an atom before it",
    "[C@@@H]": "not SMILES at position 0: no atom is written [C@@@H]",
    "CCO>>CC=O": "not SMILES at position 3: this is a reaction, and one molecule is expected",
    "CC?C": "not SMILES at position 2: unknown character '?'",
    "C\N{EN DASH}C": "not SMILES at position 1: unknown character '\N{EN DASH}'",
    "CN(C)(C)C": "impossible valence: atom 1 (N at position 1) has 4 bonds",
    "[13CH3]C(C)(C)(C)(C)C": "impossible valence: atom 1 (C at position 7) has 6 bonds",
    "Oc1cccc1": "impossible aromatic ring: "
    "no arrangement of double bonds for atoms 1, 2, 3, 4, 5 from position 1; is a [nH] missing?",
    "CCn2=cnc3ccccc32": "impossible valence: atom 2 (N at position 2) has 4 bonds",
    "CCc": "aromatic atom outside of a ring: atom 2 (C at position 2)",
}


@pytest.mark.parametrize("smiles", REASONS)
def test_refused_molecule_gets_its_reason(smiles):
    assert read_molecule(smiles).error == REASONS[smiles]


@pytest.mark.parametrize("text", [None, "", "  ", "\t\n", "\u00a0"])
def test_empty_cell_is_no_molecule(text):
    assert read_molecule(text).error == "no SMILES in this row"


def test_rdkit_decides_on_mutated_molecules():
    chosen = random.Random(1)
    for _ in range(2000):
        text = list("CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)N2CCC(=C)C[n+]2[O-]")
        for _ in range(chosen.randint(1, 3)):
            text[chosen.randrange(len(text))] = chosen.choice("CcNnOo()[]=#123%@+-.\\/")
        smiles = "".join(text)
        with rdBase.BlockLogs():
            accepted = bool(smiles) and Chem.MolFromSmiles(smiles) is not None
        result = read_molecule(smiles)
        assert (result.error is None) == accepted, smiles
        assert bool(result.smiles) == accepted


@pytest.mark.parametrize("smiles", ["CC\u041e", "\u0421CO", "CCO\u2026", "\u201cCCO\u201d", "\uff23C"])
def test_letters_that_rdkit_drops_at_the_ends_are_refused(smiles):
    assert "unknown character" in read_molecule(smiles).error


def test_text_after_the_smiles_is_left_aside_and_noted():
    molecule = read_molecule("  OCC |$;;$| ethanol\r\n")
    assert molecule.smiles == "CCO"
    assert molecule.note == "text after the SMILES was left aside: '|$;;$| ethanol'"
    assert read_molecule(" OCC ").note is None


def test_huge_text_is_refused_at_once_instead_of_crashing_rdkit():
    assert read_molecule("C" * 1_000_000).error == "too long: 1,000,000 characters, and 10,000 are read at most"
    assert read_molecule("C" * MAX_CHARACTERS).error is None


def test_rules_change_the_molecule_and_say_so():
    salt = "CC(=O)[O-].[Na+].O"
    assert read_molecule(salt, "none").smiles == "CC(=O)[O-].O.[Na+]"
    assert read_molecule(salt, "fragment").smiles == "CC(=O)[O-]"
    parent = read_molecule(salt, "parent")
    assert (parent.smiles, parent.changed) == ("CC(=O)O", True)
    assert not read_molecule("OCC", "parent").changed
    with pytest.raises(ExLMError, match="unknown standardisation rule 'salt'"):
        read_molecule("CCO", "salt")


def test_no_log_lines_and_the_users_log_stays_on(capfd):
    read_molecule("C1CC")
    read_molecule("c1cccc1")
    read_molecule("CC(=O)[O-].[Na+]", "parent")
    assert capfd.readouterr().err == ""
    assert Chem.MolFromSmiles("C1CC") is None
    assert "unclosed ring" in capfd.readouterr().err


def test_every_way_to_write_a_molecule_reads_the_same():
    smiles = "C[C@H](N)C(=O)Oc1ccc2[nH]ccc2c1"
    written = {randomised_smiles(smiles, seed) for seed in range(50)}
    assert len(written) > 20
    assert {canonical_smiles(text) for text in written} == {canonical_smiles(smiles)}
    assert randomised_smiles(smiles, 3) == randomised_smiles(smiles, 3)


def test_scaffold_is_deepchems():
    assert scaffold("C[C@@H]1CCCN1c1ccncc1 name") == "c1cc(N2CCCC2)ccn1"
    assert scaffold("CCCC") == ""


def test_selfies_there_and_back():
    assert from_selfies(to_selfies("CC(=O)Oc1ccccc1C(=O)O")) == canonical_smiles("CC(=O)Oc1ccccc1C(=O)O")
    with pytest.raises(MoleculeError, match="SELFIES cannot write this molecule"):
        to_selfies("*C")
    with pytest.raises(MoleculeError, match="is not SELFIES: invalid symbol"):
        from_selfies("[C][Xyz]")


def test_functions_that_raise_give_the_reason():
    with pytest.raises(MoleculeError, match="ring closure 1 is never closed"):
        canonical_smiles("C1CC")
    with pytest.raises(ValueError, match="the text is empty"):
        scaffold(" ")

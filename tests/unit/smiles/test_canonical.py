"""One molecule, one text: through every door, in every way to write it."""

import csv
from pathlib import Path

import pytest
from rdkit import Chem, rdBase

from exlm_chem.smiles.canonical import MAP_NOTE
from exlm_chem.smiles.molecule import canonical_smiles, randomised_smiles, read_mol_block, read_molecule
from exlm_chem.tables.reader import MoleculeReader, iter_smiles

CASES = Path(__file__).parents[2] / "data" / "field_cases"

HARD_TO_WRITE = {
    "phthalimides": "O=C(c1ccccc1C(=O)N1C(=O)c2ccccc2C1=O)N1C(=O)c2ccccc2C1=O",
    "succinimides": "O=C(CCC(=O)N1C(=O)CCC(=O)N2C(=O)CCC(=O)N(C(=O)CCC2=O)C(=O)CCC1=O)N1C(=O)CCC1=O",
    "imine with its hydrogen": r"[H]/N=C(C=C)\C(/N=C\[O-])=N\[H]",
    "hexachlorocyclohexane": "Cl[C@H]1[C@H](Cl)[C@@H](Cl)[C@@H](Cl)[C@H](Cl)[C@H]1Cl",
    "another one": "Cl[C@H]1[C@H](Cl)[C@@H](Cl)[C@H](Cl)[C@H](Cl)[C@H]1Cl",
    "inositol": "O[C@H]1[C@H](O)[C@@H](O)[C@H](O)[C@H](O)[C@@H]1O",
    "cyclodecane": "O=C(O)[C@H]1[C@@H](C(=O)O)[C@@H](C(=O)O)[C@@H](C(=O)O)[C@@H](C(=O)O)[C@H](C(=O)O)[C@H](C(=O)O)"
    "[C@@H](C(=O)O)[C@@H](C(=O)O)[C@@H]1C(=O)O",
    "prismane": "F[C@]12[C@@H]3[C@H]4[C@@](F)([C@@]31F)[C@]42F",
    "cage": "F[C@]12[C@H]3[C@H]4[C@H]5[C@H]3[C@@H]1[C@@]5(F)[C@H]42",
    "cubic cage": "C1(C2C3C4C5C2C2C(C4C35)C12)C1C2C3C2C13",
    "iron": "C1C[N+]23CCC[N+]4(C1)CC[S-]1[Fe+2]24([SH+]CC3)[S-]2CC[N+]34CCC[N+]5(CCC3)CC[SH+][Fe+2]1254",
}


@pytest.mark.parametrize("name", HARD_TO_WRITE)
def test_one_text_in_every_way_to_write_it(name):
    smiles = HARD_TO_WRITE[name]
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    ways = [smiles, *(randomised_smiles(smiles, seed) for seed in range(12))]
    with rdBase.BlockLogs():
        ways += [Chem.CanonSmiles(way) for way in ways]
    assert len(ways) > 12
    texts = {read_molecule(way).smiles for way in ways} | {read_molecule(molecule).smiles}
    assert len(texts) == 1
    text = texts.pop()
    assert canonical_smiles(text) == text


@pytest.mark.parametrize("smiles", ["OCC", "C[C@H](N)C(=O)O", "c1ccccc1-c1ccccc1", "F/C=C/F", "[Na+].[Cl-]"])
def test_text_of_ordinary_molecules_is_rdkits(smiles):
    assert read_molecule(smiles).smiles == Chem.CanonSmiles(smiles)


def test_field_case_11_one_molecule_through_every_door():
    with (CASES / "11_same_molecule.csv").open() as file:
        rows = list(csv.DictReader(file))
    for number in "12":
        written = [row["smiles"] for row in rows if row["id"].startswith(number)]
        texts = {read_molecule(smiles).smiles for smiles in written}
        texts |= {read_molecule(Chem.MolFromSmiles(smiles)).smiles for smiles in written}
        with MoleculeReader(CASES / "11_same_molecule.sdf") as reader:
            texts |= {read_molecule(r.smiles).smiles for r in reader if str(r.cells[1]).startswith(number)}
        assert len(texts) == 1


def test_field_case_13_map_numbers_are_cleared_with_a_note():
    with (CASES / "13_atom_maps.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        molecule = read_molecule(row["smiles"])
        plain = next(r["smiles"] for r in rows if r["name"] == row["name"].split()[0])
        assert molecule.smiles == read_molecule(plain).smiles
        assert molecule.note == (MAP_NOTE if ":" in row["smiles"] else None)
        mapped = Chem.MolFromSmiles(row["smiles"])
        before = Chem.MolToSmiles(mapped)
        assert read_molecule(mapped) == molecule
        assert Chem.MolToSmiles(mapped) == before  # somebody else's molecule is not changed
        assert read_mol_block(Chem.MolToMolBlock(mapped))[0] == molecule.smiles


def test_map_numbers_are_no_stereo_and_no_hydrogens():
    assert read_molecule("[CH3:1][C@H](O)[CH3:2]").smiles == "CC(C)O"
    assert read_molecule("[H:1][CH2:2][OH:3]").smiles == "CO"
    assert read_molecule("[CH3:1]O |$;$| x").note == f"text after the SMILES was left aside: '|$;$| x'; {MAP_NOTE}"


def test_mols_that_somebody_made():
    ethanol = Chem.MolFromSmiles("CCO")
    assert read_molecule(Chem.AddHs(ethanol)).smiles == "CCO"
    assert read_molecule(Chem.MolFromSmiles("CN(C)(C)C", sanitize=False)).error.startswith("impossible valence")
    assert read_molecule(Chem.Mol()).error == "nothing is left of the molecule"
    unfinished = Chem.RWMol()
    unfinished.AddAtom(Chem.Atom(6))
    assert read_molecule(unfinished).smiles == "C"
    assert read_molecule(ethanol, "parent").smiles == "CCO"


def test_what_rdkit_cannot_read_again_is_an_error_through_every_door():
    rows = ["CC" * 0]
    flake = "C1=CC2=CC3=CC=CC4=CC5=CC=CC6=CC(=C1)C2=C(C34)C56"
    result = read_molecule(flake)
    assert (result.error is None) == (read_molecule(result.smiles).error is None) or not result.smiles
    assert rows == [""]


def test_corpora_hold_the_text(tmp_path):
    from exlm_chem.pretraining.corpus import Corpus
    from exlm_chem.pretraining.corpus_builder import build_corpus
    from exlm_chem.tokenizer import ExLMTokenizer

    file = CASES / "13_atom_maps.csv"
    corpus = Corpus(build_corpus([file], ExLMTokenizer(), cache=tmp_path))
    texts = [ExLMTokenizer().decode(corpus[row].tolist()) for row in range(len(corpus))]
    assert texts == [read_molecule(row.smiles).smiles for row in iter_smiles([file])]
    assert len(set(texts)) == 6

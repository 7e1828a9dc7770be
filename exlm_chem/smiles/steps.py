"""What RDKit does with one molecule, step by step; each may run in the worker process of `exlm_chem.smiles.bounds`.

Arguments and results are what JSON can hold, and `MoleculeError` is the only exception. Nothing here is bounded: the
functions of `exlm_chem.smiles.molecule` call these.
"""

from __future__ import annotations

import base64
from typing import Any, cast

from rdkit import Chem, rdBase

from exlm_chem.smiles.canonical import clear_maps, parse, the_text, write
from exlm_chem.smiles.errors import MoleculeError, first_line
from exlm_chem.terms import Standardise


def read(smiles: str, standardise: Standardise) -> tuple[str, bool, bool]:
    """Give *the* text, whether the rule changed the molecule, and whether it had map numbers."""
    with rdBase.BlockLogs():
        molecule = parse(smiles)
        mapped = ":" in smiles and clear_maps(molecule)
        if mapped:  # without the numbers, some atoms are no stereo centres, and some hydrogens no atoms
            smiles = write(molecule)
            molecule = parse(smiles)
        text = the_text(molecule, smiles)
        if standardise == "none":
            return text, False, mapped
        try:
            used = write(_standardised(molecule, standardise))
            if used != text:  # what is left may have lost a stereo centre: it is read again
                used = the_text(parse(used), used)
        except (RuntimeError, ValueError) as error:
            raise MoleculeError(f"rule '{standardise}' failed on it: {first_line(error)}") from None
        return used, used != text, mapped


def read_packed(packed: str, standardise: Standardise) -> tuple[str, bool, bool]:
    """Do the same for a molecule in RDKit's own binary form, as base64."""
    return read_copy(Chem.Mol(cast("Any", base64.b64decode(packed))), standardise)


def read_copy(molecule: Any, standardise: Standardise) -> tuple[str, bool, bool]:
    """Do the same for an RDKit molecule, which is changed."""
    with rdBase.BlockLogs():
        mapped = clear_maps(molecule)
        text, changed, _ = read(write(molecule), standardise)
    return text, changed, mapped


def read_block(block: str) -> tuple[str, str | None]:
    """Give *the* text of a molecule block, and why RDKit refuses it."""
    with rdBase.BlockLogs():
        molecule: Any = Chem.MolFromMolBlock(block)  # None, whatever RDKit's type hints say
        if molecule is not None:
            return read_copy(molecule, "none")[0], None
        molecule = Chem.MolFromMolBlock(block, sanitize=False)
        if molecule is None:
            return "", "RDKit cannot read this molecule block"
        smiles = write(molecule)
        try:
            parse(smiles)
        except MoleculeError as error:
            return smiles, str(error)
    return smiles, "RDKit refuses this molecule block"


def read_inchi(text: str) -> str:
    """Turn an InChI into SMILES."""
    with rdBase.BlockLogs():
        molecule: Any = Chem.MolFromInchi(text)  # type: ignore[attr-defined,no-untyped-call,unused-ignore]
        if molecule is None:
            raise MoleculeError("RDKit cannot read this InChI")
        return write(molecule)


def check(smiles: str) -> bool:
    """Raise if RDKit refuses a SMILES."""
    with rdBase.BlockLogs():
        parse(smiles)
    return True


def randomise(smiles: str, seed: int) -> str:
    """Write a molecule from another atom and in another order."""
    with rdBase.BlockLogs():
        # RDKit takes 0 for "no seed", so every seed is moved into 1 .. 2**31 - 1
        return str(Chem.MolToRandomSmilesVect(parse(smiles), 1, randomSeed=1 + seed % (2**31 - 1))[0])


def scaffold_of(smiles: str) -> str:
    """Give the Bemis-Murcko scaffold."""
    from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

    with rdBase.BlockLogs():
        text: str = MurckoScaffoldSmiles(mol=parse(smiles), includeChirality=False)  # type: ignore[no-untyped-call]
        return text


def fragments_of(smiles: str) -> list[int]:
    """See `exlm_chem.smiles.molecule.fragments`."""
    from rdkit.Chem import BRICS

    molecule = parse(smiles)
    bonds: list[Any] = list(BRICS.FindBRICSBonds(molecule))  # type: ignore[no-untyped-call]
    cuts = [molecule.GetBondBetweenAtoms(*atoms).GetIdx() for atoms, _ in bonds]
    pieces = Chem.FragmentOnBonds(molecule, cuts, addDummies=False) if cuts else molecule
    numbers = [0] * molecule.GetNumAtoms()
    for number, atoms in enumerate(Chem.GetMolFrags(pieces)):
        for atom in atoms:
            numbers[atom] = number
    return numbers


def _standardised(molecule: Any, standardise: Standardise) -> Any:
    # This module of RDKit takes 0.1 s to load, and the default rule does not need it.
    from rdkit.Chem.MolStandardize import rdMolStandardize

    if standardise == "fragment":
        return rdMolStandardize.LargestFragmentChooser().choose(molecule)
    return rdMolStandardize.Uncharger().uncharge(rdMolStandardize.FragmentParent(molecule))

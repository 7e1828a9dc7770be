"""One molecule as text: what a cell of somebody's file means, or why it means nothing.

RDKit is the judge: a text is a molecule if ``Chem.MolFromSmiles`` accepts it, and models only ever see *the* text of a
molecule (see `exlm_chem.smiles.canonical`), so that the answer does not depend on how a molecule was written. Every
molecule has an answer in a few seconds (see `exlm_chem.smiles.bounds`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final, get_args

from rdkit import Chem

from exlm_chem.errors import ExLMError
from exlm_chem.smiles import steps
from exlm_chem.smiles.bounds import bounded, is_slow_block, is_slow_molecule
from exlm_chem.smiles.canonical import MAP_NOTE, MAX_CHARACTERS
from exlm_chem.smiles.cells import only_smiles, split_cell
from exlm_chem.smiles.errors import MoleculeError, first_line
from exlm_chem.smiles.notation import converted, other_notation, recognised, recognised_cell
from exlm_chem.smiles.selfies import from_selfies, to_selfies
from exlm_chem.terms import Standardise

__all__ = [
    "MAX_CHARACTERS",
    "Molecule",
    "MoleculeError",
    "canonical_smiles",
    "from_selfies",
    "randomised_smiles",
    "read_mol_block",
    "read_molecule",
    "scaffold",
    "to_selfies",
    "why_refused",
]

_RULES: Final = frozenset(get_args(Standardise))


@dataclass(frozen=True, slots=True)
class Molecule:
    """What one text means.

    Examples
    --------
    >>> read_molecule("OCC")
    Molecule(smiles='CCO', error=None, note=None, changed=False)
    """

    smiles: str
    """*The* text of the molecule that is used; empty if there is none."""
    error: str | None = None
    """Why there is no molecule."""
    note: str | None = None
    """What was left aside without harm."""
    changed: bool = False
    """Whether the standardisation rule made another molecule of it."""


def read_molecule(cell: Any, standardise: Standardise = "none", *, convert: bool = False) -> Molecule:
    """Read one cell as a molecule; a bad one gives a reason and never an exception.

    Parameters
    ----------
    cell : str, bytes, RDKit Mol or None
        A SMILES, possibly with blanks around it and a name or CXSMILES extension after it. A blank with more SMILES
        after it, or a line break, is an error. None and NaN are no SMILES, anything else is told by its type.
    standardise : {"none", "fragment", "parent"}
        The rule of the predictor: nothing, keep the largest fragment, or RDKit's fragment parent, uncharged.
    convert : bool
        Whether InChI, SELFIES and mol blocks are converted, with a note, instead of told.

    Returns
    -------
    Molecule
        With *the* text of the molecule or with an error.

    Examples
    --------
    >>> read_molecule("C1CC").error
    'not SMILES at position 1: ring closure 1 is never closed'
    >>> read_molecule("CC(=O)[O-].[Na+] sodium acetate", standardise="parent")
    Molecule(smiles='CC(=O)O', error=None, note="text after the SMILES was left aside: 'sodium acetate'", changed=True)
    >>> read_molecule("InChI=1S/CH4O/c1-2/h2H,1H3", convert=True)
    Molecule(smiles='CO', error=None, note='converted from InChI', changed=False)
    """
    if standardise not in _RULES:
        raise ExLMError(f"unknown standardisation rule '{standardise}'; use none, fragment or parent")
    if isinstance(cell, Chem.Mol):
        return _read_mol(cell, standardise)
    smiles, note, error = split_cell(cell)
    notation = recognised_cell(cell) if error is not None and isinstance(cell, str) else recognised(smiles)
    if notation is not None:
        if not convert:
            return Molecule("", error=other_notation(notation))
        try:
            smiles, note, error = converted(cell if error else smiles, notation), f"converted from {notation}", None
        except ExLMError as failure:
            return Molecule("", error=str(failure))
    if error is not None:
        return Molecule("", error=error)
    try:
        text, changed, mapped = bounded(steps.read, smiles, standardise)
    except MoleculeError as failure:
        return Molecule("", error=str(failure), note=note)
    if mapped:
        note = MAP_NOTE if note is None else f"{note}; {MAP_NOTE}"
    return Molecule(text, note=note, changed=changed)


def read_mol_block(block: str) -> tuple[str, str | None]:
    """Read the molecule block of an SDF: *the* text of the molecule, and why there is none.

    Where RDKit refuses a molecule that it can draw, its text is given together with the reason.

    Examples
    --------
    >>> read_mol_block(Chem.MolToMolBlock(Chem.MolFromSmiles("OCC")))
    ('CCO', None)
    """
    try:
        text, error = bounded(steps.read_block, block, suspicious=is_slow_block)
    except MoleculeError as failure:
        return "", str(failure)
    return text, error


def why_refused(smiles: str) -> str | None:
    """Say why a SMILES string is no molecule, or nothing if it is one.

    Examples
    --------
    >>> why_refused("CCO"), why_refused("C1CC")
    (None, 'not SMILES at position 1: ring closure 1 is never closed')
    """
    try:
        bounded(steps.check, smiles)
    except MoleculeError as error:
        return str(error)
    return None


def canonical_smiles(text: str) -> str:
    """Write a molecule the way the models see it: *the* text of the molecule.

    Raises
    ------
    MoleculeError
        If the text is no molecule.

    Examples
    --------
    >>> canonical_smiles("C1=CC=CC=C1O"), canonical_smiles("[CH3:1][OH:2]")
    ('Oc1ccccc1', 'CO')
    """
    return str(bounded(steps.read, only_smiles(text), "none")[0])


def randomised_smiles(text: str, seed: int) -> str:
    """Write the same molecule from another atom and in another order; the seed decides which.

    Raises
    ------
    MoleculeError
        If the text is no molecule, or one that RDKit needs too long for.

    Examples
    --------
    >>> canonical_smiles(randomised_smiles("Oc1ccccc1", seed=7))
    'Oc1ccccc1'
    """
    return str(bounded(steps.randomise, only_smiles(text), seed))


def scaffold(text: str) -> str:
    """Give the Bemis-Murcko scaffold as canonical SMILES; it is empty for a molecule without rings.

    Chirality is left out, as in DeepChem's ``ScaffoldSplitter``.

    Raises
    ------
    MoleculeError
        If the text is no molecule, or one that RDKit needs too long for.

    Examples
    --------
    >>> scaffold("CC(=O)Oc1ccccc1C(=O)O")
    'c1ccccc1'
    """
    return str(bounded(steps.scaffold_of, only_smiles(text)))


def fragments(text: str) -> list[int]:
    """Number the fragments between the bonds that BRICS would cut.

    Returns
    -------
    list of int
        The fragment of every atom, in the order of the text.

    Raises
    ------
    MoleculeError
        If the text is no molecule, or one that RDKit needs too long for.

    Examples
    --------
    >>> fragments("CC(=O)OCC")
    [0, 0, 0, 1, 2, 2]
    """
    return list(bounded(steps.fragments_of, only_smiles(text)))


def _read_mol(molecule: Any, standardise: Standardise) -> Molecule:
    try:
        if is_slow_molecule(molecule):
            packed = base64.b64encode(molecule.ToBinary()).decode("ascii")
            text, changed, mapped = bounded(steps.read_packed, packed, standardise, suspicious=lambda _: True)
        else:
            text, changed, mapped = steps.read_copy(Chem.Mol(molecule), standardise)
    except MoleculeError as error:
        return Molecule("", error=str(error))
    except (RuntimeError, ValueError, MemoryError) as error:  # a molecule that somebody made half
        return Molecule("", error=f"RDKit cannot use this molecule: {first_line(error)}")
    return Molecule(text, note=MAP_NOTE if mapped else None, changed=changed)

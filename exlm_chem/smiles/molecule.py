"""One molecule as text: what a cell of somebody's file means, or why it means nothing.

RDKit is the judge: a text is a molecule if ``Chem.MolFromSmiles`` accepts it, and models only ever see RDKit's
canonical isomeric SMILES, so that the answer does not depend on how a molecule was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from rdkit import Chem, rdBase

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.diagnosis import reason_for_refusal

Standardise = Literal["none", "fragment", "parent"]
"""What is done to a molecule first: nothing, keep the largest fragment, or RDKit's fragment parent, uncharged."""

MAX_CHARACTERS: Final = 10_000
"""Longer texts are refused unread: RDKit walks a molecule recursively and crashes on chains of 20,000 atoms."""


class MoleculeError(ExLMError, ValueError):
    """A text is no molecule, or a molecule has no such representation; the message says why."""


@dataclass(frozen=True, slots=True)
class Molecule:
    """What one text means.

    Examples
    --------
    >>> read_molecule("OCC")
    Molecule(smiles='CCO', error=None, note=None, changed=False)
    """

    smiles: str
    """Canonical isomeric SMILES of the molecule that is used; empty if there is none."""
    error: str | None = None
    """Why there is no molecule."""
    note: str | None = None
    """What was left aside without harm."""
    changed: bool = False
    """Whether the standardisation rule made another molecule of it."""


def read_molecule(text: str | None, standardise: Standardise = "none") -> Molecule:
    """Read one cell as a molecule; a bad text gives a reason and never an exception.

    Parameters
    ----------
    text : str or None
        A SMILES, possibly with blanks around it and a name or CXSMILES extension after it.
    standardise : {"none", "fragment", "parent"}
        The rule of the predictor: nothing, keep the largest fragment, or RDKit's fragment parent, uncharged.

    Returns
    -------
    Molecule
        With a canonical SMILES or with an error.

    Examples
    --------
    >>> read_molecule("C1CC").error
    'not SMILES at position 1: ring closure 1 is never closed'
    >>> read_molecule("CC(=O)[O-].[Na+] sodium acetate", standardise="parent")
    Molecule(smiles='CC(=O)O', error=None, note="text after the SMILES was left aside: 'sodium acetate'", changed=True)
    """
    _check_rule(standardise)
    if text is None or not text.strip():
        return Molecule("", error="no SMILES in this row")
    smiles, *rest = text.split(None, 1)
    note = f"text after the SMILES was left aside: {_shortened(rest[0].strip())!r}" if rest else None
    with rdBase.BlockLogs():
        try:
            molecule = _parse(smiles)
            canonical = _write(molecule)
        except MoleculeError as error:
            return Molecule("", error=str(error), note=note)
        if standardise == "none":
            return Molecule(canonical, note=note)
        try:
            used = _write(_standardised(molecule, standardise))
        except (MoleculeError, RuntimeError, ValueError) as error:
            return Molecule("", error=f"rule '{standardise}' failed on it: {_first_line(error)}", note=note)
    return Molecule(used, note=note, changed=used != canonical)


def why_refused(smiles: str) -> str | None:
    """Say why a SMILES string is no molecule, or nothing if it is one.

    Examples
    --------
    >>> why_refused("CCO"), why_refused("C1CC")
    (None, 'not SMILES at position 1: ring closure 1 is never closed')
    """
    with rdBase.BlockLogs():
        try:
            _parse(smiles)
        except MoleculeError as error:
            return str(error)
    return None


def canonical_smiles(text: str) -> str:
    """Write a molecule the way the models see it: RDKit's canonical isomeric SMILES.

    Raises
    ------
    MoleculeError
        If the text is no molecule.

    Examples
    --------
    >>> canonical_smiles("C1=CC=CC=C1O")
    'Oc1ccccc1'
    """
    with rdBase.BlockLogs():
        return _write(_parse(_only_smiles(text)))


def randomised_smiles(text: str, seed: int) -> str:
    """Write the same molecule from another atom and in another order; the seed decides which.

    Examples
    --------
    >>> canonical_smiles(randomised_smiles("Oc1ccccc1", seed=7))
    'Oc1ccccc1'
    """
    with rdBase.BlockLogs():
        molecule = _parse(_only_smiles(text))
        # RDKit takes 0 for "no seed", so every seed is moved into 1 .. 2**31 - 1
        return str(Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=1 + seed % (2**31 - 1))[0])


def scaffold(text: str) -> str:
    """Give the Bemis-Murcko scaffold as canonical SMILES; it is empty for a molecule without rings.

    Chirality is left out, as in DeepChem's ``ScaffoldSplitter``.

    Examples
    --------
    >>> scaffold("CC(=O)Oc1ccccc1C(=O)O")
    'c1ccccc1'
    """
    from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

    with rdBase.BlockLogs():
        smiles: str = MurckoScaffoldSmiles(  # type: ignore[no-untyped-call]
            mol=_parse(_only_smiles(text)), includeChirality=False
        )
        return smiles


def to_selfies(text: str) -> str:
    """Write a molecule as SELFIES, in the atom order of the text.

    Raises
    ------
    MoleculeError
        If the text is no molecule, or one that SELFIES has no words for (``*``, quadruple bonds).

    Examples
    --------
    >>> to_selfies("CCO")
    '[C][C][O]'
    """
    import selfies

    smiles = _only_smiles(text)
    with rdBase.BlockLogs():
        _parse(smiles)
    try:
        return str(selfies.encoder(smiles))
    except selfies.EncoderError as error:
        raise MoleculeError(f"SELFIES cannot express {_shortened(smiles)!r}: {_first_line(error)}") from error


def from_selfies(text: str) -> str:
    """Give the canonical SMILES of a SELFIES string.

    Examples
    --------
    >>> from_selfies("[O][C][C]")
    'CCO'
    """
    import selfies

    try:
        smiles = str(selfies.decoder(text.strip()))
    except selfies.DecoderError as error:
        raise MoleculeError(f"{_shortened(text)!r} is not SELFIES: {_first_line(error)}") from error
    return canonical_smiles(smiles)


def _check_rule(standardise: str) -> None:
    if standardise not in get_args(Standardise):
        raise ExLMError(f"unknown standardisation rule '{standardise}'; use none, fragment or parent")


def _only_smiles(text: str) -> str:
    smiles = text.split(None, 1)
    if not smiles:
        raise MoleculeError("no SMILES: the text is empty")
    return smiles[0]


def _parse(smiles: str) -> Any:
    if len(smiles) > MAX_CHARACTERS:
        raise MoleculeError(f"too long: {len(smiles):,} characters, and {MAX_CHARACTERS:,} are read at most")
    try:
        molecule = Chem.MolFromSmiles(smiles)
    except (RuntimeError, ValueError, TypeError):  # RDKit's own checks, and text that is not valid Unicode
        molecule = None
    if molecule is None:
        raise MoleculeError(reason_for_refusal(smiles))
    if molecule.GetNumAtoms() == 0:
        raise MoleculeError("the molecule has no atoms")
    return molecule


def _write(molecule: Any) -> str:
    if molecule.GetNumAtoms() == 0:
        raise MoleculeError("nothing is left of the molecule")
    try:
        return str(Chem.MolToSmiles(molecule))
    except (RuntimeError, ValueError) as error:
        raise MoleculeError(f"RDKit cannot write it as SMILES: {_first_line(error)}") from error


def _standardised(molecule: Any, standardise: Standardise) -> Any:
    # This module of RDKit takes 0.1 s to load, and the default rule does not need it.
    from rdkit.Chem.MolStandardize import rdMolStandardize

    if standardise == "fragment":
        return rdMolStandardize.LargestFragmentChooser().choose(molecule)
    return rdMolStandardize.Uncharger().uncharge(rdMolStandardize.FragmentParent(molecule))


def _shortened(text: str, width: int = 60) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

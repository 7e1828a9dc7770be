"""What is said of a molecule that lacks some of what a head reads: a note, or the reason why there is no answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from exlm_chem.smiles.molecule import Molecule

TOO_SLOW: Final = "RDKit needs too long for the features of this molecule"


def lacking(lost: Sequence[str], blocks: int) -> tuple[str | None, str | None]:
    """Give note and error of a molecule without any numbers of some of its blocks; heads can do without one of several.

    Examples
    --------
    >>> lacking(["descriptors"], 3)
    ('predicted with typical descriptors: RDKit needs too long for its own', None)
    >>> lacking(["descriptors"], 1), lacking([], 1)
    ((None, 'RDKit needs too long for the features of this molecule'), (None, None))
    """
    if len(lost) == 1 < blocks:
        return f"predicted with typical {lost[0]}: RDKit needs too long for its own", None
    return None, TOO_SLOW if lost else None


def told(molecule: Molecule, note: str | None, error: str | None) -> Molecule:
    """Say it of a molecule that has no error yet."""
    if molecule.error or not (note or error):
        return molecule
    return replace(molecule, error=error, note="; ".join(filter(None, (molecule.note, note))) or None)

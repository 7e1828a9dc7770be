"""*The* text of a molecule: one and the same, whichever text, RDKit molecule or molecule block it came from.

RDKit's canonical SMILES is not that by itself. Atom map numbers stay in it; what it writes may be written otherwise
once it is read again; and some molecules of high symmetry have several texts of which each stays as it is (lindane has
two). So a text is read and written until it repeats, and molecules of high symmetry are written from several atoms.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from rdkit import Chem

from exlm_chem.smiles.diagnosis import reason_for_refusal
from exlm_chem.smiles.errors import MoleculeError, first_line

MAX_CHARACTERS: Final = 10_000
"""Longer texts are refused unread: RDKit walks a molecule recursively and crashes on chains of 20,000 atoms."""

MAP_NOTE: Final = "atom map numbers were cleared"

_ROUNDS: Final = 20  # after which a text that neither stays nor repeats is given up; two is the most ever seen
_WRITINGS: Final = 16  # of a molecule of high symmetry


def parse(smiles: str) -> Any:
    """Read a SMILES without blanks as an RDKit molecule.

    Raises
    ------
    MoleculeError
        With the reason and its position.
    """
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


def write(molecule: Any) -> str:
    """Write a molecule as RDKit's canonical isomeric SMILES, which need not be *the* text.

    Raises
    ------
    MoleculeError
        If there is none.
    """
    if molecule.GetNumAtoms() == 0:
        raise MoleculeError("nothing is left of the molecule")
    try:
        return str(Chem.MolToSmiles(molecule))
    except (RuntimeError, ValueError) as error:
        raise MoleculeError(f"RDKit cannot write it as SMILES: {first_line(error)}") from error


def the_text(molecule: Any, written: str = "") -> str:
    """Give the one text of a molecule.

    Parameters
    ----------
    molecule : RDKit Mol
        Without atom map numbers; see `clear_maps`.
    written : str
        The SMILES that it was read from, if it was: what stays as it is need not be read again.

    Raises
    ------
    MoleculeError
        If RDKit cannot write it, or not read again what it wrote.

    Examples
    --------
    >>> a, b = "O=C(CCC(=O)N1C(=O)CCC1=O)N1C(=O)CCC1=O", "O=C1CCC(=O)N1C(=O)CCC(=O)N1C(=O)CCC1=O"
    >>> the_text(parse(a), a) == the_text(parse(b), b)
    True
    """
    text = write(molecule)
    if _many_texts(molecule, text):
        others = Chem.MolToRandomSmilesVect(molecule, _WRITINGS, randomSeed=1)
        return min({_settled(one) for one in (text, *others)})
    return text if text == written or _stays(molecule, text) else _settled(text)


def clear_maps(molecule: Any) -> bool:
    """Take the atom map numbers off a molecule, in place, and say whether there were any.

    Examples
    --------
    >>> molecule = parse("[CH3:1][OH:2]")
    >>> clear_maps(molecule), write(molecule)
    (True, 'CO')
    """
    mapped = [atom for atom in molecule.GetAtoms() if atom.GetAtomMapNum()]
    for atom in mapped:
        atom.SetAtomMapNum(0)
    return bool(mapped)


def _settled(text: str) -> str:
    """Read and write a text until it repeats; of a cycle, give the smallest."""
    seen = [text]
    for _ in range(_ROUNDS):
        try:
            text = write(parse(seen[-1]))
        except MoleculeError as error:
            raise MoleculeError(f"RDKit cannot read again what it writes for it: {error}") from None
        if text in seen:
            return min(seen[seen.index(text) :])
        seen.append(text)
    return min(seen)


def _stays(molecule: Any, text: str) -> bool:
    """Tell cheaply that a text would be written the same once more: true of all but a few in a hundred.

    What does not stay are explicit hydrogens, arrows, and molecules in which RDKit ranks atoms as equal that are not.
    """
    if "[H]" in text or ">" in text or "<" in text or ":" in text:
        return False
    rings = sum(map(text.count, "0123456789")) // 2
    stereo = text.count("@")
    if rings < 2 and stereo < 4:
        return True
    if 4 * rings >= molecule.GetNumAtoms() or rings > 12:  # cages, and rings in which aromaticity depends on the order
        return False
    return _largest_class(molecule, at_least=2 if stereo >= 4 else 3) == 0


def _many_texts(molecule: Any, text: str) -> bool:
    """Tell whether RDKit may have several texts for a molecule, each of which stays as it is."""
    stereo = text.count("@")
    rings = sum(map(text.count, "0123456789")) // 2
    if not rings or (stereo < 4 and rings < 3):
        return False
    is_cage = 4 * rings >= molecule.GetNumAtoms()
    return _largest_class(molecule, at_least=6 if stereo < 4 else 2 if is_cage else 3) > 0


def _largest_class(molecule: Any, at_least: int) -> int:
    """Count the atoms that RDKit ranks as equal, ends of chains left out; 0 if they are fewer than `at_least`."""
    ranks = list(Chem.CanonicalRankAtoms(molecule, breakTies=False, includeChirality=False))
    if len(ranks) - len(set(ranks)) < at_least - 1:
        return 0
    classes = Counter(rank for atom, rank in zip(molecule.GetAtoms(), ranks, strict=True) if atom.GetDegree() > 1)
    largest = max(classes.values(), default=0)
    return largest if largest >= at_least else 0

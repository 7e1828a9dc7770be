"""*The* text of a molecule: one and the same, whichever text, RDKit molecule or molecule block it came from.

RDKit's canonical SMILES is not that by itself. Atom map numbers stay in it; what it writes may be written otherwise
once it is read again; and some molecules of high symmetry have several texts of which each stays as it is (lindane has
two). So a text is read and written until it repeats, and molecules of high symmetry are written from several atoms.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from rdkit import Chem

from exlm_chem.smiles.diagnosis import reason_for_refusal
from exlm_chem.smiles.errors import MoleculeError, first_line

MAX_CHARACTERS: Final = 10_000
"""Longer texts are refused unread: RDKit walks a molecule recursively and crashes on chains of 20,000 atoms."""

MAP_NOTE: Final = "atom map numbers were cleared"

_ROUNDS: Final = 20  # after which a text that neither stays nor repeats is given up; two is the most ever seen
_WRITINGS: Final = 16  # of a molecule of high symmetry
_MOST_RINGS: Final = 13  # of such a molecule: it costs sixteen times as much to read


def parse(smiles: str) -> Any:
    """Read a SMILES without blanks as an RDKit molecule.

    Raises
    ------
    MoleculeError
        With the reason and its position.
    """
    if len(smiles) > MAX_CHARACTERS:
        raise MoleculeError(f"too long: {len(smiles):,} characters, and {MAX_CHARACTERS:,} are read at most")
    try:  # RDKit drops what is no ASCII at either end, such as a Cyrillic letter that looks like an atom
        molecule = Chem.MolFromSmiles(smiles) if smiles.isascii() else None
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
    doubt = _doubt(molecule, text)
    if doubt == "others":
        following: dict[str, str] = {}
        others = Chem.MolToRandomSmilesVect(molecule, _WRITINGS, randomSeed=1)
        return min(_settled(one, following) for one in (text, *others))
    return text if text == written or doubt is None else _settled(text)


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


def _settled(text: str, following: dict[str, str] | None = None) -> str:
    """Read and write a text until it repeats; of a cycle, give the smallest.

    What is written for a text is noted in `following`, for the next call.
    """
    following = {} if following is None else following
    seen = [text]
    for _ in range(_ROUNDS):
        if text not in following:
            try:
                following[text] = write(parse(text))
            except MoleculeError as error:
                raise MoleculeError(f"RDKit cannot read again what it writes for it: {error}") from None
        text = following[text]
        if text in seen:
            return min(seen[seen.index(text) :])
        seen.append(text)
    return min(seen)


def _doubt(molecule: Any, text: str) -> Literal["again", "others"] | None:
    """Tell whether a text might be written otherwise once it is read "again", or if "others" of its atoms came first.

    Explicit hydrogens and arrows do not always stay. The rest is a matter of atoms that RDKit ranks as equal and that
    are not, or are only until their stereo is looked at: three of them at least, or two in cages. A few in a hundred
    molecules are in doubt, and none in ten thousand has a second text.
    """
    rings = sum(map(text.count, "0123456789")) // 2
    stereo = text.count("@")
    again: Literal["again"] | None = None
    if rings > _MOST_RINGS or "[H]" in text or ">" in text or "<" in text:
        again = "again"
    if not 0 < rings <= _MOST_RINGS or (rings < 2 and stereo < 4):
        return again
    ranks = list(Chem.CanonicalRankAtoms(molecule, breakTies=False, includeChirality=False))
    is_cage = 4 * rings >= len(ranks)
    equal = _equal_atoms(molecule, ranks)
    largest = max(map(len, equal), default=1)
    if stereo >= 4 and any(len(atoms) >= 3 - is_cage and _are_centres(molecule, atoms) for atoms in equal):
        return "others"
    if largest >= 3 and _differ_in_rings(molecule, equal):
        return "others"
    return "again" if is_cage or largest >= (2 if stereo >= 4 else 3) else again


def _equal_atoms(molecule: Any, ranks: list[int]) -> list[list[int]]:
    """Give the sets of atoms of equal rank, without the ends of chains."""
    if len(set(ranks)) == len(ranks):
        return []
    classes: dict[int, list[int]] = {}
    for atom, rank in enumerate(ranks):
        classes.setdefault(rank, []).append(atom)
    alike = [atoms for atoms in classes.values() if len(atoms) > 1]
    return [atoms for atoms in alike if molecule.GetAtomWithIdx(atoms[0]).GetDegree() > 1]


def _are_centres(molecule: Any, atoms: list[int]) -> bool:
    return any(molecule.GetAtomWithIdx(atom).GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in atoms)


def _differ_in_rings(molecule: Any, equal: list[list[int]]) -> bool:
    """Tell whether atoms of equal rank are in different rings, and so not equal at all."""
    rings = molecule.GetRingInfo()
    return any(
        len({(rings.NumAtomRings(atom), rings.MinAtomRingSize(atom)) for atom in atoms}) > 1
        for atoms in equal
        if len(atoms) >= 3
    )

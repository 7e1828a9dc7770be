"""Bounded time and memory for every molecule, at no cost for ordinary ones.

RDKit finds *all* smallest rings of a molecule. A ring of n rings, each with two ways around it of the same length
(cyclophanes, cyclodextrins, cycloparaphenylenes), has 2 to the power of n of them, and neither time nor memory is
enough from twenty on. Very long molecules cost the third power of their length in some descriptors, and longer ones
crash RDKit, which walks molecules recursively.

A glance at the text tells nearly all molecules from those: too few ring closures. The next look counts, in the graph
alone, the rings of the largest ring system. What is suspicious after that goes to a process that can be ended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from rdkit import Chem, rdBase

from exlm_chem.smiles.canonical import MAX_CHARACTERS
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.worker import OUT_OF_MEMORY, call

LONG: Final = 500
"""Characters, and atoms, from which a molecule is read in a process of its own: it costs that process nothing."""

RINGS: Final = 8
"""Independent rings in one ring system from which it may have thousands of smallest rings."""

_BOND_3000: Final = re.compile(r"^M  V30 +\d+ +\d+ +(\d+) +(\d+)(?: +[A-Z]+=.*)?$", re.MULTILINE)
_ATOMS_3000: Final = re.compile(r"^M  V30 COUNTS +(\d+)", re.MULTILINE)


def bounded(
    function: Callable[..., Any], text: str, *options: Any, suspicious: Callable[[str], bool] | None = None
) -> Any:
    """Call a function of a molecule's text, in another process if the molecule may take too long.

    Parameters
    ----------
    function : callable
        Of a module of this package, by whose name the other process finds it. Text, options and results are what JSON
        can hold; it raises `MoleculeError` and nothing else.
    text : str
        The molecule.
    *options
        Further arguments.
    suspicious : callable, optional
        Looks at the text; `is_slow` by default.

    Raises
    ------
    MoleculeError
        The function's own, or that RDKit needs too much time or memory for this molecule.

    Examples
    --------
    >>> from exlm_chem.smiles.steps import randomise
    >>> bounded(randomise, "CCO", 1)
    'OCC'
    """
    if (suspicious or is_slow)(text):
        return call(function, text, *options)
    try:
        return function(text, *options)
    except MemoryError:
        raise MoleculeError(OUT_OF_MEMORY) from None


def is_slow(smiles: str) -> bool:
    """Tell whether RDKit might take long for a SMILES.

    Examples
    --------
    >>> is_slow("c1ccc2ccccc2c1"), is_slow("C%11" + "c2ccc(cc2)C" * 12 + "%11")
    (False, True)
    """
    length = len(smiles)
    if length > LONG:
        return length <= MAX_CHARACTERS  # even longer ones are refused unread
    # a ring needs two closures, each of one digit at least; digits of isotopes and charges count too, which is no harm
    if length < 4 * RINGS or sum(map(smiles.count, "0123456789")) < 2 * RINGS:
        return False
    with rdBase.BlockLogs():
        try:
            molecule: Any = Chem.MolFromSmiles(smiles, sanitize=False)  # None, whatever RDKit's type hints say
        except (RuntimeError, ValueError, TypeError):
            return False  # refused
    return molecule is not None and _rings_of_largest_system(molecule) >= RINGS


def is_slow_block(block: str) -> bool:
    """Tell the same for a molecule block, which RDKit cannot even read without looking for rings.

    Examples
    --------
    >>> is_slow_block(Chem.MolToMolBlock(Chem.MolFromSmiles("c1ccc2ccccc2c1")))
    False
    """
    try:
        atoms, bonds = _graph_of_block(block)
    except (ValueError, IndexError):  # RDKit will say what is wrong with it
        return True
    if atoms > LONG or len(bonds) < RINGS:
        return atoms > LONG
    molecule = Chem.RWMol()
    for _ in range(atoms):
        molecule.AddAtom(Chem.Atom(0))
    for begin, end in {(min(pair), max(pair)) for pair in bonds}:
        if 0 <= begin < end < atoms:
            molecule.AddBond(begin, end, Chem.BondType.SINGLE)
    return is_slow_molecule(molecule)


def _graph_of_block(block: str) -> tuple[int, list[tuple[int, int]]]:
    """Give the number of atoms, and the bonds as pairs of them."""
    lines = block.splitlines()
    if "V3000" in lines[3]:
        found = _ATOMS_3000.search(block)
        return int(found[1]) if found else LONG + 1, [(int(a) - 1, int(b) - 1) for a, b in _BOND_3000.findall(block)]
    atoms, bonds = int(lines[3][:3]), int(lines[3][3:6])
    return atoms, [(int(line[:3]) - 1, int(line[3:6]) - 1) for line in lines[4 + atoms : 4 + atoms + bonds]]


def is_slow_molecule(molecule: Any) -> bool:
    """Tell the same for an RDKit molecule, sanitised or not."""
    atoms, bonds = molecule.GetNumAtoms(), molecule.GetNumBonds()
    if atoms > LONG:
        return True
    if bonds < RINGS or bonds - atoms + len(Chem.GetMolFrags(molecule)) < RINGS:
        return False
    return _rings_of_largest_system(Chem.Mol(molecule)) >= RINGS


def _rings_of_largest_system(molecule: Any) -> int:
    """Count the independent rings of the largest set of rings that share atoms; changes the molecule's ring info."""
    Chem.FastFindRings(molecule)
    rings = molecule.GetRingInfo()
    root = list(range(molecule.GetNumAtoms()))

    def find(atom: int) -> int:
        while root[atom] != atom:
            root[atom] = atom = root[root[atom]]
        return atom

    joining = [bond for bond in molecule.GetBonds() if rings.NumBondRings(bond.GetIdx())]
    inside = {atom for bond in joining for atom in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())}
    for bond in joining:
        root[find(bond.GetBeginAtomIdx())] = find(bond.GetEndAtomIdx())
    bonds = Counter(find(bond.GetBeginAtomIdx()) for bond in joining)
    atoms = Counter(map(find, inside))
    return max((bonds[system] - atoms[system] + 1 for system in bonds), default=0)

"""What the molecules of somebody's table are, in memory that does not grow with the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
from rdkit import Chem

from exlm_chem.data_sets.sampling import Sample
from exlm_chem.finetuning.metrics.bounds import BoundedLabels
from exlm_chem.finetuning.numerals import read_numerals
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.molecule import read_molecule, scaffold

_USUAL: Final = frozenset("H Li B C N O F Na Mg Si P S Cl K Ca Br I".split())
"""Elements of drugs and their salts, which nearly every encoder has seen often."""

_MOST_MOLECULES: Final = 100_000
_MOST_SCAFFOLDS: Final = 10_000  # molecules whose scaffold is looked for: it costs a third of a millisecond
_MOST_ROWS: Final = 50  # of one molecule whose cells are compared
_LONGEST_CELL: Final = 60  # characters that are compared

Compared = tuple[int, str, Collection[str]]
"""A column of labels: which of the cells, its name, and what is written there for a label that is not known."""


@dataclass
class Reason:
    """Why rows have no molecule.

    Attributes
    ----------
    rows : int
    line : int
        The first of them.
    example : str
        What is said of it.
    """

    rows: int
    line: int
    example: str


@dataclass(frozen=True)
class Sizes:
    """Heavy atoms of the molecules."""

    smallest: int
    median: float
    largest: int
    largest_line: int


@dataclass(frozen=True)
class Scaffolds:
    """Bemis-Murcko scaffolds of the different molecules.

    Attributes
    ----------
    molecules : int
        That were looked at.
    different, single : int
        Scaffolds, and those of one molecule.
    largest_share : float
        Of the molecules that have the most frequent scaffold.
    largest : str
        That scaffold; empty for molecules without rings.
    without_rings : float
        The share of molecules without rings.
    """

    molecules: int
    different: int
    single: int
    largest_share: float
    largest: str
    without_rings: float


@dataclass(frozen=True)
class MoleculeProfile:
    """What the molecules of a table are.

    Attributes
    ----------
    readable : int
        Rows with a molecule.
    unreadable : dict of Reason
        Why the others have none, by the kind of reason.
    notes : dict
        What was noted about rows that were read, with their number.
    different : int
        Molecules; an estimate if not all were kept.
    sampled : int
        One molecule of so many was kept: 1 for all.
    repeated, repeats : int
        Molecules that stand in several rows, and the rows beyond their first.
    contradictions : dict
        For each column, the repeated molecules whose cells differ.
    several_parts : int
        Rows with salts, solvates or mixtures.
    charged : int
        Rows whose molecule has a charge.
    isotopes, stereo : int
        Rows that name an isotope, or a stereo centre or double bond.
    elements : dict
        Rows in which each element is.
    unusual_elements : list of str
    sizes : Sizes or None
    scaffolds : Scaffolds or None
    """

    readable: int
    unreadable: dict[str, Reason]
    notes: dict[str, int]
    different: int
    sampled: int
    repeated: int
    repeats: int
    contradictions: dict[str, int]
    several_parts: int
    charged: int
    isotopes: int
    stereo: int
    elements: dict[str, int]
    unusual_elements: list[str]
    sizes: Sizes | None
    scaffolds: Scaffolds | None


@dataclass
class _Seen:
    """A molecule that was seen: in how many rows, and with which cells."""

    rows: int = 0
    cells: list[str] = field(default_factory=list)


class MoleculeCollector:
    """Takes the molecules of a table one after the other.

    Examples
    --------
    >>> molecules = MoleculeCollector()
    >>> for line, smiles in enumerate(["CCO", "OCC", "C1CC", "CC(=O)[O-].[Na+]"], 2):
    ...     _ = molecules.add(smiles, line, [])
    >>> profile = molecules.profile([])
    >>> profile.readable, profile.different, profile.several_parts, profile.elements["O"]
    (3, 2, 1, 3)
    """

    def __init__(self) -> None:
        self._readable = 0
        self._unreadable: dict[str, Reason] = {}
        self._notes, self._facts = Counter[str](), Counter[str]()
        self._elements, self._sizes = Counter[str](), Counter[int]()
        self._largest_line = 0
        self._seen = Sample[_Seen](_MOST_MOLECULES, _Seen)

    def add(self, cell: str | None, line: int, cells: Sequence[str], error: str | None = None) -> bool:
        """Take a row: SMILES, line, cells that may contradict those of other rows, and what is wrong with the row.

        Returns
        -------
        bool
            Whether it has a molecule.
        """
        molecule = read_molecule(cell) if error is None else None
        reason = error if molecule is None else molecule.error
        if molecule is None or reason is not None:
            told = str(reason)
            kind = told.partition(":")[0].partition(" at position")[0]
            self._unreadable.setdefault(kind, Reason(0, line, told)).rows += 1
            return False
        self._readable += 1
        if molecule.note is not None:
            self._notes[molecule.note.partition(":")[0]] += 1
        self._look_at(molecule.smiles, line)
        seen = self._seen.get(molecule.smiles)
        if seen is not None:
            seen.rows += 1
            if len(seen.cells) < _MOST_ROWS:
                seen.cells.append("\0".join(cell[:_LONGEST_CELL] for cell in cells))
        return True

    def profile(self, labels: Sequence[Compared]) -> MoleculeProfile:
        """Say what the molecules are.

        Parameters
        ----------
        labels : sequence of Compared
            Which of the cells are labels.
        """
        several = [seen for seen in self._seen.kept.values() if seen.rows > 1]
        every = self._seen.every
        return MoleculeProfile(
            readable=self._readable,
            unreadable=dict(sorted(self._unreadable.items(), key=lambda item: -item[1].rows)),
            notes=dict(self._notes.most_common()),
            different=self._seen.total,
            sampled=every,
            repeated=len(several) * every,
            repeats=(sum(seen.rows for seen in several) - len(several)) * every,
            contradictions=_contradictions(several, labels, every),
            several_parts=self._facts["."],
            charged=self._facts["charge"],
            isotopes=self._facts["isotope"],
            stereo=self._facts["stereo"],
            elements=dict(self._elements.most_common()),
            unusual_elements=sorted(set(self._elements) - _USUAL),
            sizes=self._size_facts(),
            scaffolds=_scaffolds(self._seen.kept),
        )

    def _look_at(self, smiles: str, line: int) -> None:
        """Count what stands in the text of a molecule, which is RDKit's."""
        atoms = list(
            Chem.MolFromSmiles(smiles, sanitize=False).GetAtoms()
        )  # the text is right, and only its atoms count
        symbols = [atom.GetSymbol() for atom in atoms]
        heavy = len(symbols) - symbols.count("H")
        self._facts["charge"] += sum(atom.GetFormalCharge() for atom in atoms) != 0
        self._facts["isotope"] += any(atom.GetIsotope() for atom in atoms)
        self._facts["."] += "." in smiles
        self._facts["stereo"] += any(sign in smiles for sign in "@/\\")
        self._elements.update(set(symbols))
        if heavy > max(self._sizes, default=-1):
            self._largest_line = line
        self._sizes[heavy] += 1

    def _size_facts(self) -> Sizes | None:
        if not self._sizes:
            return None
        sizes = sorted(self._sizes.elements())
        return Sizes(sizes[0], median(sizes), sizes[-1], self._largest_line)


def _contradictions(several: Sequence[_Seen], labels: Sequence[Compared], every: int) -> dict[str, int]:
    """Count the molecules whose known labels differ, for each column of labels."""
    counts = dict.fromkeys((name for _, name, _ in labels), 0)
    for seen in several:
        rows = [one.split("\0") for one in dict.fromkeys(seen.cells)]
        for place, name, missing in labels:
            counts[name] += every * _contradict({row[place] for row in rows} - {"", *missing})
    return {name: count for name, count in counts.items() if count}


def _contradict(texts: set[str]) -> bool:
    """Say whether cells cannot all be true of one molecule; 1 and 1.0 are the same, >5 and 7 go together."""
    read = read_numerals(texts).read
    if len(read) < len(texts):
        return len({text.casefold() for text in texts}) > 1
    values, bounds = [one.value for one in read.values()], [one.bound for one in read.values()]
    return BoundedLabels(np.array(values, float), np.array(bounds, np.int8)).contradict


def _scaffolds(molecules: Any) -> Scaffolds | None:
    counts, looked_at = Counter[str](), 0
    step = max(1, -(-len(molecules) // _MOST_SCAFFOLDS))
    for smiles in list(molecules)[::step]:
        try:
            counts[scaffold(smiles)] += 1
        except MoleculeError:  # one that RDKit needs too long for
            continue
        looked_at += 1
    if not counts:
        return None
    largest, count = counts.most_common(1)[0]
    single = sum(1 for one in counts.values() if one == 1)
    return Scaffolds(looked_at, len(counts), single, count / looked_at, largest, counts[""] / looked_at)

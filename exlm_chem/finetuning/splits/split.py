"""What a split is, and what a rule of splitting may look at."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError

FRACTIONS: Final = (0.8, 0.1)
"""Shares of training and validation; the rest is for the test."""

PARTS: Final = ("train", "valid", "test")

PART_NAMES: Final = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Splittable:
    """Measured molecules, as far as a split looks at them.

    Attributes
    ----------
    smiles : sequence of str
        Canonical SMILES.
    labels : float array of shape (molecules, targets), optional
        For a rule that looks at them.
    cells : sequence of str
        For a rule that names a column: its cell for every molecule.
    bounds : int array of the shape of the labels, optional
        Which of them are limits; see `BoundedLabels`.
    beside : sequence, optional
        What is read besides the molecule, such as a pH: labels contradict each other only where it is the same.
    rows : sequence of int, optional
        Row of the table that each molecule comes from, from 0; all rows in order by default.
    lines : sequence of int, optional
        Line of the file that each molecule comes from, for messages; its row, from 1, by default.
    table_rows : int, optional
        How many rows the table has, those that are no molecule too.
    name, sha256 : str
        Of the table, for messages and to see whether a file of indices belongs to it.
    """

    smiles: Sequence[str]
    labels: NDArray[np.float64] | None = None
    cells: Sequence[str] = ()
    bounds: NDArray[np.int8] | None = None
    beside: Sequence[Hashable] | None = None
    rows: Sequence[int] | None = None
    lines: Sequence[int] | None = None
    table_rows: int | None = None
    name: str = "the table"
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.smiles)

    def row(self, index: int) -> int:
        """Row of the table, from 0, that a molecule comes from."""
        return index if self.rows is None else self.rows[index]

    def line(self, index: int) -> int:
        """Line of the file, from 1, that a molecule comes from."""
        return self.row(index) + 1 if self.lines is None else self.lines[index]


@dataclass(frozen=True)
class Split:
    """Indices of the molecules in each part, in the order in which the rule met them.

    Attributes
    ----------
    name : str
        The rule: "scaffold", "random", "column NAME", ...
    description : str
        The rule in one sentence; "scaffold split" alone has ten meanings.
    train, valid, test : list of int
        The molecules.
    groups : list of str
        For every molecule, a text that it shares with those that must not stand on both sides of a cut.
    unplaced : list of int
        Molecules of which the rule does not say where they belong: they are in no part.
    """

    name: str
    description: str
    train: list[int]
    valid: list[int]
    test: list[int]
    groups: list[str]
    unplaced: list[int] = field(default_factory=list)

    def parts(self) -> dict[str, list[int]]:
        """Give the three parts by their names."""
        return {"train": self.train, "valid": self.valid, "test": self.test}


def limits(count: int) -> tuple[float, float]:
    """Give how many molecules training, and training with validation, may have."""
    return FRACTIONS[0] * count, (FRACTIONS[0] + FRACTIONS[1]) * count


def pack(groups: Sequence[Sequence[int]], count: int) -> tuple[list[int], list[int], list[int]]:
    """Fill three parts with whole groups in their order, as DeepChem does.

    What does not fit into the training part any more goes to validation, and what does not fit there to the test.

    Examples
    --------
    >>> pack([[0, 1, 2], [3, 4], [5]], 6)
    ([0, 1, 2, 5], [3, 4], [])
    """
    train_limit, valid_limit = limits(count)
    train: list[int] = []
    valid: list[int] = []
    test: list[int] = []
    for group in groups:
        if len(train) + len(group) <= train_limit:
            train += group
        elif len(train) + len(valid) + len(group) <= valid_limit:
            valid += group
        else:
            test += group
    return train, valid, test


def given_split(smiles: Sequence[str], parts: Sequence[str | None], name: str, description: str) -> Split:
    """Make a split of which the part of every molecule is known: from a column, or from three files.

    Parameters
    ----------
    smiles : sequence of str
        The molecules.
    parts : sequence of {"train", "valid", "test"} or None
        Where each of them is; None for a molecule in no part.
    name, description : str
        See `Split`.

    Examples
    --------
    >>> split = given_split(["C", "CC", "CCC"], ["train", "test", None], "files", "one file for each part")
    >>> split.parts(), split.unplaced
    ({'train': [0], 'valid': [], 'test': [1]}, [2])
    """
    members = {one: [index for index, part in enumerate(parts) if part == one] for one in PARTS}
    unplaced = [index for index, part in enumerate(parts) if part is None]
    return Split(name, description, **members, groups=list(smiles), unplaced=unplaced)


def need_groups(kinds: int, wanted: int, what: str) -> None:
    """Refuse what cannot be cut into so many parts without tearing a group."""
    if kinds < wanted:
        raise ExLMError(f"{what}: {kinds} different, too few for {wanted} parts; use --split random")

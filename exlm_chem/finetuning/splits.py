"""Which molecules are learnt from, which decide, and which judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from exlm_chem.finetuning.cell_counts import CellCounts
from exlm_chem.finetuning.spellings import is_unknown, tidy
from exlm_chem.smiles.molecule import MoleculeError, scaffold

FRACTIONS = (0.8, 0.1)
"""Shares of training and validation; the rest is for the test."""

Part = Literal["train", "valid", "test"]

PART_NAMES: Final[dict[str, Part]] = {
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
class Split:
    """Indices of the molecules in each part, in the order in which the rule met them.

    Attributes
    ----------
    name : str
        "scaffold", "random", or "column NAME".
    description : str
        The rule in one sentence; "scaffold split" alone has ten meanings.
    train, valid, test : list of int
        The molecules.
    groups : list of str
        For every molecule, a text that it shares with those that must not stand on both sides of a cut.
    """

    name: str
    description: str
    train: list[int]
    valid: list[int]
    test: list[int]
    groups: list[str]

    def parts(self) -> dict[str, list[int]]:
        """Give the three parts by their names."""
        return {"train": self.train, "valid": self.valid, "test": self.test}


def scaffold_split(smiles: Sequence[str]) -> Split:
    """Split as DeepChem's ``ScaffoldSplitter`` does with its default arguments.

    The largest groups of molecules with one scaffold come first; what does not fit into the training part any more
    goes to validation, and what does not fit there to the test.

    Parameters
    ----------
    smiles : sequence of str
        SMILES of molecules, all of them readable.

    Examples
    --------
    >>> split = scaffold_split(["CC1CC1", "C1CC1", "CC", "c1ccccc1"])
    >>> split.train, split.valid, split.test
    ([0, 1, 3], [], [2])
    """
    scaffolds = [_scaffold_or_itself(one) for one in smiles]
    members: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(scaffolds):
        members[one].append(index)
    train_limit, valid_limit = FRACTIONS[0] * len(smiles), (FRACTIONS[0] + FRACTIONS[1]) * len(smiles)
    train: list[int] = []
    valid: list[int] = []
    test: list[int] = []
    for group in sorted(members.values(), key=lambda group: (len(group), group[0]), reverse=True):
        if len(train) + len(group) <= train_limit:
            train += group
        elif len(train) + len(valid) + len(group) <= valid_limit:
            valid += group
        else:
            test += group
    description = (
        "DeepChem's ScaffoldSplitter, 80/10/10: Bemis-Murcko scaffolds without chirality, "
        "largest groups first, on RDKit-canonical SMILES"
    )
    # Molecules without rings have no scaffold in common: each is a group of its own when the training part is cut.
    groups = [one or molecule for one, molecule in zip(scaffolds, smiles, strict=True)]
    return Split("scaffold", description, train, valid, test, groups)


def _scaffold_or_itself(smiles: str) -> str:
    try:
        return scaffold(smiles)
    except MoleculeError:  # RDKit needs too long for it, which happens to polymers and large rings
        return smiles


def random_split(smiles: Sequence[str], seed: int = 0) -> Split:
    """Split at random, 80/10/10; rows of one molecule stay together.

    Examples
    --------
    >>> {name: len(part) for name, part in random_split(list("CNOPSFIBcn")).parts().items()}
    {'train': 8, 'valid': 1, 'test': 1}
    """
    molecules = list(dict.fromkeys(smiles))
    order = np.random.default_rng(seed).permutation(len(molecules))
    rank = {molecules[index]: position for position, index in enumerate(order)}
    bounds = (round(FRACTIONS[0] * len(molecules)), round(sum(FRACTIONS) * len(molecules)))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for index, one in enumerate(smiles):
        parts[sum(rank[one] >= bound for bound in bounds)].append(index)
    description = f"random, 80/10/10, seed {seed}; rows of one molecule stay together"
    return Split("random", description, *parts, groups=list(smiles))


def read_parts(column: str, texts: Sequence[str | None], lines: Sequence[int], file: str) -> list[Part | None]:
    """Read a column that says which part a molecule belongs to.

    Parameters
    ----------
    column : str
        Its name.
    texts : sequence of str or None
        Its cells.
    lines : sequence of int
        The line of the file in which each of them stands.
    file : str
        The file, for messages.

    Returns
    -------
    list
        The part of each row; None for a row that belongs to no part, because its cell is empty.

    Raises
    ------
    ExLMError
        If there are other words in it; the message counts and lists them.

    Examples
    --------
    >>> read_parts("set", ["Train", " TEST ", ""], [2, 3, 4], "a.csv")
    ['train', 'test', None]
    """
    words = [tidy(text) for text in texts]
    wrong = {word for word in words if word.casefold() not in PART_NAMES and not is_unknown(word)}
    if wrong:
        remedy = "write train, valid or test, or leave the cell empty for a molecule that is not to be used"
        CellCounts(file, column, words, lines).refuse(wrong, "cells", "no part of a split", remedy)
    return [PART_NAMES.get(word.casefold()) for word in words]


def column_split(smiles: Sequence[str], column: str, parts: Sequence[Part]) -> Split:
    """Split as a column of the table says.

    Parameters
    ----------
    smiles : sequence of str
        The molecules.
    column : str
        Name of the column.
    parts : sequence of {"train", "valid", "test"}
        What it says of each molecule; see `read_parts`.

    Examples
    --------
    >>> column_split(["C", "CC", "CCC"], "set", ["train", "test", "train"]).train
    [0, 2]
    """
    members = {name: [index for index, part in enumerate(parts) if part == name] for name in get_args(Part)}
    return Split(f"column {column}", f"the column '{column}' of the table", **members, groups=list(smiles))

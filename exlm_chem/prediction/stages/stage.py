"""The interface of a stage: molecules, their features and the prediction so far in, columns with a meaning out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from exlm_chem.features.block import MoleculeBlock
from exlm_chem.features.compute import FeatureCache, compute_blocks
from exlm_chem.predictors.chemistry import graph_of
from exlm_chem.smiles.bounds import bounded, is_slow
from exlm_chem.smiles.errors import MoleculeError


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the prediction table, and what it says.

    Examples
    --------
    >>> Column("bbbp_class", "1 if bbbp is at least 0.5, else 0.", type=int).unit
    ''
    """

    name: str
    """Name in the table."""
    meaning: str
    """One sentence, or two, for the person who reads it."""
    unit: str = ""
    """Unit of a number."""
    type: type = float
    """What a cell is: float, int, bool or str; or None, where there is no answer."""


class Molecules:
    """The molecules of some rows, each read and each feature computed once for all stages.

    Parameters
    ----------
    texts : sequence of str or None
        *The* texts of the molecules; None or empty where there is none.
    cache : FeatureCache, optional
        Remembers molecules that come again in other rows.

    Examples
    --------
    >>> molecules = Molecules(["CCO", None])
    >>> [molecule and molecule.GetNumAtoms() for molecule in molecules.parsed]
    [3, None]
    """

    def __init__(self, texts: Sequence[str | None], cache: FeatureCache | None = None) -> None:
        self.texts = [text or "" for text in texts]
        self._cache = cache
        self._known: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def parsed(self) -> list[Any]:
        """RDKit's molecules; None where there is none, or where RDKit may need minutes for it."""
        with rdBase.BlockLogs():
            return [Chem.MolFromSmiles(text) if text and not is_slow(text) else None for text in self.texts]

    @cached_property
    def graphs(self) -> list[Any]:
        """The same, and of those that RDKit may need minutes for what needs no rings: atoms, charges and bonds."""
        return [graph_of(*one) for one in zip(self.texts, self.parsed, strict=True)]

    def learn(self, features: Mapping[str, NDArray[np.float32]]) -> None:
        """Take what is known already: for the fingerprint of a block, its numbers of all molecules."""
        self._known |= features

    def known(self, fingerprint: str) -> NDArray[np.float32]:
        """Give the numbers of a block that `learn` was given."""
        values: NDArray[np.float32] = self._known[fingerprint]
        return values

    def features(self, block: MoleculeBlock) -> NDArray[np.float32]:
        """Give the numbers of a block, shape (molecules, width); NaN where there is no molecule."""
        values: NDArray[np.float32] = self.once(
            block.fingerprint, lambda: compute_blocks(self.texts, [block], cache=self._cache)[block.name]
        )
        return values

    def once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Compute something of these molecules, unless it is there under the same key."""
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a stage gets: the molecules and what a predictor says about them.

    Examples
    --------
    >>> Rows(Molecules(["CCO"]), np.array([[0.7]])).members is None
    True
    """

    molecules: Molecules
    """The molecules."""
    values: NDArray[Any]
    """Shape (molecules, columns of the predictor); NaN where there is no answer."""
    members: NDArray[Any] | None = None
    """What the members of an ensemble say by themselves: shape (members, molecules, columns)."""


class Stage(ABC):
    """Adds columns to a prediction; a row's cells follow from that row alone.

    Attributes
    ----------
    columns : sequence of Column
        Those that it adds; known before the first row.
    asks_members : bool
        Whether it needs what the members of the predictor say.
    """

    columns: Sequence[Column]
    asks_members: ClassVar[bool] = False

    @abstractmethod
    def compute(self, rows: Rows) -> list[list[Any]]:
        """Give the cells of every column, in the order of `columns`.

        Parameters
        ----------
        rows : Rows
            Any number of them, none too.

        Returns
        -------
        list of list
            One list per column, with one cell per row; None where there is no answer.
        """


class MoleculeStage(Stage):
    """A stage whose cells follow from the molecule alone, whatever the predictor.

    Attributes
    ----------
    settings : sequence
        What it is made of again, in the process where a molecule may take long.
    """

    settings: Sequence[Any] = ()

    @abstractmethod
    def describe(self, molecule: Any) -> list[Any]:
        """Give the cells of one RDKit molecule."""

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        molecules = rows.molecules
        with rdBase.BlockLogs():
            cells = [self._cells(*one) for one in zip(molecules.texts, molecules.parsed, strict=True)]
        return [[row[index] for row in cells] for index in range(len(self.columns))]

    def _cells(self, text: str, molecule: Any) -> list[Any]:
        if molecule is not None:
            return self.describe(molecule)
        made: list[Any] = [None] * len(self.columns)
        if text:
            own = type(self)
            with suppress(MoleculeError):
                made = bounded(_described, text, own.__module__, own.__name__, *self.settings)
        return made


def _described(text: str, module: str, name: str, *settings: Any) -> list[Any]:
    """Give the cells of a molecule that RDKit may need too long for, in the process that may be ended."""
    stage: MoleculeStage = getattr(import_module(module), name)(*settings)
    with rdBase.BlockLogs():
        molecule: Any = Chem.MolFromSmiles(text)  # None, whatever RDKit's type hints say
    if molecule is None:
        raise MoleculeError("RDKit cannot read it")
    return stage.describe(molecule)


def cells(numbers: NDArray[Any], digits: int = 5) -> list[float | None]:
    """Make cells of numbers: to so many significant digits, None for what is no number.

    Examples
    --------
    >>> cells(np.array([0.123456789, np.nan, 2.0]))
    [0.12346, None, 2.0]
    """
    return [None if np.isnan(number) else float(f"{number:.{digits}g}") for number in numbers.tolist()]

"""The interfaces of peers: SMILES in, numbers out; and one that learns by itself, labels in too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.terms import Kind

PredictMolecules = Callable[[Sequence[str]], NDArray[np.float64]]
"""SMILES of some molecules in, values or probabilities out: shape (molecules, columns)."""


class Peer(ABC):
    """Features of another program.

    Attributes
    ----------
    name : str
        Of the block of features.
    package : str
        What ``pip install`` is to be told.

    Examples
    --------
    >>> class Length(Peer):
    ...     name, package = "length", "nothing"
    ...     def compute(self, smiles):
    ...         return np.array([[len(one)] for one in smiles], np.float32)
    >>> Length().compute(["C", "CCO"]).tolist()
    [[1.0], [3.0]]
    """

    name: ClassVar[str]
    package: ClassVar[str]

    @abstractmethod
    def compute(self, smiles: Sequence[str]) -> NDArray[Any]:
        """Compute the numbers of readable molecules, shape (molecules, width); NaN where one is undefined.

        Raises
        ------
        ImportError
            If the program is not installed.
        """


class LearningPeer(Peer):
    """Another program that learns from molecules by itself: it takes the place of features and of a head."""

    def compute(self, smiles: Sequence[str]) -> NDArray[Any]:
        """See `Peer`; what it is shown of a molecule is its text, shape (molecules,)."""
        import_module(self.name)  # raises if it is not there, before anything is learnt
        return np.array(smiles)

    @abstractmethod
    def fit(
        self, smiles: Sequence[str], labels: NDArray[np.float64], kind: Kind, seed: int
    ) -> Iterator[PredictMolecules]:
        """Learn from the training part, and give all results of which the validation part is to choose.

        The first is taken where there is no such part, or several are equally good.

        Parameters
        ----------
        smiles : sequence of str
            Of the training part.
        labels : array of shape (molecules, columns)
            NaN where one is unknown.
        kind : Kind
            Classes or measurements.
        seed : int
            Fixes what is drawn.
        """

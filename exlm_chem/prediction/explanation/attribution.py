"""The interface of an opinion on what an atom contributes to a prediction, and how two opinions are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.smiles.token_atoms import atoms_of_tokens
from exlm_chem.terms import Pooling

FloatArray = NDArray[np.float64]

MOST_ATOMS = 150
"""Of a molecule that is explained: it is read as often as it has atoms."""


@dataclass(frozen=True)
class ExplainedModel:
    """From a molecule to numbers whose differences mean something: log-odds, or values in their unit.

    Attributes
    ----------
    encoder : ExLM
        The encoder; its tokens are SMILES.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        How it makes one vector.
    outputs : callable
        Gives the numbers, shape (B, columns), of vectors of shape (B, width), all of one molecule whose text comes
        first: what else a head reads of the molecule is not changed.
    beside : str, optional
        The fingerprint of the block of what it reads of a row besides the molecule; see `at`.
    layer : int
        Of which layer's features the vector is made.
    """

    encoder: ExLM
    pooling: Pooling
    outputs: Callable[..., FloatArray]
    beside: str | None = None
    layer: int = -1

    def at(self, numbers: NDArray[np.float32]) -> ExplainedModel:
        """Hold what it reads besides the molecule: shape (width,)."""
        return replace(self, outputs=partial(self.outputs, beside=numbers))

    def tokens(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the token ids of a molecule, and for each the atom that it belongs to; -1 for those of none."""
        tokenizer = self.encoder.tokenizer
        ids = tokenizer.encode(text)
        texts = ["" if one <= tokenizer.unk_id else tokenizer.decode([one]) for one in ids]
        return np.array(ids, np.int64), np.array(atoms_of_tokens(texts), np.int64)


class Attribution(ABC):
    """An opinion on what every atom contributes.

    Attributes
    ----------
    name : str
        In a few words, for a picture.
    """

    name: ClassVar[str]

    @abstractmethod
    def contributions(self, model: ExplainedModel, text: str) -> FloatArray:
        """Give what every atom adds to every number.

        Parameters
        ----------
        model : ExplainedModel
            What is explained.
        text : str
            *The* text of a molecule of at most `MOST_ATOMS` atoms.

        Returns
        -------
        array of shape (atoms, columns)
            More than 0 where the atom raises the number.
        """


def normalised(contributions: FloatArray) -> FloatArray:
    """Stretch the contributions to a number so that the largest is 1 or -1; what is 0 throughout stays.

    Examples
    --------
    >>> normalised(np.array([[0.5], [-2.0]])).ravel().tolist()
    [0.25, -1.0]
    """
    largest = np.abs(contributions).max(0, initial=0.0)
    return contributions / np.where(largest > 0, largest, 1.0)


def agreement(first: FloatArray, second: FloatArray) -> FloatArray:
    """Correlate two opinions over the atoms of a molecule, for each column.

    Returns
    -------
    array of shape (columns,)
        From -1 to 1; NaN where there are fewer than three atoms, or an opinion that is the same for all.

    Examples
    --------
    >>> agreement(np.array([[1.0], [2.0], [3.0]]), np.array([[2.0], [4.0], [6.0]])).round(6).tolist()
    [1.0]
    """
    result = np.full(first.shape[1], np.nan)
    for column, (a, b) in enumerate(zip(first.T, second.T, strict=True)):
        if len(a) >= 3 and np.ptp(a) > 0 and np.ptp(b) > 0:
            result[column] = np.corrcoef(a, b)[0, 1]
    return result

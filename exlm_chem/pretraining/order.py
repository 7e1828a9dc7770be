"""The order of an epoch: a permutation that is computed, not stored, so that a corpus may be larger than memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 4


def permuted(positions: NDArray[np.int64], size: int, seed: Sequence[int]) -> NDArray[np.int64]:
    """Give what stands at some positions of a random permutation of 0..size-1.

    A Feistel network mixes the bits of a position; a result beyond `size` is mixed again until it falls inside (the
    usual construction of format-preserving encryption; Black and Rogaway, CT-RSA 2002).

    Parameters
    ----------
    positions : array of int64, shape (n,)
        Places in the permutation, each at least 0 and below `size`.
    size : int
        Length of the permutation.
    seed : sequence of int
        Decides which permutation.

    Returns
    -------
    array of int64, shape (n,)

    Examples
    --------
    >>> sorted(permuted(np.arange(10), 10, seed=(1, 2)).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    half = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    keys = np.random.SeedSequence(seed).generate_state(ROUNDS, np.uint64)
    values = positions.astype(np.uint64)
    outside = np.ones(len(values), dtype=bool)
    while outside.any():
        left, right = values[outside] >> half, values[outside] & mask
        for key in keys:
            left, right = right, left ^ (_mixed(right ^ key) & mask)
        values[outside] = (left << half) | right
        outside = values >= size
    return values.astype(np.int64)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64: every bit of the result depends on every bit of the argument."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))

"""Masking: which tokens of a molecule are hidden; special ones never are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exlm_chem.modeling.inputs import NOT_A_TARGET


def draw_mask_counts(
    lengths: NDArray[np.int64], mask_ratio: float, unmasked: float, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw how many tokens of every molecule are masked.

    Parameters
    ----------
    lengths : array of int64, shape (n,)
        Tokens of the molecules, ``<s>`` and ``</s>`` included, which are never masked.
    mask_ratio : float
        Share of the other tokens that is masked; rounded up or down at random so that it is right on average, but at
        least one token of a molecule is masked.
    unmasked : float
        Share of the molecules without any mask.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of int64, shape (n,)

    Examples
    --------
    >>> draw_mask_counts(np.array([3, 12, 22]), 0.2, 0.0, np.random.default_rng(0)).tolist()
    [1, 2, 4]
    """
    available = lengths - 2
    counts = np.floor(mask_ratio * available + generator.random(len(lengths))).astype(np.int64)
    counts = np.minimum(np.maximum(counts, 1), available)
    return np.where(generator.random(len(lengths)) < unmasked, 0, counts)


def mask_tokens(
    input_ids: NDArray[np.int64],
    counts: NDArray[np.int64],
    num_special: int,
    mask_id: int,
    generator: np.random.Generator,
    units: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace some of every molecule's tokens by ``<mask>``.

    Parameters
    ----------
    input_ids : array of int64, shape (B, T)
        Token ids; ids below `num_special` are special and stay.
    counts : array of int64, shape (B,)
        How many tokens of every molecule.
    num_special : int
        Special ids are 0..num_special-1.
    mask_id : int
        Id of ``<mask>``.
    generator : numpy.random.Generator
        Source of randomness.
    units : array of int64, shape (B, T), optional
        See `mask_units`: tokens with the same number are masked together, until there are as many as wanted.

    Returns
    -------
    masked : array of int64, shape (B, T)
        Token ids with masks.
    labels : array of int64, shape (B, T)
        The original id where a mask stands, -100 elsewhere.

    Examples
    --------
    >>> ids = np.array([[0, 5, 6, 7, 8, 2]])
    >>> masked, labels = mask_tokens(ids, np.array([2]), 4, 99, np.random.default_rng(0))
    >>> int((masked == 99).sum()), bool((np.where(masked == 99, labels, masked) == ids).all())
    (2, True)
    """
    maskable = input_ids >= num_special
    chances = generator.random(input_ids.shape)
    if units is not None:
        chances = np.take_along_axis(chances, units, axis=1)
    # Stable: the tokens of a unit that is too large are masked from its beginning.
    order = np.where(maskable, chances, 2.0).argsort(axis=1, kind="stable").argsort(axis=1)
    chosen = maskable & (order < counts[:, None])
    return np.where(chosen, mask_id, input_ids), np.where(chosen, input_ids, NOT_A_TARGET)

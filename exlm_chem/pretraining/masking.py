"""Masking: which tokens of a molecule are hidden (reference section 1, but special tokens never are)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exlm_chem.modeling.exlm import NOT_A_TARGET


def mask_tokens(
    input_ids: NDArray[np.int64], mask_ratio: float, num_special: int, mask_id: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace a share of every molecule's tokens by ``<mask>``.

    Parameters
    ----------
    input_ids : array of int64, shape (B, T)
        Token ids; ids below `num_special` are special and stay.
    mask_ratio : float
        Share of the other tokens that is masked; rounded up or down at random so that it is right on average, but at
        least one token of every molecule is masked.
    num_special : int
        Special ids are 0..num_special-1.
    mask_id : int
        Id of ``<mask>``.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    masked : array of int64, shape (B, T)
        Token ids with masks.
    labels : array of int64, shape (B, T)
        The original id where a mask stands, -100 elsewhere.

    Examples
    --------
    >>> ids = np.array([[0, 5, 6, 7, 8, 2]])
    >>> masked, labels = mask_tokens(ids, 0.5, 4, 99, np.random.default_rng(0))
    >>> int((masked == 99).sum()), bool((np.where(masked == 99, labels, masked) == ids).all())
    (2, True)
    """
    maskable = input_ids >= num_special
    available = maskable.sum(1)
    wanted = np.floor(mask_ratio * available + generator.random(len(input_ids)))
    wanted = np.minimum(np.maximum(wanted, 1), available)
    order = np.where(maskable, generator.random(input_ids.shape), 2.0).argsort(axis=1).argsort(axis=1)
    chosen = order < wanted[:, None]
    return np.where(chosen, mask_id, input_ids), np.where(chosen, input_ids, NOT_A_TARGET)

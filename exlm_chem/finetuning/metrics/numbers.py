"""Metrics of regression for many weightings of the molecules at once; see `exlm_chem.finetuning.metrics.classes`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exlm_chem.heads.examples import LABEL_NOISE

FloatArray = NDArray[np.float64]


def weighted_rmse(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the root of the mean squared error."""
    return np.sqrt(weighted_mean((outputs - labels) ** 2, weights))


def weighted_mae(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the mean absolute error."""
    return weighted_mean(np.abs(outputs - labels), weights)


def weighted_r2(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the share of the variance that is explained, as scikit-learn's ``r2_score``.

    Examples
    --------
    >>> weighted_r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]), np.ones((1, 3)))
    array([0.5])
    """
    mean = weighted_mean(labels, weights)
    variance = (weights * (labels - mean[:, None]) ** 2).sum(1)
    # what rounding leaves of equal labels is no variance
    variance[variance <= weights.sum(1) * (LABEL_NOISE * np.abs(labels).max(initial=0)) ** 2] = 0
    return 1 - quotient(weights @ (outputs - labels) ** 2, variance)


def weighted_spearman(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give Spearman's correlation of ranks; a weight is how often a molecule is there.

    Examples
    --------
    >>> weighted_spearman(np.array([1.0, 2.0, 9.0]), np.array([1.0, 3.0, 2.0]), np.ones((1, 3)))
    array([0.5])
    """
    if not len(labels):
        return np.full(len(weights), np.nan)
    x, y = (_centred_ranks(values, weights) for values in (outputs, labels))
    products = [(weights * one * other).sum(1) for one, other in ((x, y), (x, x), (y, y))]
    return quotient(products[0], np.sqrt(products[1] * products[2]))


def _centred_ranks(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the ranks of values, the mean for equal ones, minus their mean, for every weighting."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    ties = np.add.reduceat(weights[:, order], starts, axis=1)
    of_step = ties.cumsum(1) - ties / 2
    step = np.empty(len(values), dtype=np.int64)
    step[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))
    ranks = of_step[:, step]
    return ranks - weighted_mean_of_rows(ranks, weights)[:, None]


def weighted_mean_of_rows(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Average each row of values with its own row of weights."""
    return quotient((values * weights).sum(1), weights.sum(1))


def weighted_mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Average the same values with every row of weights."""
    return quotient(weights @ values, weights.sum(1))


def quotient(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide, with NaN where there is nothing to divide by."""
    result = np.full(len(below), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result

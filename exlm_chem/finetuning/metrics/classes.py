"""Metrics of classification for many weightings of the molecules at once.

Every function takes scores or probabilities of shape (molecules,), labels 0 and 1, and weights of shape (weightings,
molecules), and gives one number for each weighting; NaN where the metric is not defined.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.metrics.numbers import FloatArray, quotient, weighted_mean

BINS = 10
"""Of the calibration error."""


def weighted_roc_auc(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the area under the ROC curve; equal scores count half.

    Examples
    --------
    >>> weighted_roc_auc(np.array([0.2, 0.2, 0.7]), np.array([0.0, 1.0, 1.0]), np.ones((1, 3)))
    array([0.75])
    """
    if not len(labels):
        return np.full(len(weights), np.nan)
    positive, negative = _steps(outputs, labels, weights)
    below = negative.cumsum(1) - negative / 2
    return quotient((positive * below).sum(1), positive.sum(1) * negative.sum(1))


def weighted_pr_auc(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the average precision: the area under the steps of the precision-recall curve.

    Examples
    --------
    >>> weighted_pr_auc(np.array([0.9, 0.8, 0.7]), np.array([1.0, 0.0, 1.0]), np.ones((1, 3))).round(4)
    array([0.8333])
    """
    if not len(labels):
        return np.full(len(weights), np.nan)
    positive, negative = (counts[:, ::-1] for counts in _steps(outputs, labels, weights))
    found = positive.cumsum(1)
    predicted = found + negative.cumsum(1)
    precision = np.divide(found, predicted, out=np.zeros_like(found), where=predicted > 0)
    area = quotient((precision * positive).sum(1), positive.sum(1))
    return np.where(negative.sum(1) > 0, area, np.nan)


def _steps(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum the weights of both classes at every score, the lowest first: equal scores are one step of a curve."""
    order = np.argsort(outputs, kind="stable")
    starts = np.flatnonzero(np.diff(outputs[order], prepend=-np.inf))
    weights, labels = weights[:, order], labels[order]
    positive = np.add.reduceat(weights * (labels == 1), starts, axis=1)
    negative = np.add.reduceat(weights * (labels == 0), starts, axis=1)
    return positive, negative


class Confusion:
    """What is right and wrong on both sides of a threshold, for many weightings.

    Parameters
    ----------
    outputs, labels, weights : arrays
        See the module.
    threshold : float
        A probability of at least this is a yes.
    """

    def __init__(self, outputs: FloatArray, labels: FloatArray, weights: FloatArray, threshold: float) -> None:
        yes, true = outputs >= threshold, labels == 1
        self.right_yes, self.wrong_yes = weights @ (yes & true), weights @ (yes & ~true)
        self.wrong_no, self.right_no = weights @ (~yes & true), weights @ (~yes & ~true)

    def precision(self) -> FloatArray:
        """Which share of the yes is right."""
        return quotient(self.right_yes, self.right_yes + self.wrong_yes)

    def recall(self) -> FloatArray:
        """Which share of class 1 is found."""
        return quotient(self.right_yes, self.right_yes + self.wrong_no)

    def balanced_accuracy(self) -> FloatArray:
        """Give the mean of the shares of both classes that are found."""
        return (self.recall() + quotient(self.right_no, self.right_no + self.wrong_yes)) / 2

    def mcc(self) -> FloatArray:
        """Give Matthews' correlation coefficient."""
        above = self.right_yes * self.right_no - self.wrong_yes * self.wrong_no
        sums = (self.right_yes + self.wrong_yes, self.right_yes + self.wrong_no)
        others = (self.right_no + self.wrong_yes, self.right_no + self.wrong_no)
        return quotient(above, np.sqrt(sums[0] * sums[1] * others[0] * others[1]))


def weighted_brier(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the mean squared difference between probability and class."""
    return weighted_mean((outputs - labels) ** 2, weights)


def weighted_ece(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the expected calibration error: how far probabilities and shares of class 1 differ in ten equal bins.

    Examples
    --------
    >>> weighted_ece(np.array([0.75, 0.75, 0.75, 0.75]), np.array([1.0, 1.0, 1.0, 0.0]), np.ones((1, 4)))
    array([0.])
    """
    bins = np.clip((outputs * BINS).astype(np.int64), 0, BINS - 1)
    gaps = np.stack([weights[:, bins == one] @ (outputs - labels)[bins == one] for one in range(BINS)], axis=1)
    return quotient(np.abs(gaps).sum(1), weights.sum(1))


def calibration_table(outputs: FloatArray, labels: FloatArray) -> list[dict[str, float]]:
    """Give for every bin with molecules their number, mean probability and share of class 1.

    Examples
    --------
    >>> calibration_table(np.array([0.12, 0.18, 0.9]), np.array([0.0, 1.0, 1.0]))[0]
    {'molecules': 2, 'probability': 0.15, 'share': 0.5}
    """
    bins: NDArray[np.int64] = np.clip((outputs * BINS).astype(np.int64), 0, BINS - 1)
    return [
        {
            "molecules": int((bins == one).sum()),
            "probability": float(outputs[bins == one].mean()),
            "share": float(labels[bins == one].mean()),
        }
        for one in np.unique(bins)
    ]

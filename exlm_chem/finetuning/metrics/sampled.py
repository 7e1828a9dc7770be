"""Metrics that other libraries compute for one sample of molecules: a weight says how often a molecule is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from exlm_chem.finetuning.metrics.numbers import FloatArray

ALPHA = 20.0
"""Of BEDROC: the best 8 % of the molecules make 80 % of it."""

FRACTION = 0.01
"""Of the molecules, for the enrichment factor."""


def on_samples(
    metric: Callable[[FloatArray, FloatArray], float],
) -> Callable[[FloatArray, FloatArray, FloatArray], FloatArray]:
    """Make a metric of weightings from one of samples.

    Examples
    --------
    >>> count = on_samples(lambda outputs, labels: float(len(labels)))
    >>> count(np.zeros(2), np.zeros(2), np.array([[1.0, 2.0]]))
    array([3.])
    """

    def weighted(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
        times = weights.astype(np.int64)
        return np.array([metric(np.repeat(outputs, one), np.repeat(labels, one)) for one in times])

    return weighted


def kendall(outputs: FloatArray, labels: FloatArray) -> float:
    """Give Kendall's tau-b; NaN where all are the same."""
    from scipy.stats import kendalltau

    if len(labels) < 2 or np.ptp(outputs) == 0 or np.ptp(labels) == 0:
        return np.nan
    return float(kendalltau(outputs, labels).statistic)


def bedroc(outputs: FloatArray, labels: FloatArray) -> float:
    """Give RDKit's BEDROC, which looks at the top of a list; of equal scores, those of class 0 come first.

    Examples
    --------
    >>> round(bedroc(np.arange(100.0), (np.arange(100) > 89).astype(float)), 3)
    1.0
    """
    from rdkit.ML.Scoring import Scoring

    scoring: Any = Scoring  # without types
    if len(np.unique(labels)) < 2:
        return np.nan
    return float(scoring.CalcBEDROC(_ranked(outputs, labels), 0, ALPHA))


def enrichment(outputs: FloatArray, labels: FloatArray) -> float:
    """Give RDKit's enrichment factor: how much more of class 1 there is in the first 1 % than in all.

    Examples
    --------
    >>> enrichment(np.arange(200.0), (np.arange(200) > 189).astype(float))
    20.0
    """
    from rdkit.ML.Scoring import Scoring

    scoring: Any = Scoring  # without types
    if len(np.unique(labels)) < 2:
        return np.nan
    return float(scoring.CalcEnrichment(_ranked(outputs, labels), 0, [FRACTION])[0])


def _ranked(outputs: FloatArray, labels: FloatArray) -> list[list[bool]]:
    return [[bool(label)] for label in labels[np.lexsort((labels, -outputs))]]

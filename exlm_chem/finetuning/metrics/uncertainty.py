"""How good intervals are, and whether what is said to be uncertain is wrong more often."""

from __future__ import annotations

from typing import Any

import numpy as np

from exlm_chem.finetuning.metrics.numbers import FloatArray, weighted_spearman

PARTS = 5


def coverage(labels: FloatArray, lower: FloatArray, upper: FloatArray) -> dict[str, float]:
    """Give the share of labels inside of their intervals, and how wide the intervals are.

    Examples
    --------
    >>> coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 4.0]))
    {'molecules': 2, 'coverage': 0.5, 'width': 3.0}
    """
    given = ~(np.isnan(labels) | np.isnan(lower) | np.isnan(upper))
    labels, lower, upper = labels[given], lower[given], upper[given]
    inside = (lower <= labels) & (labels <= upper)
    return {
        "molecules": len(labels),
        "coverage": float(inside.mean()) if len(labels) else np.nan,
        "width": float((upper - lower).mean()) if len(labels) else np.nan,
    }


def error_by_uncertainty(errors: FloatArray, uncertainty: FloatArray) -> dict[str, Any]:
    """Compare errors with what was said about how uncertain a prediction is.

    Parameters
    ----------
    errors : array of shape (molecules,)
        Of any sign.
    uncertainty : array of shape (molecules,)
        Such as the width of the interval or the spread of the members.

    Returns
    -------
    dict
        ``spearman``: correlation of the ranks of uncertainty and absolute error (1 if the most uncertain is the most
        wrong, None where one of them is constant); ``fifths``: for the molecules in five parts, the most certain
        first, the mean uncertainty and the root mean squared error; ``half``: the error of the more certain half over
        that of all.

    Examples
    --------
    >>> result = error_by_uncertainty(np.arange(10.0), np.arange(10.0))
    >>> result["spearman"], round(result["half"], 2)
    (1.0, 0.46)
    """
    sizes = np.abs(errors)
    order = np.argsort(uncertainty, kind="stable")
    parts = [part for part in np.array_split(order, min(PARTS, len(order))) if len(part)] if len(order) else []
    rank = weighted_spearman(uncertainty, sizes, np.ones((1, len(sizes))))[0]
    whole = _rms(sizes)
    return {
        "spearman": None if np.isnan(rank) else float(rank),
        "fifths": [{"uncertainty": float(uncertainty[part].mean()), "rmse": _rms(sizes[part])} for part in parts],
        "half": _rms(sizes[order[: max(len(order) // 2, 1)]]) / whole if whole else None,
    }


def _rms(values: FloatArray) -> float:
    return float(np.sqrt((values**2).mean())) if len(values) else 0.0

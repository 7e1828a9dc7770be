"""How good predictions of one column are: all metrics with their intervals, calibration, coverage, errors far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.metrics import (
    Metric,
    bootstrap,
    calibration_table,
    coverage,
    error_by_uncertainty,
    metrics_of,
)
from exlm_chem.heads.conformal import interval_radius, prediction_sets, set_bounds
from exlm_chem.terms import Kind

FloatArray = NDArray[np.float64]

MOST_SAMPLED: Final = 1000
"""Molecules up to which metrics that are computed sample by sample get an interval."""
_SAMPLED: Final = ("bedroc", "enrichment", "kendall")


@dataclass(frozen=True)
class Reference:
    """What is known of the training molecules: their labels, and what was predicted of them out of fold."""

    labels: FloatArray
    out_of_fold: FloatArray
    coverage: float


def judge_column(
    outputs: FloatArray,
    labels: FloatArray,
    kind: Kind,
    threshold: float | None = None,
    *,
    reference: Reference | None = None,
    distances: FloatArray | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Judge the predictions of one column.

    Parameters
    ----------
    outputs, labels : arrays of shape (molecules,)
        Probabilities or values; labels are NaN where unknown.
    kind : {"classification", "regression"}
        Of the labels.
    threshold : float, optional
        From which probability on the answer is yes; 0.5 by default.
    reference : Reference, optional
        For intervals and sets.
    distances : array of shape (molecules,), optional
        How far each molecule is from the training molecules.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``known``; ``metrics`` (for each ``value``, ``interval`` and, where it has no value, ``why``); and where there
        is something to say ``calibration``, ``intervals`` or ``sets``, ``error_by_distance``.

    Examples
    --------
    >>> result = judge_column(np.array([0.2, 0.9, 0.8]), np.array([0.0, 1.0, 1.0]), "classification")
    >>> result["metrics"]["roc_auc"]["value"], result["known"]
    (1.0, 3)
    """
    known = ~(np.isnan(labels) | np.isnan(outputs))
    outputs, labels = outputs[known], labels[known]
    result: dict[str, Any] = {"known": int(known.sum())}
    if kind == "classification":
        result["positive"] = int(labels.sum())
    metrics = metrics_of(kind, 0.5 if threshold is None else threshold)
    result["metrics"] = {name: _measured(metric, outputs, labels, seed) for name, metric in metrics.items()}
    if kind == "classification" and len(labels):
        result["calibration"] = calibration_table(outputs, labels)
    if reference is not None and len(labels):
        result |= _covered(outputs, labels, kind, reference)
    if distances is not None:
        result["error_by_distance"] = error_by_uncertainty(outputs - labels, distances[known])
    return result


def _measured(metric: Metric, outputs: FloatArray, labels: FloatArray, seed: int) -> dict[str, Any]:
    value = metric.value(outputs, labels)
    if value is None:
        return {"value": None, "interval": None, "why": metric.why_undefined(outputs, labels)}
    slow = metric.name in _SAMPLED and len(labels) > MOST_SAMPLED
    interval = None if slow else bootstrap(outputs[:, None], labels[:, None], metric.function, seed)
    return {"value": value, "interval": interval}


def _covered(outputs: FloatArray, labels: FloatArray, kind: Kind, reference: Reference) -> dict[str, Any]:
    """Say how often conformal intervals, or sets of classes, hold the truth."""
    promised = {"promised": reference.coverage}
    if kind == "regression":
        radius = interval_radius(reference.labels, reference.out_of_fold, reference.coverage)
        return {"intervals": promised | coverage(labels, outputs - radius, outputs + radius)}
    bounds = set_bounds(reference.labels, reference.out_of_fold, reference.coverage, "all")
    sets = prediction_sets(outputs, bounds)
    holds = sets[np.arange(len(labels)), labels.astype(np.int64)]
    sizes = {"molecules": len(labels), "coverage": float(holds.mean()), "classes": float(sets.sum(1).mean())}
    return {"sets": promised | sizes}

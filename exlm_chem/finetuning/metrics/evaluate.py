"""How good predictions are: ROC-AUC or errors for each column, their mean, and its uncertainty over molecules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import quoted
from exlm_chem.finetuning.metrics.numbers import FloatArray
from exlm_chem.finetuning.metrics.registry import METRICS, Weighted
from exlm_chem.heads.examples import label_moments
from exlm_chem.terms import Kind

RESAMPLES = 1000
CHUNK = 50  # resamples at a time: their weights are a matrix of resamples x molecules

MAIN_METRIC: dict[Kind, str] = {"classification": "roc_auc", "regression": "rmse"}
SHOWN: dict[Kind, tuple[str, ...]] = {"classification": ("roc_auc",), "regression": ("rmse", "mae")}
"""What is kept of every training; `exlm_chem.evaluation.judgement` gives all metrics."""


def evaluate(
    outputs: NDArray[Any], labels: FloatArray, kind: Kind, names: Sequence[str], seed: int = 0
) -> dict[str, Any] | None:
    """Judge predictions.

    Parameters
    ----------
    outputs, labels : arrays of shape (molecules, columns)
        Predictions (probabilities or logits, or values), and labels with NaN where unknown.
    kind : {"classification", "regression"}
        ROC-AUC, or RMSE and MAE in the unit of the labels.
    names : sequence of str
        Names of the columns.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict or None
        ``molecules``; ``columns`` (for each: how many labels are known, and its metrics, None where it has only one
        class); the mean of the main metric over the columns that could be ``scored``; and ``interval``, its 95 %
        interval over 1,000 bootstrap samples of the molecules. None without molecules.

    Examples
    --------
    >>> outputs, labels = np.array([[0.1], [0.9], [0.8]]), np.array([[0.0], [1.0], [1.0]])
    >>> result = evaluate(outputs, labels, "classification", ["active"])
    >>> result["roc_auc"], result["molecules"], result["scored"]
    (1.0, 3, 1)
    """
    if not len(labels):
        return None
    outputs = np.asarray(outputs, dtype=np.float64)
    metrics = {name: METRICS[name].function for name in SHOWN[kind]}
    ones = np.ones((1, len(labels)))
    main = MAIN_METRIC[kind]
    columns: dict[str, Any] = {}
    for name, output, label in zip(names, outputs.T, labels.T, strict=True):
        known = ~np.isnan(label)
        columns[name] = {"known": int(known.sum())}
        if kind == "classification":
            columns[name]["positive"] = int((label[known] == 1).sum())
        for metric, function in metrics.items():
            columns[name][metric] = _number(function(output[known], label[known], ones[:, known])[0])
    scores = [column[main] for column in columns.values() if column[main] is not None]
    result: dict[str, Any] = {"molecules": len(labels), "scored": len(scores), "columns": columns}
    for metric in metrics:
        values = [column[metric] for column in columns.values() if column[metric] is not None]
        result[metric] = float(np.mean(values)) if values else None
    result["interval"] = bootstrap(outputs, labels, metrics[main], seed)
    return result


def mean_score(outputs: FloatArray, labels: FloatArray, kind: Kind) -> float | None:
    """Give the main metric, averaged over the columns in which it has a value.

    Examples
    --------
    >>> mean_score(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]]), "regression")
    1.0
    """
    metric = METRICS[MAIN_METRIC[kind]]
    values = []
    for output, label in zip(outputs.T, labels.T, strict=True):
        known = ~np.isnan(label)
        if (value := metric.value(output[known], label[known])) is not None:
            values.append(value)
    return float(np.mean(values)) if values else None


def may_differ_in_units(kind: Kind, columns: int) -> bool:
    """Say whether a mean over columns could be ruled by the one with the largest unit: see `label_units`."""
    return kind == "regression" and columns > 1


def label_units(labels: FloatArray, kind: Kind) -> FloatArray:
    """Give what errors of each column are divided by before a mean over columns decides something.

    Several columns of values may have several units, and the largest would decide alone; so it is the standard
    deviation of each (1 where it does not vary). A single column keeps its unit, and the scores of classes have none.

    Parameters
    ----------
    labels : array of shape (molecules, columns)
        What may be learnt from, NaN where unknown.
    kind : {"classification", "regression"}
        What they are.

    Returns
    -------
    array of shape (columns,)

    Examples
    --------
    >>> label_units(np.array([[0.0, 100.0], [2.0, 300.0], [np.nan, np.nan]]), "regression").tolist()
    [1.0, 100.0]
    """
    units = np.ones(labels.shape[1])
    known = ~np.isnan(labels)
    if may_differ_in_units(kind, len(units)):
        units[known.any(0)] = label_moments(labels[:, known.any(0)], known[:, known.any(0)], kind)[1]
    return np.where(units > 0, units, 1.0)


def unscored(result: dict[str, Any], metric: str) -> list[str]:
    """Say why columns have no metric.

    Parameters
    ----------
    result : dict
        What `evaluate` gave.
    metric : str
        The main metric.

    Examples
    --------
    >>> unscored(evaluate(np.zeros((2, 1)), np.ones((2, 1)), "classification", ["active"]), "roc_auc")
    ["all 2 known labels of 'active' are 1"]
    """
    reasons = []
    for name, column in result["columns"].items():
        known = column["known"]
        if column[metric] is None and known:
            reasons.append(f"all {known:,} known labels of {quoted(name)} are {int(column['positive'] > 0)}")
        elif column[metric] is None:
            reasons.append(f"no label of {quoted(name)} is known")
    return reasons


def bootstrap(outputs: FloatArray, labels: FloatArray, metric: Weighted, seed: int = 0) -> list[float] | None:
    """Give the 95 % interval of the mean of a metric over columns when the molecules are drawn anew."""
    values = bootstrap_draws(outputs, labels, metric, seed)
    values = values[~np.isnan(values)]
    return None if not len(values) else [float(bound) for bound in np.quantile(values, (0.025, 0.975))]


def bootstrap_draws(outputs: FloatArray, labels: FloatArray, metric: Weighted, seed: int = 0) -> FloatArray:
    """Give the mean of a metric over columns for 1,000 draws of the molecules, NaN where no column has a value.

    The same seed draws the same molecules, so that two predictions of them can be compared draw by draw.
    """
    generator = np.random.default_rng(seed)
    means = []
    for _ in range(RESAMPLES // CHUNK):
        # How often each molecule is drawn is all that matters, and serves as its weight.
        weights = generator.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), CHUNK).astype(np.float64)
        scores = np.empty((CHUNK, labels.shape[1]))
        for column, (output, label) in enumerate(zip(outputs.T, labels.T, strict=True)):
            known = ~np.isnan(label)
            scores[:, column] = metric(output[known], label[known], weights[:, known])
        valid = ~np.isnan(scores)
        count = valid.sum(1)
        means.append(np.where(count > 0, np.where(valid, scores, 0).sum(1) / np.maximum(count, 1), np.nan))
    return np.concatenate(means)


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)

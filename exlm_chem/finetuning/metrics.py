"""How good predictions are: ROC-AUC or errors for each column, their mean, and its uncertainty over molecules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.terms import Kind

FloatArray = NDArray[np.float64]

RESAMPLES = 1000
CHUNK = 50  # resamples at a time: their weights are a matrix of resamples x molecules

MAIN_METRIC: dict[Kind, str] = {"classification": "roc_auc", "regression": "rmse"}


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
    metrics: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = (
        {"roc_auc": weighted_roc_auc} if kind == "classification" else {"rmse": weighted_rmse, "mae": weighted_mae}
    )
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


def bootstrap(
    outputs: FloatArray,
    labels: FloatArray,
    metric: Callable[[FloatArray, FloatArray, FloatArray], FloatArray],
    seed: int = 0,
) -> list[float] | None:
    """Give the 95 % interval of the mean of a metric over columns when the molecules are drawn anew."""
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
        means.append(np.where(valid, scores, 0).sum(1)[valid.any(1)] / valid.sum(1)[valid.any(1)])
    values = np.concatenate(means)
    return None if not len(values) else [float(bound) for bound in np.quantile(values, (0.025, 0.975))]


def weighted_roc_auc(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the area under the ROC curve for many weightings of the molecules at once.

    Parameters
    ----------
    outputs, labels : arrays of shape (molecules,)
        Scores, and 0 or 1.
    weights : array of shape (weightings, molecules)
        Weights of the molecules.

    Returns
    -------
    array of shape (weightings,)
        NaN where one of the classes has no weight.

    Examples
    --------
    >>> weighted_roc_auc(np.array([0.2, 0.2, 0.7]), np.array([0.0, 1.0, 1.0]), np.ones((1, 3)))
    array([0.75])
    """
    if not len(labels):
        return np.full(len(weights), np.nan)
    order = np.argsort(outputs, kind="stable")
    starts = np.flatnonzero(np.diff(outputs[order], prepend=-np.inf))  # equal scores are one step of the curve
    weights, labels = weights[:, order], labels[order]
    positive = np.add.reduceat(weights * (labels == 1), starts, axis=1)
    negative = np.add.reduceat(weights * (labels == 0), starts, axis=1)
    below = negative.cumsum(1) - negative / 2
    total = positive.sum(1) * negative.sum(1)
    return _quotient((positive * below).sum(1), total)


def weighted_rmse(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the root of the mean squared error for many weightings of the molecules; see `weighted_roc_auc`."""
    return np.sqrt(_weighted_mean((outputs - labels) ** 2, weights))


def weighted_mae(outputs: FloatArray, labels: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the mean absolute error for many weightings of the molecules; see `weighted_roc_auc`."""
    return _weighted_mean(np.abs(outputs - labels), weights)


def _weighted_mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    return _quotient(weights @ values, weights.sum(1))


def _quotient(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide, with NaN where there is nothing to divide by."""
    result = np.full(len(below), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)

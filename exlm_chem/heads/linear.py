"""Method "head": the encoder stays as it is, and linear models read its vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from exlm_chem.heads.head import PropertyHead
from exlm_chem.terms import Kind

FloatArray = NDArray[np.float64]

FEATURE_NOISE, LABEL_NOISE = 1e-6, 1e-12
"""What rounding leaves of a constant column, as a share of its size: in single precision, and in double."""

FOLDS = 5
# Strongest first. A logistic model's penalty is divided by the number of molecules, so that one grid fits all tables.
LOGISTIC_C = tuple(float(c) for c in np.logspace(-4, 1, 11))
RIDGE_ALPHA = tuple(float(a) for a in np.logspace(4, -1, 11))


def fit_linear_head(
    features: NDArray[np.float32], labels: FloatArray, kind: Kind, groups: Sequence[str], seed: int = 0
) -> tuple[PropertyHead, list[float | None]]:
    """Fit one regularised linear model per column, on the molecules whose label is known.

    Classification is logistic regression, regression is ridge regression on standardised labels. The strength of the
    penalty is the one with the smallest error in a cross-validation in which no group stands in two folds.

    Parameters
    ----------
    features : array of shape (molecules, width)
        Vectors of the training molecules.
    labels : array of shape (molecules, columns)
        Their labels, NaN where unknown; every column has at least one.
    kind : {"classification", "regression"}
        Kind of all columns.
    groups : sequence of str
        What a molecule must not share with one of another fold: its scaffold, or the molecule itself.
    seed : int
        Decides the folds.

    Returns
    -------
    head : PropertyHead
        All columns as one linear layer on standardised features.
    strengths : list of float or None
        C or alpha of each column; None for a column that is constant, which is all that its model predicts.
    """
    mean, scale = _moments(features.astype(np.float64), FEATURE_NOISE)
    standardised = (features - mean) / scale
    head = PropertyHead(features.shape[1], labels.shape[1]).requires_grad_(False)
    head.feature_mean.copy_(torch.from_numpy(mean))
    head.feature_scale.copy_(torch.from_numpy(scale))
    strengths: list[float | None] = []
    for column, label in enumerate(labels.T):
        known = ~np.isnan(label)
        x, y, names = standardised[known], label[known], np.asarray(groups, dtype=object)[known]
        if kind == "regression":
            label_mean, label_scale = (float(one[0]) for one in _moments(y[:, None], LABEL_NOISE))
            head.label_mean[column], head.label_scale[column] = label_mean, label_scale
            y = (y - label_mean) / label_scale
        weights, bias, strength = _fit_column(x, y, kind, names, seed)
        head.out_proj.weight[column] = torch.from_numpy(weights)
        head.out_proj.bias[column] = bias
        strengths.append(strength)
    return head.requires_grad_(True).eval(), strengths


def _fit_column(
    x: FloatArray, y: FloatArray, kind: Kind, groups: NDArray[np.object_], seed: int
) -> tuple[FloatArray, float, float | None]:
    """Fit one column: its weights, its bias, and the strength that was chosen."""
    if len(np.unique(y)) == 1:
        # Nothing to tell apart: the share of positives (with one molecule more of either class), or the mean.
        bias = float(np.log((y.sum() + 1) / (len(y) - y.sum() + 1))) if kind == "classification" else 0.0
        return np.zeros(x.shape[1]), bias, None
    strengths = LOGISTIC_C if kind == "classification" else RIDGE_ALPHA
    folds = _folds(y, kind, groups, seed)
    errors = np.zeros(len(strengths))
    for train, held_out in folds:
        model = None
        for index, strength in enumerate(strengths):
            model = _model(kind, strength, model).fit(x[train], y[train])
            errors[index] += _error(model, kind, x[held_out], y[held_out])
    strength = strengths[int(errors.argmin())] if folds else strengths[len(strengths) // 2]
    final = _model(kind, strength).fit(x, y)
    return np.ravel(final.coef_), float(np.ravel(final.intercept_)[0]), strength


def _folds(
    y: FloatArray, kind: Kind, groups: NDArray[np.object_], seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Cut the molecules into folds that can be learnt from; none if there are too few."""
    count = min(FOLDS, len(set(groups)))
    if kind == "classification":
        count = min(count, int(min((y == 0).sum(), (y == 1).sum())))
    if count < 2:
        return []
    cutter: Any
    if kind == "classification":
        cutter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    else:
        cutter = GroupKFold(count, shuffle=True, random_state=seed)
    # All positives may share a scaffold: then one of the folds has nothing to learn from.
    return [(train, held_out) for train, held_out in cutter.split(y, y, groups) if len(np.unique(y[train])) > 1]


def _model(kind: Kind, strength: float, start: Any = None) -> Any:
    """Make the model of a strength; the solution for the next stronger penalty is where its search starts."""
    if kind == "regression":
        return Ridge(alpha=strength)
    if start is None:
        # Newton's method: a handful of products of width x width, whatever the strength.
        return LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200, warm_start=True)
    return start.set_params(C=strength)


def _error(model: Any, kind: Kind, x: FloatArray, y: FloatArray) -> float:
    """Sum the errors over molecules: negative log-likelihood, or squares."""
    if kind == "regression":
        return float(((model.predict(x) - y) ** 2).sum())
    logits = model.decision_function(x)
    return float(np.logaddexp(0, np.where(y == 1, -logits, logits)).sum())


def _moments(values: FloatArray, noise: float) -> tuple[FloatArray, FloatArray]:
    """Give mean and standard deviation of each column, 1 for one that only rounding keeps from being constant."""
    scale = values.std(0)
    return values.mean(0), np.where(scale > noise * np.abs(values).max(0), scale, 1.0)

"""Head "linear": one regularised linear model for each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.heads.arrays import Arrays, rounded, take
from exlm_chem.heads.examples import LABEL_NOISE, Examples, Features, FloatArray
from exlm_chem.heads.folds import Fold, grouped_folds
from exlm_chem.heads.head import Head
from exlm_chem.heads.preprocessing import Preprocessing
from exlm_chem.heads.space import Span
from exlm_chem.terms import Kind

if TYPE_CHECKING:
    from exlm_chem.heads.property_head import PropertyHead

FEATURE_NOISE: Final = 1e-6
"""What rounding leaves of a constant column of features, as a share of its size."""

# Strongest first. A logistic model's penalty is divided by the number of molecules, so that one grid fits all tables.
LOGISTIC_C: Final = tuple(float(c) for c in np.logspace(-4, 1, 11))
RIDGE_ALPHA: Final = tuple(float(a) for a in np.logspace(4, -1, 11))

COMPONENTS: Final = 256
"""Most principal components that are read: Newton's method costs the square of the width."""

OWN_STRENGTH: Final = 10
"""Columns up to which each has a strength of its own; more share one, chosen on so many of them."""


class LinearHead(Head):
    """Logistic regression, or ridge regression, on the chosen blocks side by side.

    The strength of the penalty is the one with the smallest error in a cross-validation in which no group stands in two
    folds.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    >>> head = LinearHead().fit({"exlm": x}, 3 * x + 1, "regression", range(40))
    >>> bool(abs(head.predict({"exlm": x}) - (3 * x + 1)).max() < 0.1)
    True
    """

    name: ClassVar[str] = "linear"
    _preprocessing: Preprocessing
    _weight: NDArray[np.float32]
    _bias: NDArray[np.float32]

    def space(self) -> dict[str, Span]:
        """See `Head`: alpha of a ridge regression or 1 / C of a logistic one, and the principal components."""
        return {"penalty": Span(0.01, 1e5, log=True), "components": Span(16, 512, log=True, whole=True)}

    def fit_columns(self, examples: Examples) -> None:
        """See `Head`."""
        self._preprocessing = Preprocessing.fit(examples.features)
        x = self._preprocessing.joined(examples.features).astype(np.float64)
        components = int(self.parameters.get("components", COMPONENTS))
        axes = _principal_axes(x, components) if x.shape[1] > min(len(x), components) else None
        x = x if axes is None else x @ axes
        if examples.settings:
            strengths = examples.settings["strength"]
        elif penalty := self.parameters.get("penalty"):
            strengths = np.full(examples.labels.shape[1], penalty if examples.kind == "regression" else 1 / penalty)
        else:
            strengths = _chosen(x, examples)
        weights, biases = [], []
        for column, strength in enumerate(strengths.tolist()):
            known, y, w = examples.column(column)
            model = _model(examples.kind, strength).fit(x[known], y, w)
            weights.append(np.ravel(model.coef_) if axes is None else axes @ np.ravel(model.coef_))
            biases.append(np.ravel(model.intercept_)[0])
        self._weight, self._bias = rounded(np.stack(weights, 1)), np.array(biases, np.float32)
        self.settings["strength"] = strengths
        self.choices["strength"] = sorted(set(strengths.tolist()))

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        x = self._preprocessing.joined(features).astype(np.float64)
        return x @ self._weight.astype(np.float64) + self._bias

    def arrays(self) -> Arrays:
        """See `Head`."""
        return {**self._preprocessing.arrays(), "weight": self._weight, "bias": self._bias}

    def restore(self, arrays: Arrays) -> None:
        """See `Head`."""
        self._preprocessing = Preprocessing.restore(arrays, self.blocks)
        columns = len(self.varying)
        self._weight = take(arrays, "weight", (sum(self.blocks.values()), columns))
        self._bias = take(arrays, "bias", (columns,))


def _principal_axes(x: FloatArray, components: int) -> FloatArray:
    """Give the directions in which the molecules differ the most, shape (width, components)."""
    narrow = len(x) >= x.shape[1]
    values, vectors = np.linalg.eigh(x.T @ x if narrow else x @ x.T)
    most = np.flatnonzero(values > 1e-10 * values[-1])[-components:]
    axes = vectors[:, most] if narrow else x.T @ vectors[:, most] / np.sqrt(values[most])
    return np.ascontiguousarray(axes)


def _chosen(x: FloatArray, examples: Examples) -> FloatArray:
    """Choose the strength of every column."""
    kind, columns = examples.kind, examples.labels.shape[1]
    if columns <= OWN_STRENGTH:
        return np.array([_best(_errors_of(x, examples, column), kind) for column in range(columns)])
    some = np.linspace(0, columns - 1, OWN_STRENGTH).astype(int)
    errors: FloatArray = np.sum([_errors_of(x, examples, column) for column in some], axis=0)
    return np.full(columns, _best(errors, kind))


def _errors_of(x: FloatArray, examples: Examples, column: int) -> FloatArray:
    known, y, w = examples.column(column)
    folds = grouped_folds(y, examples.kind, examples.groups[known], examples.seed)
    return _errors(x[known], y, w, examples.kind, folds)


def _errors(x: FloatArray, y: FloatArray, w: FloatArray, kind: Kind, folds: Sequence[Fold]) -> FloatArray:
    """Give the mean error of the held-out molecules for every strength; 0 where there are no folds."""
    strengths = _strengths(kind)
    errors = np.zeros(len(strengths))
    for train, held_out in folds:
        model = None
        for index, strength in enumerate(strengths):
            model = _model(kind, strength, model).fit(x[train], y[train], w[train])
            errors[index] += _error(model, kind, x[held_out], y[held_out], w[held_out])
    return errors / len(y)


def _best(errors: FloatArray, kind: Kind) -> float:
    """Choose the strength with the smallest error, or the middle one where nothing can be compared."""
    strengths = _strengths(kind)
    return strengths[int(errors.argmin())] if errors.any() else strengths[len(strengths) // 2]


def _strengths(kind: Kind) -> tuple[float, ...]:
    return LOGISTIC_C if kind == "classification" else RIDGE_ALPHA


def _model(kind: Kind, strength: float, start: Any = None) -> Any:
    """Make the model of a strength; the solution for the next stronger penalty is where its search starts."""
    from sklearn.linear_model import LogisticRegression, Ridge  # which a prediction can spare

    if kind == "regression":
        return Ridge(alpha=strength)
    if start is None:
        # Newton's method: a handful of products of width x width, whatever the strength.
        return LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200, warm_start=True)
    return start.set_params(C=strength)


def _error(model: Any, kind: Kind, x: FloatArray, y: FloatArray, w: FloatArray) -> float:
    """Sum the errors over molecules: negative log-likelihood, or squares."""
    if kind == "regression":
        return float((w * (model.predict(x) - y) ** 2).sum())
    logits = model.decision_function(x)
    return float((w * np.logaddexp(0, np.where(y == 1, -logits, logits))).sum())


def fit_linear_head(
    features: NDArray[np.float32],
    labels: FloatArray,
    kind: Kind,
    groups: Sequence[str],
    seed: int = 0,
    weights: FloatArray | None = None,
) -> tuple[PropertyHead, list[float | None]]:
    """Fit linear models on the encoder's vectors as one layer that can be trained further with the encoder.

    Classification is logistic regression, regression is ridge regression on standardised labels. The strength of the
    penalty is chosen as in `LinearHead`.

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
    weights : array of shape (molecules, columns), optional
        How much each label counts.

    Returns
    -------
    head : PropertyHead
        All columns as one linear layer on standardised features.
    strengths : list of float or None
        C or alpha of each column; None for a column that is constant, which is all that its model predicts.
    """
    import torch

    from exlm_chem.heads.property_head import PropertyHead

    mean, scale = _moments(features.astype(np.float64), FEATURE_NOISE)
    standardised = (features - mean) / scale
    head = PropertyHead(features.shape[1], labels.shape[1]).requires_grad_(False)
    head.feature_mean.copy_(torch.from_numpy(mean))
    head.feature_scale.copy_(torch.from_numpy(scale))
    strengths: list[float | None] = []
    counts = np.ones_like(labels) if weights is None else weights
    for column, (label, count) in enumerate(zip(labels.T, counts.T, strict=True)):
        known = ~np.isnan(label) & (count > 0)
        if not known.any():
            raise ExLMError(f"column {column} has no known label of a weight above 0")
        x, y, names = standardised[known], label[known], np.asarray(groups, dtype=object)[known]
        w = count[known] / count[known].mean()
        if kind == "regression":
            label_mean, label_scale = (float(one[0]) for one in _moments(y[:, None], LABEL_NOISE, w))
            head.label_mean[column], head.label_scale[column] = label_mean, label_scale
            y = (y - label_mean) / label_scale
        slopes, bias, strength = _fit_column(x, y, w, kind, names, seed)
        head.out_proj.weight[column] = torch.from_numpy(slopes)
        head.out_proj.bias[column] = bias
        strengths.append(strength)
    return head.requires_grad_(True).eval(), strengths


def _fit_column(
    x: FloatArray, y: FloatArray, w: FloatArray, kind: Kind, groups: NDArray[np.object_], seed: int
) -> tuple[FloatArray, float, float | None]:
    """Fit one column: its weights, its bias, and the strength that was chosen."""
    if len(np.unique(y)) == 1:
        # Nothing to tell apart: the share of positives (with one molecule more of either class), or the mean.
        bias = float(np.log((y.sum() + 1) / (len(y) - y.sum() + 1))) if kind == "classification" else 0.0
        return np.zeros(x.shape[1]), bias, None
    strength = _best(_errors(x, y, w, kind, grouped_folds(y, kind, groups, seed)), kind)
    final = _model(kind, strength).fit(x, y, w)
    return np.ravel(final.coef_), float(np.ravel(final.intercept_)[0]), strength


def _moments(values: FloatArray, noise: float, weights: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Give mean and standard deviation of each column, 1 for one that only rounding keeps from being constant."""
    mean = np.average(values, axis=0, weights=weights)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    return mean, np.where(scale > noise * np.abs(values).max(0), scale, 1.0)

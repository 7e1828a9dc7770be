"""What a head learns from: features, labels of which some are missing, weights and groups, checked and on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.terms import Kind

LABEL_NOISE: Final = 1e-12
"""What rounding leaves of a constant column, as a share of its size."""

FloatArray = NDArray[np.float64]
Features = Mapping[str, NDArray[np.float32]]
"""For every block, by its name, an array of shape (molecules, width); NaN where a number is undefined."""


@dataclass(frozen=True)
class Examples:
    """What a head learns from: labels that are on one scale, at least two different ones in every column.

    Attributes
    ----------
    features : Features
        The blocks.
    labels : array of shape (molecules, columns)
        0 and 1, or values with mean 0 and standard deviation 1; NaN where unknown.
    weights : array of shape (molecules, columns)
        0 where the label is unknown, 1 on the mean of the others.
    kind : {"classification", "regression"}
        Of all columns.
    groups : array of int, shape (molecules,)
        Molecules with the same number must not stand in two folds.
    seed : int
        Decides everything that is drawn.
    bounds : int array of shape (molecules, columns)
        1 where the label is a lower limit, -1 where it is an upper one; only 0 for a head that does not know limits.
    settings : dict
        What another fit of the same head has chosen for these columns; nothing if it is to be chosen.
    """

    features: Features
    labels: FloatArray
    weights: FloatArray
    kind: Kind
    groups: NDArray[np.int64]
    seed: int
    bounds: NDArray[Any]
    settings: dict[str, NDArray[Any]] = field(default_factory=dict)

    def column(self, column: int) -> tuple[NDArray[np.bool_], FloatArray, FloatArray]:
        """Which labels of a column are known, these labels, and their weights."""
        known = self.weights[:, column] > 0
        return known, self.labels[known, column], self.weights[known, column]


def checked(
    features: Features, labels: NDArray[Any], kind: Kind, groups: Sequence[Any], weights: NDArray[Any] | None
) -> tuple[FloatArray, FloatArray]:
    """Check what a head is to learn from; give labels, and weights that are 0 for unknown ones."""
    labels = np.array(labels, np.float64)
    weights = np.ones_like(labels) if weights is None else np.array(weights, np.float64)
    if not features or labels.ndim != 2 or weights.shape != labels.shape:
        raise ExLMError("a head needs features, and labels (and weights) of shape (molecules, columns)")
    sizes = {len(labels), len(groups), *(len(values) for values in features.values())}
    if len(sizes) > 1:
        raise ExLMError(f"features, labels and groups must be of the same molecules, not of {sorted(sizes)}")
    if kind not in ("classification", "regression"):
        raise ExLMError(f"kind must be classification or regression, not {quoted(kind)}")
    if np.isinf(labels).any() or not np.isfinite(weights).all() or (weights < 0).any():
        raise ExLMError("labels must be finite or NaN, and weights finite and not negative")
    weights = np.where(np.isnan(labels), 0.0, weights)
    labels = np.where(weights > 0, labels, np.nan)
    if kind == "classification" and not np.isin(labels, (0.0, 1.0))[weights > 0].all():
        raise ExLMError("labels of a classification are 0 and 1")
    total = weights.sum(0)
    if (total == 0).any():
        raise ExLMError(f"column {int((total == 0).argmax())} has no known label of a weight above 0")
    return labels, weights * (weights > 0).sum(0) / total


def label_moments(labels: FloatArray, weights: FloatArray, kind: Kind) -> tuple[FloatArray, FloatArray]:
    """Give what outputs are multiplied by, 0 for a column that is constant, and what is added to them."""
    mean, scale = np.zeros(labels.shape[1]), np.ones(labels.shape[1])
    for column, (label, weight) in enumerate(zip(labels.T, weights.T, strict=True)):
        known, of_known = label[weight > 0], weight[weight > 0]
        if (known == known[0]).all():
            # of one class, the share of positives with one molecule more of either
            odds = (known.sum() + 1) / (len(known) - known.sum() + 1) if kind == "classification" else 1.0
            mean[column], scale[column] = np.log(odds) if kind == "classification" else known[0], 0.0
        elif kind == "regression":
            unit = np.abs(known).max()  # so that squares are never too large
            mean[column] = np.average(known / unit, weights=of_known) * unit
            spread = np.sqrt(np.average(((known - mean[column]) / unit) ** 2, weights=of_known))
            scale[column] = spread * unit if spread > LABEL_NOISE else 0.0
    return mean, scale

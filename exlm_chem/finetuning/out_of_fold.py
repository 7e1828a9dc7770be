"""Predictions out of fold: what models say of molecules when they have seen neither these nor others of their group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.heads.folds import grouped_folds

FOLDS: Final = 3
"""As few as there can be without losing half of the molecules: every fold is another fit."""

FitPredict = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], NDArray[Any]]
"""Learns columns (third) from molecules (first), and predicts them for other ones (second)."""


def out_of_fold(
    fit_predict: FitPredict, labels: NDArray[Any], groups: Sequence[Any], seed: int = 0
) -> NDArray[np.float64]:
    """Predict every molecule by a model that has seen neither it nor one of its group.

    Parameters
    ----------
    fit_predict : callable
        See `FitPredict`.
    labels : array of shape (molecules, columns)
        NaN where unknown.
    groups : sequence
        For every molecule what it shares with others, such as its scaffold.
    seed : int
        Decides the folds.

    Returns
    -------
    array of shape (molecules, columns)
        NaN where nothing can be learnt: there is one group only, or no label of the column outside the fold.

    Examples
    --------
    >>> labels = np.array([[1.0], [2.0], [6.0]])
    >>> def mean(train, held_out, columns):
    ...     return np.repeat(labels[np.ix_(train, columns)].mean(0)[None], len(held_out), axis=0)
    >>> out_of_fold(mean, labels, ["a", "b", "c"]).ravel().tolist()
    [4.0, 3.5, 1.5]
    """
    predictions = np.full(labels.shape, np.nan)
    _, numbers = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    for train, held_out in grouped_folds(labels, "regression", numbers, seed, FOLDS):  # whatever the classes
        columns = np.flatnonzero((~np.isnan(labels[train])).any(0))
        if len(columns):
            predictions[np.ix_(held_out, columns)] = fit_predict(train, held_out, columns)
    return predictions

"""Folds for what a head chooses: no group of molecules stands in two of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.terms import Kind

FOLDS: Final = 5

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Molecules to learn from, and those that are held out."""


def grouped_folds(
    labels: NDArray[np.float64], kind: Kind, groups: NDArray[Any], seed: int, count: int = FOLDS
) -> list[Fold]:
    """Cut molecules into folds that can be learnt from; none if there are too few.

    Parameters
    ----------
    labels : array of shape (molecules,) or (molecules, columns)
        One column of classes, all of them known, has its classes in like shares in all folds.
    kind : {"classification", "regression"}
        Of the labels.
    groups : array of shape (molecules,)
        What molecules of different folds must not share.
    seed : int
        Decides the folds.
    count : int
        Most folds.

    Examples
    --------
    >>> folds = grouped_folds(np.arange(4.0), "regression", np.array([0, 0, 1, 1]), seed=0)
    >>> [held_out.tolist() for _, held_out in folds]
    [[2, 3], [0, 1]]
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold  # which a prediction can spare

    classes = kind == "classification" and labels.ndim == 1
    count = min(count, len(np.unique(groups)))
    if classes:
        count = min(count, int(min((labels == 0).sum(), (labels == 1).sum())))
    if count < 2:
        return []
    cutter: Any = (StratifiedGroupKFold if classes else GroupKFold)(count, shuffle=True, random_state=seed)
    folds = [(train, held_out) for train, held_out in cutter.split(groups, labels if classes else None, groups)]
    # All positives may share a scaffold: then one of the folds has nothing to learn from.
    return [fold for fold in folds if not classes or len(np.unique(labels[fold[0]])) > 1]

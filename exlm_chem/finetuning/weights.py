"""How much each label counts: weights of the user's table, and classes that count the same however rare they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.tables.numbers import number_in


def counted_labels(labels: NDArray[np.float64], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Give the labels that count; those of weight 0 are none, which is NaN.

    Examples
    --------
    >>> counted_labels(np.array([1.0, 2.0]), np.array([0.0, 0.5])).tolist()
    [nan, 2.0]
    """
    return labels if weights is None else np.where(weights > 0, labels, np.nan)


def label_weights(
    dataset: Dataset, train: Sequence[int], column: str | None, *, balance: bool
) -> NDArray[np.float64] | None:
    """Give the weights of all labels.

    Parameters
    ----------
    dataset : Dataset
        The molecules, with the cells of the column.
    train : sequence of int
        Those that are learnt from: they decide how rare a class is.
    column : str or None
        The column of the table that says how much a molecule counts, if there is one.
    balance : bool
        Whether both classes of every column shall count the same.

    Returns
    -------
    array of shape (molecules, columns) or None
        None where all count the same.

    Raises
    ------
    ExLMError
        If a cell is no number of at least 0, or no molecule of the training part counts.

    Examples
    --------
    >>> dataset = Dataset("a.csv", "", labels=np.array([[1.0], [0.0], [0.0], [0.0]]))
    >>> label_weights(dataset, range(4), None, balance=True).ravel().round(2).tolist()
    [2.0, 0.67, 0.67, 0.67]
    """
    if column is None and not balance:
        return None
    weights = np.ones(dataset.labels.shape)
    if column is not None:
        weights *= np.array([_weight(dataset, column, index) for index in range(len(dataset.labels))])[:, None]
        if not weights[train].any():
            raise ExLMError(f"{dataset.name}: all weights in column {quoted(column)} of the training part are 0")
    for place, labels in enumerate(dataset.labels.T if balance else ()):
        sizes = [float(weights[train, place][labels[train] == one].sum()) for one in (0, 1)]
        for one, size in enumerate(sizes):
            if all(sizes):
                weights[labels == one, place] *= sum(sizes) / (2 * size)
    return weights


def _weight(dataset: Dataset, column: str, index: int) -> float:
    cell = dataset.others[column][index]
    try:
        weight = number_in(cell)
    except ValueError:
        weight = np.nan
    if not 0 <= weight < np.inf:
        raise ExLMError(
            f"{dataset.name}, line {dataset.lines[index]}, column {quoted(column)}: {quoted(cell or '')} is no weight; "
            "write a number of at least 0"
        )
    return weight

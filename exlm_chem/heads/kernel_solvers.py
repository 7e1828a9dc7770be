"""Kernel ridge regression: all columns at once, with labels that are not known for all molecules.

Columns whose labels are known for the same molecules, with the same weights, are solved together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.heads.examples import FloatArray

_JITTER: Final = 1e-6

Pattern = tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]
"""Known molecules, the columns for which these are the known ones, and the weights of the molecules."""


def solve(
    kernel: FloatArray, landmarks: NDArray[np.int64], y: FloatArray, weights: FloatArray, penalties: FloatArray
) -> FloatArray:
    """Fit all columns.

    Parameters
    ----------
    kernel : array of shape (molecules, landmarks)
        Its values.
    landmarks : array of int
        Which of the molecules are the landmarks; all of them for the exact solution.
    y, weights : arrays of shape (molecules, columns)
        Labels, and weights that are 0 for unknown ones.
    penalties : array of shape (columns,)
        The share of noise in the labels of each column.

    Returns
    -------
    array of shape (landmarks, columns)
        What the kernel's values are multiplied by.
    """
    found = np.zeros((len(landmarks), y.shape[1]))
    if len(landmarks) == len(kernel):
        for known, columns, weight in _patterns(weights, penalties):
            noise = np.diag(penalties[columns[0]] / weight)
            found[np.ix_(known, columns)] = _solved(kernel[np.ix_(known, known)] + noise, y[np.ix_(known, columns)])
        return found
    from scipy import linalg  # which a prediction can spare

    factor = linalg.cholesky(kernel[landmarks] + _JITTER * np.eye(len(landmarks)), lower=True)
    features = linalg.solve_triangular(factor, kernel.T, lower=True).T
    for known, columns, weight in _patterns(weights, penalties):
        weighted = features[known].T * weight
        matrix = weighted @ features[known] + penalties[columns[0]] * np.eye(len(landmarks))
        found[:, columns] = _solved(matrix, weighted @ y[np.ix_(known, columns)])
    result: FloatArray = linalg.solve_triangular(factor, found, lower=True, trans=1)
    return result


def held_out_answers(
    kernel: FloatArray, y: FloatArray, weights: FloatArray, fold: NDArray[np.int64], penalties: FloatArray
) -> FloatArray:
    """Give the answers for molecules that are held out, each fold in its turn; NaN for unknown labels and no fold.

    Parameters
    ----------
    kernel : array of shape (molecules, molecules)
        Its values. Single precision will do: what is chosen by the answers does not hang on their last digits.
    y, weights, penalties
        See `solve`.
    fold : array of int, shape (molecules,)
        The fold in which a molecule is held out; -1 for none.
    """
    answers = np.full(y.shape, np.nan)
    kernel, y = kernel.astype(np.float32), y.astype(np.float32)
    for known, columns, weight in _patterns(weights, penalties):
        noise = (penalties[columns[0]] / weight).astype(np.float32)
        for number in np.unique(fold[known][fold[known] >= 0]):
            inside = fold[known] != number
            rows, held_out = known[inside], known[~inside]
            if len(rows):
                solution = _solved(kernel[np.ix_(rows, rows)] + np.diag(noise[inside]), y[np.ix_(rows, columns)])
                answers[np.ix_(held_out, columns)] = kernel[np.ix_(held_out, rows)] @ solution
    return answers


def _patterns(weights: FloatArray, penalties: FloatArray) -> Iterator[Pattern]:
    """Put columns together that have the same known molecules, weights and penalty."""
    both, which = np.unique(np.vstack([weights, penalties]), axis=1, return_inverse=True)
    for number, weight in enumerate(both[:-1].T):
        known = np.flatnonzero(weight > 0)
        if len(known):
            yield known, np.flatnonzero(which == number), weight[known]


def _solved(matrix: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    from scipy import linalg  # which a prediction can spare

    result: NDArray[Any] = linalg.cho_solve(linalg.cho_factor(matrix, overwrite_a=True, check_finite=False), right)
    return result

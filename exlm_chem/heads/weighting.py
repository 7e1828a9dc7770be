"""How much each member of an average counts, by what it says of molecules that it has not seen."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.heads.examples import FloatArray

PULL: Final = 0.01
"""How strongly weights are pulled to equal ones, in units of the mean squared error of labels of variance 1."""

_SUM: Final = 1e4
"""How strongly the sum of the weights is held at 1."""


def member_weights(said: NDArray[Any], labels: FloatArray, counts: FloatArray) -> FloatArray:
    """Find weights, none negative, with the smallest squared error: stacking (Breiman 1996), pulled to the plain mean.

    Parameters
    ----------
    said : array of shape (members, molecules)
        What each says of molecules that it has not seen.
    labels : array of shape (molecules,)
        Measured, of variance about 1.
    counts : array of shape (molecules,)
        How much each molecule counts; 0 for one that does not.

    Returns
    -------
    array of shape (members,)
        With the sum 1; equal ones where there is nothing to judge by.

    Examples
    --------
    >>> labels = np.linspace(-1.5, 1.5, 50)
    >>> member_weights(np.stack([labels, -labels, 0 * labels]), labels, np.ones(50)).round(2).tolist()
    [0.99, 0.0, 0.01]
    """
    from scipy.optimize import nnls  # which a prediction can spare

    members = len(said)
    equal: FloatArray = np.full(members, 1 / members)
    known = (counts > 0) & np.isfinite(labels) & np.isfinite(said).all(0)
    if known.sum() < 2 * members:
        return equal
    root = np.sqrt(counts[known] / counts[known].sum())
    rows = np.vstack([(said[:, known] * root).T, np.sqrt(PULL) * np.eye(members), np.full((1, members), _SUM)])
    wanted = np.concatenate([labels[known] * root, np.sqrt(PULL) * equal, [_SUM]])
    weights: FloatArray = nnls(rows, wanted)[0]
    weights /= weights.sum()
    return weights

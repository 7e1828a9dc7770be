"""How much a compound is worth measuring next: its prediction, and what is not known about it.

References
----------
Jones, Schonlau and Welch, Efficient global optimization of expensive black-box functions, J. Glob. Optim. 13
(1998) 455.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def upper_bound(mean: NDArray[np.float64], spread: NDArray[np.float64], kappa: float = 1.0) -> NDArray[np.float64]:
    """Give what a value may well be: the mean and so many standard deviations.

    Examples
    --------
    >>> upper_bound(np.array([1.0, 2.0]), np.array([3.0, 0.0])).tolist()
    [4.0, 2.0]
    """
    return mean + kappa * spread


def expected_improvement(mean: NDArray[np.float64], spread: NDArray[np.float64], best: float) -> NDArray[np.float64]:
    """Give by how much a value is expected to be above the best one so far, if it is normally distributed.

    Parameters
    ----------
    mean, spread : array
        What is predicted, and its standard deviation.
    best : float
        The best value so far.

    Examples
    --------
    >>> expected_improvement(np.array([1.0, 2.0, 0.0]), np.array([0.0, 0.0, 1.0]), 1.0).round(4).tolist()
    [0.0, 1.0, 0.0833]
    """
    from scipy.stats import norm

    gain = mean - best
    z = gain / np.maximum(spread, 1e-12)
    return np.where(spread > 0, gain * norm.cdf(z) + spread * norm.pdf(z), np.maximum(gain, 0.0))

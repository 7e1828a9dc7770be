"""Conformal prediction: from the errors on molecules that were held out to intervals and sets of a stated coverage.

If new molecules are like the held-out ones (exchangeable with them), an interval or set holds the measured value as
often as stated, whatever the model. A scaffold shift breaks that; how much is to be measured.

References
----------
Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005: the quantile, and one quantile per class.
Barber et al., Predictive inference with the jackknife+, Ann. Stat. 49 (2021) 486: errors of cross-validation.
"""

from __future__ import annotations

import math
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.terms import ConformalRule

CLASSES: Final = (0, 1)


def conformal_quantile(scores: NDArray[Any], coverage: float) -> float:
    """Give the bound that a new score stays below with the probability `coverage`, if it is like these scores.

    Parameters
    ----------
    scores : array
        Errors of held-out molecules; NaN is left out.
    coverage : float
        Above 0 and below 1.

    Returns
    -------
    float
        The score of rank (n + 1) x coverage, rounded up; infinite if n is too small for that.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 10.0), 0.9), conformal_quantile(np.arange(1.0, 9.0), 0.9)
    (9.0, inf)
    """
    if not 0 < coverage < 1:
        raise ExLMError(f"a coverage must lie between 0 and 1, not {coverage:g}; 0.9 is usual")
    known = np.sort(scores[~np.isnan(scores)])
    # Rounded first: 10 x 0.9 is a hair above 9 in floating point.
    rank = math.ceil(round((len(known) + 1) * coverage, 9))
    return float(known[rank - 1]) if rank <= len(known) else math.inf


def interval_radius(labels: NDArray[Any], predictions: NDArray[Any], coverage: float) -> float:
    """Give half the width of the intervals around predictions of a number.

    Parameters
    ----------
    labels, predictions : array of shape (molecules,)
        Of molecules that the model of the prediction has not seen; NaN where there is none.
    coverage : float
        See `conformal_quantile`.

    Returns
    -------
    float
        Infinite if there are too few molecules for the coverage.

    Examples
    --------
    >>> interval_radius(np.arange(9.0), np.arange(9.0) + 0.5, 0.9)
    0.5
    """
    return conformal_quantile(np.abs(labels - predictions), coverage)


def set_bounds(
    labels: NDArray[Any], probabilities: NDArray[Any], coverage: float, rule: ConformalRule = "all"
) -> tuple[float, float]:
    """Give, for class 0 and class 1, the smallest probability of the class with which it belongs to the set.

    Parameters
    ----------
    labels : array of shape (molecules,)
        0 and 1, NaN where unknown.
    probabilities : array of shape (molecules,)
        Of class 1, from a model that has not seen the molecule; NaN where there is none.
    coverage : float
        See `conformal_quantile`.
    rule : {"all", "class"}
        Whether the coverage holds for all molecules together, or for each class by itself (with rare positives, the
        first one is reached by sets that never hold a 1).

    Returns
    -------
    tuple of float
        0 or less for a class that belongs to every set, as one of which too few molecules are known.

    Examples
    --------
    >>> set_bounds(np.array([0.0, 1.0] * 9), np.array([0.2, 0.8] * 9), 0.9)
    (0.8, 0.8)
    """
    if rule not in get_args(ConformalRule):
        raise ExLMError(f"--conformal must be all or class, not '{rule}'")
    scores = np.where(labels == 1, 1 - probabilities, probabilities)
    scores = np.where(np.isnan(labels), np.nan, scores)
    if rule == "all":
        bound = max(0.0, round(1 - conformal_quantile(scores, coverage), 12))
        return bound, bound
    zero, one = (max(0.0, round(1 - conformal_quantile(scores[labels == c], coverage), 12)) for c in CLASSES)
    return zero, one


def prediction_sets(probabilities: NDArray[Any], bounds: tuple[float, float]) -> NDArray[np.bool_]:
    """Say which classes belong to the sets of some molecules: bool, shape (molecules, 2).

    Examples
    --------
    >>> prediction_sets(np.array([0.1, 0.5, 0.9]), (0.8, 0.4)).tolist()
    [[True, False], [False, True], [False, True]]
    """
    own = np.stack([1 - probabilities, probabilities], axis=1)
    # Both sides come from the same numbers on different ways: a hair must not decide.
    return own >= np.asarray(bounds) - 1e-9

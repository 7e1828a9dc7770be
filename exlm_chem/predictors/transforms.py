"""Measurements as logarithms, so that equal ratios are equal steps: IC50 in nM as pIC50.

Concentrations span orders of magnitude, and errors of their plain numbers are those of the largest ones alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exlm_chem.terms import Transform

_DIGITS: Final = {"p:M": 0, "p:mM": 3, "p:uM": 6, "p:nM": 9, "p:pM": 12}
"""By how many powers of ten a unit is less than mol/L."""

_MANY: Final = 20
"""Values of which it can be said that they span orders of magnitude."""
_TAIL, _WIDE = 0.05, 100.0
"""They do if the largest between the tails is so many times the smallest."""


def transformed(values: NDArray[np.float64], transform: Transform) -> NDArray[np.float64]:
    """Give the numbers that are learnt in the place of measured ones; NaN where there is no logarithm.

    Parameters
    ----------
    values : float array
        Measured values.
    transform : str
        ``none``, ``log10``, or ``p:nM`` and its like for the negative decimal logarithm of a concentration in mol/L.

    Examples
    --------
    >>> transformed(np.array([1000.0, 0.0]), "p:nM"), transformed(np.array([1000.0]), "log10")
    (array([ 6., nan]), array([3.]))
    """
    if transform == "none":
        return values
    logarithms = np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)
    return logarithms if transform == "log10" else _DIGITS[transform] - logarithms


def direction(transform: Transform) -> int:
    """Say whether a larger value is learnt as a larger number, 1, or as a smaller one, -1: limits turn round then."""
    return 1 if transform in ("none", "log10") else -1


def span(values: NDArray[np.float64]) -> str:
    """Say that measured values span orders of magnitude, where a user may want their logarithms; empty if not.

    Examples
    --------
    >>> span(np.logspace(0, 4, 30))
    'from 1 to 10000, where errors of large values decide; see --transform'
    """
    if len(values) < _MANY or values.min() <= 0:
        return ""
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    wide = f"from {values.min():g} to {values.max():g}, where errors of large values decide; see --transform"
    return wide if high >= _WIDE * low else ""


class Described(NamedTuple):
    """How people are told of a transform."""

    prefix: str
    """Before the names of columns."""
    unit: str
    words: str
    """What it is called in a sentence."""


def described(transform: Transform) -> Described:
    """Say what is learnt, where it is not the values.

    Examples
    --------
    >>> described("p:nM")
    Described(prefix='p', unit='-log10(mol/L)', words='negative decimal logarithm (mol/L)')
    """
    if transform == "log10":
        return Described("log10", "log10", "decimal logarithm")
    return Described("p", "-log10(mol/L)", "negative decimal logarithm (mol/L)")

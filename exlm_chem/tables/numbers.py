"""What a cell of somebody's table says as a number."""

from __future__ import annotations

import math
from typing import Any, Final

MISSING: Final = frozenset({"", "nan", "na", "n/a", "none", "null", "-", "?", "<na>"})
"""What people write where nothing is known; in lower case."""

_TRUTH: Final = {"true": 1.0, "false": 0.0}


def is_missing(cell: Any) -> bool:
    """Tell whether a cell says nothing.

    Examples
    --------
    >>> is_missing(" N/A "), is_missing(None), is_missing(0)
    (True, True, False)
    """
    return cell is None or str(cell).strip().lower() in MISSING


def number_in(cell: Any) -> float:
    """Read a cell as a number; True and False count as 1 and 0, and what is missing is NaN.

    Raises
    ------
    ValueError
        If it says something else, or an infinite number.

    Examples
    --------
    >>> number_in(" 7.4"), number_in("TRUE"), number_in("?")
    (7.4, 1.0, nan)
    """
    if is_missing(cell):
        return math.nan
    text = str(cell).strip().lower()
    if "_" in text:  # Python reads 12_5 as 125
        raise ValueError("no number")
    number = _TRUTH.get(text)
    number = float(text) if number is None else number
    if not math.isfinite(number):
        raise ValueError("no finite number")
    return number

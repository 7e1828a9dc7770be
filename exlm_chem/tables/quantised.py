"""Vectors as whole numbers of eight bits, with a scale for each column."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NOTHING: Final = -128
"""What stands in a row without a vector."""

_LARGEST: Final = 127


def scale_of(largest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the scale of each column from its largest absolute value."""
    return np.where(largest > 0, largest / _LARGEST, 1).astype(np.float32)


def quantised(vectors: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.int8]:
    """Round vectors to whole numbers.

    Examples
    --------
    >>> scale = scale_of(np.array([1.0, 2.0], np.float32))
    >>> kept = quantised(np.array([[1.0, -2.0], [np.nan, np.nan]], np.float32), scale)
    >>> kept.tolist(), restored(kept, scale).tolist()
    ([[127, -127], [-128, -128]], [[1.0, -2.0], [nan, nan]])
    """
    rounded = np.clip(np.rint(vectors / scale), -_LARGEST, _LARGEST)
    return np.where(np.isfinite(rounded), rounded, NOTHING).astype(np.int8)


def restored(kept: NDArray[Any], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give back what was rounded; NaN in a row without a vector."""
    return np.where(kept == NOTHING, np.nan, kept * scale).astype(np.float32)

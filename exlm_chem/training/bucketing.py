"""Bucketing: molecules of like length into one batch, so that little is padded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def cut_batches(costs: NDArray[np.int64], batch_tokens: int, batch_size: int | None = None) -> NDArray[np.int64]:
    """Cut sorted molecules into batches as large as may be.

    Parameters
    ----------
    costs : array of int64, shape (n,)
        Tokens that each takes in a batch, rising or falling.
    batch_tokens : int
        Largest number of rows x longest row of a batch; a single longer molecule is a batch of its own.
    batch_size : int, optional
        Largest number of rows.

    Returns
    -------
    array of int64
        Where every batch begins, and the end.

    Examples
    --------
    >>> cut_batches(np.array([3, 3, 3, 9, 9]), 10).tolist()
    [0, 3, 4, 5]
    >>> cut_batches(np.array([9, 4, 3]), 10, batch_size=2).tolist()
    [0, 1, 3]
    """
    starts = [0]
    most = len(costs) if batch_size is None else batch_size
    while (start := starts[-1]) < len(costs):
        # No row is shorter than the shorter of the first and the last one: so many rows at most.
        shortest = max(1, min(int(costs[start]), int(costs[-1])))
        window = costs[start : start + max(1, min(most, batch_tokens // shortest))]
        area = np.maximum(window, window[0]) * np.arange(1, len(window) + 1)
        starts.append(start + max(1, int(np.searchsorted(area, batch_tokens, side="right"))))
    return np.array(starts, np.int64)


def length_batches(lengths: Sequence[int], batch_tokens: int, batch_size: int) -> Iterator[list[int]]:
    """Group indices into batches of like length, the longest first (memory runs out at once or never).

    Examples
    --------
    >>> list(length_batches([3, 9, 4], batch_tokens=10, batch_size=2))
    [[1], [2, 0]]
    """
    sizes = np.asarray(lengths, np.int64)
    order = np.argsort(-sizes, kind="stable")
    starts = cut_batches(sizes[order], batch_tokens, batch_size)
    for start, end in itertools.pairwise(starts):
        yield order[start:end].tolist()

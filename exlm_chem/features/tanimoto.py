"""Which molecule of a set is most like another one: Tanimoto similarity of count fingerprints, exact and in bulk."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_DENSE: Final = 1 / 16
"""Features that this share of the molecules has are kept for all of them: they cost less so."""

NearestRows = tuple[NDArray[np.int64], NDArray[np.float64]]
"""The row of the most similar molecule, -1 if there is none, and the similarity."""


class TanimotoIndex:
    """A set of molecules that can be asked for the one most like a given one.

    The similarity of two count fingerprints is the sum of the smaller counts over the sum of the larger ones. The index
    has, for each feature, the molecules that have it: a question touches what two molecules share and nothing else.

    Parameters
    ----------
    counts : array of shape (molecules, width)
        Count fingerprints; no count may exceed 65,535.

    Examples
    --------
    >>> index = TanimotoIndex(np.array([[2, 0, 1], [0, 3, 0]]))
    >>> rows, similarities = index.nearest(np.array([[1, 0, 1], [0, 1, 0]]))
    >>> rows.tolist(), similarities.round(3).tolist()
    ([0, 1], [0.667, 0.333])
    """

    def __init__(self, counts: NDArray[Any]) -> None:
        molecules, width = counts.shape
        self._molecules = int(molecules)
        rows, features = np.divmod(np.flatnonzero(counts), max(width, 1))
        order = np.argsort(features.astype(np.min_scalar_type(width)), kind="stable")  # of 16 bits, twice as fast
        features, rows = features[order], rows[order]
        self._rows = rows
        self._counts = counts[rows, features].astype(np.uint16)
        self._start = np.searchsorted(features, np.arange(width + 1))
        self._total = counts.sum(1, dtype=np.int64)
        common = np.flatnonzero(np.diff(self._start) > _DENSE * self._molecules)
        self._common = {int(feature): counts[:, feature].astype(np.uint16) for feature in common}

    def __len__(self) -> int:
        return self._molecules

    def similarities(self, counts: NDArray[Any]) -> NDArray[np.float64]:
        """Compare one fingerprint, shape (width,), with all molecules of the index: shape (molecules,)."""
        shared = np.zeros(self._molecules, np.uint16)
        for feature in np.flatnonzero(counts).tolist():
            count = np.uint16(counts[feature])
            if feature in self._common:
                shared += np.minimum(self._common[feature], count)
            else:
                here = slice(self._start[feature], self._start[feature + 1])
                shared[self._rows[here]] += np.minimum(self._counts[here], count)
        union = self._total + int(counts.sum()) - shared
        return np.where(union > 0, shared / np.maximum(union, 1), 0.0)

    def nearest(self, counts: NDArray[Any], leave_out: NDArray[np.int64] | None = None) -> NearestRows:
        """Find the most similar molecule for each of some fingerprints; of several, the first.

        Parameters
        ----------
        counts : array of shape (B, width)
            Fingerprints; one with a NaN has no neighbour.
        leave_out : int array of shape (B,), optional
            A molecule of the index that does not count for this fingerprint: itself.

        Returns
        -------
        rows : int array of shape (B,)
            Rows of the index, -1 where there is no neighbour.
        similarities : array of shape (B,)
            From 0 to 1, NaN where there is no neighbour.
        """
        rows = np.full(len(counts), -1, np.int64)
        best = np.full(len(counts), np.nan)
        for index, one in enumerate(counts):
            if np.isnan(one).any() or not self._molecules:
                continue
            found = self.similarities(one)
            if leave_out is not None:
                found[leave_out[index]] = -1.0
            place = int(found.argmax())
            if found[place] >= 0:
                rows[index], best[index] = place, found[place]
        return rows, best

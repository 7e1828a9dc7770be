"""How far molecules are from landmarks: squared distances of every block, brought to one scale and averaged.

Blocks of counts are compared by the Tanimoto coefficient of counts (the sum of minima over the sum of maxima), which is
the inner product of vectors of length 1, so that 2 (1 - T) is a squared distance too. All others are compared by the
Euclidean distance of their prepared numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.heads.arrays import Arrays, take
from exlm_chem.heads.examples import Features, FloatArray
from exlm_chem.heads.preprocessing import CLIP, COUNTS

_WIDE: Final = 64
"""Width from which eight bits for a number will do: rounding averages out over so many."""

_STEPS: Final = 127 / CLIP
"""Of eight bits, in a standard deviation."""

_SAMPLE: Final = 1000
"""Molecules whose distances give the scale of a block."""


@dataclass(frozen=True)
class Landmarks:
    """Molecules that others are compared with.

    Attributes
    ----------
    dense : dict
        Blocks of prepared numbers as `kept` has them, shape (landmarks, width).
    counts : dict
        Blocks of counts, as sparse matrices of uint8.
    scale : dict
        For every block, what its squared distances are divided by: half of their mean over the training molecules.
    """

    dense: dict[str, NDArray[Any]]
    counts: dict[str, Any]
    scale: dict[str, float]

    @classmethod
    def take(cls, features: Features, chosen: NDArray[np.int64]) -> Self:
        """Make landmarks of some of the training molecules; `features` are counts, and numbers that are prepared."""
        dense, counts = {}, {}
        for name, values in features.items():
            if name in COUNTS:
                counts[name] = _sparse(values[chosen])
            else:
                dense[name] = kept(values[chosen])
        found = cls(dense, counts, dict.fromkeys(features, 1.0))
        sample = {name: values[:: -(-len(values) // _SAMPLE)] for name, values in features.items()}
        for name in features:
            mean = float(found.of_block(name, sample[name]).mean())
            found.scale[name] = mean / 2 if mean > 0 else 1.0
        return found

    def __len__(self) -> int:
        return int(next(iter({**self.dense, **self.counts}.values())).shape[0])

    def distances(self, features: Features) -> FloatArray:
        """Give squared distances, shape (molecules, landmarks); 2 on the mean between training molecules."""
        total: FloatArray = np.zeros((len(next(iter(features.values()))), len(self)))
        for name in self.scale:
            total += self.of_block(name, features[name])
        return total / len(self.scale)

    def of_block(self, name: str, values: NDArray[np.float32]) -> FloatArray:
        """Give the squared distances of one block."""
        if name in self.counts:
            return 2 * (1 - tanimoto(_sparse(values), self.counts[name])) / self.scale[name]
        x, y = values.astype(np.float64), precise(self.dense[name]).astype(np.float64)
        squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
        result: FloatArray = np.maximum(squares, 0) / self.scale[name]
        return result

    def arrays(self) -> Arrays:
        """Give what `restore` takes."""
        arrays: Arrays = {f"{name}.landmarks": values for name, values in self.dense.items()}
        for name, matrix in self.counts.items():
            arrays[f"{name}.lengths"] = np.diff(matrix.indptr).astype(np.uint16)
            arrays[f"{name}.places"] = matrix.indices.astype(np.uint16)
            arrays[f"{name}.counts"] = matrix.data.astype(np.uint8)
        return arrays | {"scale": np.array(list(self.scale.values()))}

    @classmethod
    def restore(cls, arrays: Arrays, blocks: dict[str, int]) -> Self:
        """Take the landmarks from a file; `blocks` are the widths."""
        dense, counts = {}, {}
        for name, width in blocks.items():
            if name in COUNTS:
                counts[name] = _sparse_from(arrays, name, width)
            else:
                dense[name] = take(arrays, f"{name}.landmarks", (None, width))
        scale = take(arrays, "scale", (len(blocks),))
        found = cls(dense, counts, dict(zip(blocks, scale.tolist(), strict=True)))
        if len({matrix.shape[0] for matrix in [*dense.values(), *counts.values()]}) != 1:
            raise ExLMError("its blocks have different numbers of landmarks")
        return found


def kept(values: NDArray[np.float32]) -> NDArray[Any]:
    """Round the prepared numbers of a block to 16 bits, or to 8 of a wide one.

    Examples
    --------
    >>> precise(kept(np.full((1, 64), 0.1, np.float32)))[0, 0], kept(np.full((1, 2), 0.1, np.float32)).dtype
    (np.float32(0.07874016), dtype('float16'))
    """
    if values.shape[1] < _WIDE:
        return values.astype(np.float16)
    return np.round(values * _STEPS).astype(np.int8)


def precise(values: NDArray[Any]) -> NDArray[np.float32]:
    """Give the numbers of which `kept` made these."""
    numbers: NDArray[np.float32] = values.astype(np.float32)
    return numbers / np.float32(_STEPS) if values.dtype == np.int8 else numbers


def tanimoto(left: Any, right: Any) -> FloatArray:
    """Give the Tanimoto coefficients of counts: the sum of minima over the sum of maxima, 1 for two without any.

    Parameters
    ----------
    left, right : sparse matrices of shapes (n, width) and (m, width)
        The counts.

    Examples
    --------
    >>> tanimoto(sparse.csr_matrix([[2, 0, 1]]), sparse.csr_matrix([[1, 1, 1]]))
    array([[0.5]])
    """
    minima = np.zeros((left.shape[0], right.shape[0]))
    for level in range(1, int(min(left.max(), right.max())) + 1 if left.nnz and right.nnz else 1):
        # min(a, b) is the number of levels that both reach
        minima += (_reaching(left, level) @ _reaching(right, level).T).toarray()
    maxima = left.sum(1, dtype=np.float64) + right.sum(1, dtype=np.float64).T - minima
    result: FloatArray = np.divide(minima, maxima, out=np.ones_like(minima), where=np.asarray(maxima > 0))
    return result


def _reaching(matrix: Any, level: int) -> Any:
    reached = matrix.data >= level
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[reached]
    ones = np.ones(int(reached.sum()), np.float32)
    return sparse.csr_matrix((ones, (rows, matrix.indices[reached])), shape=matrix.shape)


def _sparse(values: NDArray[np.float32]) -> Any:
    """Counts as a sparse matrix; a missing one is 0, and none is larger than 255."""
    return sparse.csr_matrix(np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8))


def _sparse_from(arrays: Arrays, name: str, width: int) -> Any:
    lengths, places = take(arrays, f"{name}.lengths", (None,)), take(arrays, f"{name}.places", (None,))
    counts = take(arrays, f"{name}.counts", places.shape)
    ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    integers = {lengths.dtype, places.dtype, counts.dtype} <= {np.dtype(np.uint8), np.dtype(np.uint16)}
    if not integers or ends[-1] != len(places) or (len(places) and places.max() >= width):
        raise ExLMError(f"the counts of block {quoted(name)} contradict each other")
    return sparse.csr_matrix((counts, places.astype(np.int32), ends.astype(np.int32)), shape=(len(lengths), width))

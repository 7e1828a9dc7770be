"""How far molecules are from landmarks: squared distances of every block, brought to one scale and averaged.

Blocks of counts are compared by the Tanimoto coefficient of counts (the sum of minima over the sum of maxima), which is
the inner product of vectors of length 1, so that 2 (1 - T) is a squared distance too. All others are compared by the
Euclidean distance of their prepared numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.tanimoto import TanimotoIndex
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
        Blocks of counts, shape (landmarks, width), of uint8.
    scale : dict
        For every block, what its squared distances are divided by: half of their mean over the training molecules.
    """

    dense: dict[str, NDArray[Any]]
    counts: dict[str, NDArray[np.uint8]]
    scale: dict[str, float]

    @classmethod
    def take(cls, features: Features, chosen: NDArray[np.int64]) -> Self:
        """Make landmarks of some of the training molecules; `features` are counts, and numbers that are prepared."""
        dense, counts = {}, {}
        for name, values in features.items():
            if name in COUNTS:
                counts[name] = _counts(values[chosen])
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
            return 2 * (1 - self._similarities(name, values)) / self.scale[name]
        x, y = values.astype(np.float64), precise(self.dense[name]).astype(np.float64)
        squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
        result: FloatArray = np.maximum(squares, 0) / self.scale[name]
        return result

    def _similarities(self, name: str, values: NDArray[np.float32]) -> FloatArray:
        index, asked = self._indexes[name], _or_none(_counts(values))
        keys = [one.tobytes() for one in asked]
        # each once: an explanation asks for one molecule thousands of times
        found = {key: index.similarities(one) for key, one in dict(zip(keys, asked, strict=True)).items()}
        return np.array([found[key] for key in keys]).reshape(len(asked), len(self))

    @cached_property
    def _indexes(self) -> dict[str, TanimotoIndex]:
        return {name: TanimotoIndex(_or_none(counts)) for name, counts in self.counts.items()}

    def arrays(self) -> Arrays:
        """Give what `restore` takes."""
        arrays: Arrays = {f"{name}.landmarks": values for name, values in self.dense.items()}
        for name, counts in self.counts.items():
            rows, places = np.nonzero(counts)
            arrays[f"{name}.lengths"] = np.bincount(rows, minlength=len(counts)).astype(np.uint16)
            arrays[f"{name}.places"] = places.astype(np.uint16)
            arrays[f"{name}.counts"] = counts[rows, places]
        return arrays | {"scale": np.array(list(self.scale.values()))}

    @classmethod
    def restore(cls, arrays: Arrays, blocks: dict[str, int]) -> Self:
        """Take the landmarks from a file; `blocks` are the widths."""
        dense, counts = {}, {}
        for name, width in blocks.items():
            if name in COUNTS:
                counts[name] = _counts_from(arrays, name, width)
            else:
                dense[name] = take(arrays, f"{name}.landmarks", (None, width))
        scale = take(arrays, "scale", (len(blocks),))
        found = cls(dense, counts, dict(zip(blocks, scale.tolist(), strict=True)))
        if len({len(values) for values in [*dense.values(), *counts.values()]}) != 1:
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


def _counts(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Counts in eight bits; a missing one is 0, and none is larger than 255."""
    return np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)


def _or_none(counts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put a column behind the counts that is 1 where all are 0: two molecules without any are alike."""
    return np.concatenate([counts, ~counts.any(1, keepdims=True)], axis=1, dtype=np.uint8)


def _counts_from(arrays: Arrays, name: str, width: int) -> NDArray[np.uint8]:
    lengths, places = take(arrays, f"{name}.lengths", (None,)), take(arrays, f"{name}.places", (None,))
    values = take(arrays, f"{name}.counts", places.shape)
    integers = {lengths.dtype, places.dtype, values.dtype} <= {np.dtype(np.uint8), np.dtype(np.uint16)}
    if not integers or lengths.sum(dtype=np.int64) != len(places) or (len(places) and places.max() >= width):
        raise ExLMError(f"the counts of block {quoted(name)} contradict each other")
    counts = np.zeros((len(lengths), width), np.uint8)
    counts[np.repeat(np.arange(len(lengths)), lengths), places] = values
    return counts

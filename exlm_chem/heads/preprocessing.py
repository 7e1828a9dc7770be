"""What is done to features before a head reads them, by statistics of the training molecules only.

Missing numbers become the training median, outliers are brought to the range of the training molecules, columns are
standardised and clipped, and a column that is constant becomes 0. Counts of a fingerprint go through log(1 + x) first.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.features.columns import ColumnsBlock
from exlm_chem.heads.arrays import Arrays, take
from exlm_chem.heads.examples import Features

COUNTS: Final = frozenset({"ecfp"})
"""Blocks that hold counts, or bits."""

CLIP: Final = 10.0
BESIDE: Final = 10.0
"""How much larger extra columns are where blocks stand side by side: a penalty on thousands of numbers hides few."""

TAIL: Final = 0.001
"""Share of the training molecules on either side of the range that numbers are brought to."""


@dataclass(frozen=True)
class BlockScaling:
    """How the numbers of one block are prepared; all arrays have shape (width,)."""

    fill: NDArray[np.float32]
    """In the place of a missing number."""
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    """The range."""
    mean: NDArray[np.float32]
    factor: NDArray[np.float32]
    """1 / standard deviation; 0 for a column that is constant."""

    @classmethod
    def fit(cls, values: NDArray[np.float32]) -> Self:
        """Take the statistics of the training molecules, shape (molecules, width)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a column without any number
            quantiles = np.empty((3, values.shape[1]))
            gaps = np.isnan(values).any(0)
            for some, function in ((gaps, np.nanquantile), (~gaps, np.quantile)):  # the first goes column by column
                quantiles[:, some] = function(values[:, some], (0.5, TAIL, 1 - TAIL), axis=0)
            fill, low, high = np.nan_to_num(quantiles.astype(np.float32))
        ranged = np.clip(np.where(np.isnan(values), fill, values), low, high).astype(np.float64)
        mean, deviation = ranged.mean(0), ranged.std(0)
        varies = deviation > 1e-6 * np.maximum(np.abs(mean), 1e-6)
        factor = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
        return cls(fill, low, high, mean.astype(np.float32), factor.astype(np.float32))

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Prepare the numbers of some molecules."""
        ranged = np.clip(np.where(np.isnan(values), self.fill, values), self.low, self.high)
        scaled: NDArray[np.float32] = np.clip((ranged - self.mean) * self.factor, -CLIP, CLIP)
        return scaled


@dataclass(frozen=True)
class Preprocessing:
    """How the blocks of a head are prepared, each on its own."""

    blocks: dict[str, BlockScaling]

    @classmethod
    def fit(cls, features: Features) -> Self:
        """Take the statistics of the training molecules."""
        return cls({name: BlockScaling.fit(_logarithm(name, values)) for name, values in features.items()})

    def apply(self, features: Features) -> dict[str, NDArray[np.float32]]:
        """Prepare the blocks of some molecules."""
        return {name: scaling.apply(_logarithm(name, features[name])) for name, scaling in self.blocks.items()}

    def joined(self, features: Features) -> NDArray[np.float32]:
        """Prepare the blocks and put them side by side: shape (molecules, all widths)."""
        prepared = self.apply(features)
        if ColumnsBlock.name in prepared:
            prepared[ColumnsBlock.name] = prepared[ColumnsBlock.name] * np.float32(BESIDE)
        return np.concatenate(list(prepared.values()), axis=1)

    def arrays(self) -> Arrays:
        """Give what `restore` takes."""
        return {
            f"{name}.{part}": values for name, scaling in self.blocks.items() for part, values in vars(scaling).items()
        }

    @classmethod
    def restore(cls, arrays: Arrays, blocks: dict[str, int]) -> Self:
        """Take the statistics from a file; `blocks` are the widths."""
        return cls(
            {
                name: BlockScaling(*(take(arrays, f"{name}.{part}", (width,)) for part in BlockScaling.__annotations__))
                for name, width in blocks.items()
            }
        )


def _logarithm(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.log1p(np.maximum(values, 0)) if name in COUNTS else values

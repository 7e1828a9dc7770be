"""Planning: which molecules come together in a batch, with how many masks, and in which order.

An epoch is cut into pools; the molecules of a pool are sorted by the length that they will have after expansion and cut
into batches, which are shuffled. So nearly nothing is padded, every epoch mixes anew, and no more than a pool of
a corpus has to be in memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exlm_chem.modeling import ExLMConfig
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.masking import draw_mask_counts
from exlm_chem.pretraining.order import permuted
from exlm_chem.training.bucketing import cut_batches

POOL = 32_768
# First numbers of the random seeds, so that no two uses of randomness ever share one.
ORDER, PLAN, MASKS, VALIDATION, OTHERS = 1, 2, 3, 4, 5

BatchKey = tuple[int, int, int]
"""Epoch, pool and number of a batch."""


@dataclass(frozen=True)
class PoolPlan:
    """The batches of one pool.

    Attributes
    ----------
    rows : array of int64
        Corpus rows, batch after batch.
    masks : array of int64
        Masked tokens of each.
    starts : array of int64
        Where every batch begins; one more at the end.
    """

    rows: NDArray[np.int64]
    masks: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, batch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Corpus rows and masks of one batch."""
        part = slice(self.starts[batch], self.starts[batch + 1])
        return self.rows[part], self.masks[part]


@dataclass(frozen=True)
class Plan:
    """All batches of a run, epoch after epoch, each found by its key.

    Attributes
    ----------
    corpus : Corpus
    config : ExLMConfig
        Its objective and states decide how long a molecule becomes.
    mask_ratio, unmasked : float
        See `draw_mask_counts`.
    batch_tokens : int
        Largest number of tokens of a batch after expansion.
    seed : int
        Decides order and masks.
    pool_size : int
        Molecules that are sorted together.
    """

    corpus: Corpus
    config: ExLMConfig
    mask_ratio: float
    unmasked: float
    batch_tokens: int
    seed: int
    pool_size: int = POOL

    def pool(self, epoch: int, pool: int) -> PoolPlan:
        """Plan one pool."""
        size = len(self.corpus)
        positions = np.arange(pool * self.pool_size, min((pool + 1) * self.pool_size, size))
        rows = self.corpus.training_rows(permuted(positions, size, (ORDER, self.seed, epoch)))
        return self._cut(rows, np.random.default_rng((PLAN, self.seed, epoch, pool)))

    def validation(self, most: int) -> PoolPlan:
        """Plan the first validation molecules: the same in every run, whatever its seed."""
        return self._cut(self.corpus.validation_rows(most), np.random.default_rng(VALIDATION))

    def keys(self, skip: int = 0) -> Iterator[BatchKey]:
        """Give the keys of all batches but the first `skip`, without end."""
        pools = -(-len(self.corpus) // self.pool_size)
        for epoch in itertools.count():
            for pool in range(pools):
                batches = len(self.pool(epoch, pool))
                yield from ((epoch, pool, batch) for batch in range(skip, batches))
                skip = max(0, skip - batches)

    def _cut(self, rows: NDArray[np.int64], generator: np.random.Generator) -> PoolPlan:
        lengths = self.corpus.lengths(rows)
        masks = draw_mask_counts(lengths, self.mask_ratio, self.unmasked, generator)
        costs = expanded_lengths(lengths, masks, self.config)
        order = np.lexsort((generator.random(len(rows)), lengths, costs))
        batches = np.split(order, cut_batches(costs[order], self.batch_tokens)[1:-1])
        shuffled = [batches[number] for number in generator.permutation(len(batches))]
        order = np.concatenate(shuffled) if len(rows) else order
        starts = np.cumsum([0, *(len(batch) for batch in shuffled)]) if len(rows) else np.zeros(1, np.int64)
        return PoolPlan(rows[order], masks[order], starts)


def expanded_lengths(lengths: NDArray[np.int64], masks: NDArray[np.int64], config: ExLMConfig) -> NDArray[np.int64]:
    """Lengths that molecules with so many tokens and masks have after expansion."""
    if config.objective == "mlm":
        return lengths
    longer: NDArray[np.int64] = lengths + (config.num_states - 1) * (masks + 2)
    return longer


def longest_molecule(config: ExLMConfig, mask_ratio: float, batch_tokens: int) -> int:
    """Tokens of the longest molecule that is sure to fit into the model and into a batch, however it is masked."""
    lengths = np.arange(3, config.max_positions + 1)
    masks = np.maximum(np.ceil(mask_ratio * (lengths - 2)), 1).astype(np.int64)
    fits = expanded_lengths(lengths, masks, config) <= min(config.max_positions, batch_tokens)
    return int(lengths[fits][-1]) if fits.any() else 0

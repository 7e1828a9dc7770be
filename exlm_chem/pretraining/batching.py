"""Batching: molecules of like length together, batches of like cost, and every batch found again by its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from exlm_chem.errors import ExLMError
from exlm_chem.modeling.exlm import NOT_A_TARGET
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.masking import mask_tokens
from exlm_chem.pretraining.target_store import TargetStore
from exlm_chem.tokenizer import ExLMTokenizer

# Molecules sorted by length together: enough for batches of equal length, few enough that every epoch mixes anew.
POOL = 32_768


@dataclass(frozen=True)
class BatchPlan:
    """The batches of one epoch.

    Attributes
    ----------
    rows : array of int64
        Corpus rows, batch after batch.
    starts : array of int64
        Where every batch begins in `rows`; one more at the end.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, batch: int) -> NDArray[np.int64]:
        """Corpus rows of one batch."""
        return self.rows[self.starts[batch] : self.starts[batch + 1]]


def plan_batches(
    rows: NDArray[np.int64], costs: NDArray[np.int64], batch_tokens: int, generator: np.random.Generator
) -> BatchPlan:
    """Shuffle molecules and cut them into batches.

    Parameters
    ----------
    rows : array of int64, shape (n,)
        Corpus rows.
    costs : array of int64, shape (n,)
        Tokens that each takes in a batch.
    batch_tokens : int
        Largest number of rows x longest row of a batch.
    generator : numpy.random.Generator
        Decides the order.

    Returns
    -------
    BatchPlan

    Raises
    ------
    ExLMError
        When a single molecule is larger than a batch may be.

    Examples
    --------
    >>> plan = plan_batches(np.arange(5), np.array([9, 3, 3, 9, 3]), 10, np.random.default_rng(0))
    >>> sorted(sorted(plan[i].tolist()) for i in range(len(plan)))
    [[0], [1, 2, 4], [3]]
    """
    if len(costs) and costs.max() > batch_tokens:
        raise ExLMError(f"a molecule needs {costs.max()} tokens, a batch has {batch_tokens}: raise --batch-tokens.")
    order = generator.permutation(len(rows))
    batches = []
    for begin in range(0, len(order), POOL):
        pool = order[begin : begin + POOL]
        pool = pool[np.argsort(costs[pool], kind="stable")]
        sizes = costs[pool]
        start = 0
        while start < len(pool):
            window = sizes[start : start + batch_tokens // max(1, sizes[start])]
            size = int(np.searchsorted(window * np.arange(1, len(window) + 1), batch_tokens, side="right"))
            batches.append(pool[start : start + size])
            start += size
    shuffled = [batches[i] for i in generator.permutation(len(batches))]
    starts = np.cumsum([0, *(len(batch) for batch in shuffled)])
    return BatchPlan(rows[np.concatenate(shuffled)] if shuffled else rows[:0], starts)


@dataclass(frozen=True)
class Batch:
    """A batch as the model takes it: the arguments of `ExLMForMaskedLM`."""

    input_ids: Tensor
    labels: Tensor
    molecule_targets: dict[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device) -> Batch:
        """Copy to a device."""
        targets = {name: values.to(device) for name, values in self.molecule_targets.items()}
        return Batch(self.input_ids.to(device), self.labels.to(device), targets)


class MaskedBatches(Dataset[Batch]):
    """The batches of one epoch, masked: batch i is the same whenever and wherever it is asked for.

    Parameters
    ----------
    corpus : Corpus
    plan : BatchPlan
    tokenizer : ExLMTokenizer
    mask_ratio : float
        See `mask_tokens`.
    seed : sequence of int
        Together with the number of the batch it decides the masks.
    unmasked : float
        Share of the molecules that keep all their tokens, as in inference.
    targets : sequence of TargetStore
        Molecule-level targets that come with the molecules.
    """

    def __init__(
        self,
        corpus: Corpus,
        plan: BatchPlan,
        tokenizer: ExLMTokenizer,
        mask_ratio: float,
        seed: tuple[int, ...],
        unmasked: float = 0.0,
        targets: Sequence[TargetStore] = (),
    ) -> None:
        self.corpus, self.plan, self.tokenizer, self.mask_ratio, self.seed = corpus, plan, tokenizer, mask_ratio, seed
        self.unmasked, self.targets = unmasked, targets

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> Batch:
        """Masked batch number `index`."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        rows = self.plan[index]
        ids = self.tokenizer.pad([self.corpus[row].tolist() for row in rows])
        generator = np.random.default_rng([*self.seed, index])
        masked, labels = mask_tokens(ids, self.mask_ratio, self.tokenizer.unk_id + 1, self.tokenizer.mask_id, generator)
        if self.unmasked:
            whole = generator.random((len(rows), 1)) < self.unmasked
            masked, labels = np.where(whole, ids, masked), np.where(whole, NOT_A_TARGET, labels)
        targets: dict[str, Tensor] = {store.name: torch.from_numpy(store[rows]) for store in self.targets}
        return Batch(torch.from_numpy(masked), torch.from_numpy(labels), targets)

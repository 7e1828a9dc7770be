"""Batching: a batch is the same whenever, wherever and by whichever process it is made."""

from __future__ import annotations

import atexit
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.errors import ExLMError
from exlm_chem.modeling.inputs import NOT_A_TARGET, MaskedInputs, OtherTexts, prepare_inputs
from exlm_chem.modeling.tensor_group import TensorGroup
from exlm_chem.pretraining.batch_plan import MASKS, OTHERS, VALIDATION, BatchKey, Plan, PoolPlan, expanded_lengths
from exlm_chem.pretraining.mask_units import mask_units
from exlm_chem.pretraining.masking import mask_tokens
from exlm_chem.pretraining.objective_values import ObjectiveValues
from exlm_chem.smiles.molecule import randomised_smiles
from exlm_chem.terms import MaskUnit

# A molecule written anew may be longer than planned: a batch may grow by this factor, beyond that the text stays.
GROWTH = 1.5


@dataclass(frozen=True)
class Batch(TensorGroup):
    """A batch as the model takes it, and what it holds.

    Attributes
    ----------
    inputs : MaskedInputs
    molecule_targets : dict of str to Tensor of shape (B, numbers)
        Values of the molecule-level objectives.
    molecules : int
        B.
    tokens : int
        Tokens after expansion, padding not counted.
    places : int
        Tokens after expansion, padding counted: B x L.
    others : OtherTexts or None
        Other SMILES of the molecules without masks.
    """

    inputs: MaskedInputs
    molecule_targets: dict[str, Tensor] = field(default_factory=dict)
    molecules: int = 0
    tokens: int = 0
    places: int = 0
    others: OtherTexts | None = None


class MaskedBatches(Dataset[Batch]):
    """The batches of a run by their keys; those of the validation part by their numbers.

    Parameters
    ----------
    plan : Plan
        Which molecules and how many masks.
    tokenizer : Tokenizer
    targets : sequence of ObjectiveValues
        Values of the molecule-level objectives, which come with the molecules.
    randomise : float
        Share of the molecules that are written anew, from another atom and in another order. (Not in validation.)
    unit : {"token", "span", "fragment"}
        What is masked together; see `mask_units`. (In validation always single tokens.)
    consistency : bool
        Whether molecules without masks come with another SMILES, too.
    """

    def __init__(
        self,
        plan: Plan,
        tokenizer: Tokenizer,
        targets: Sequence[ObjectiveValues] = (),
        randomise: float = 0.0,
        unit: MaskUnit = "token",
        consistency: bool = False,
    ) -> None:
        self.plan, self.tokenizer, self.targets = plan, tokenizer, targets
        self.randomise, self.unit, self.consistency = randomise, unit, consistency
        self._pool = lru_cache(maxsize=1)(plan.pool)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_pool"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._pool = lru_cache(maxsize=1)(self.plan.pool)

    def __getitem__(self, key: BatchKey) -> Batch:
        """Make the batch of a key."""
        generator = np.random.default_rng((OTHERS, self.plan.seed, *key))
        return self._batch(self._rows(key)[0], *self.tokens(key), generator)

    def tokens(self, key: BatchKey) -> tuple[Tensor, Tensor]:
        """Token ids with masks and labels of a batch, each int64 of shape (B, T)."""
        generator = np.random.default_rng((MASKS, self.plan.seed, *key))
        return self._masked(*self._rows(key), generator, self.randomise, self.unit)

    def validation(self, plan: PoolPlan) -> Iterator[Batch]:
        """Make the batches of the validation part."""
        for number in range(len(plan)):
            rows, masks = plan[number]
            generator = np.random.default_rng((VALIDATION, number))
            yield self._batch(rows, *self._masked(rows, masks, generator), generator)

    def _rows(self, key: BatchKey) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        epoch, pool, number = key
        return self._pool(epoch, pool)[number]

    def _masked(
        self,
        rows: NDArray[np.int64],
        masks: NDArray[np.int64],
        generator: np.random.Generator,
        randomise: float = 0.0,
        unit: MaskUnit = "token",
    ) -> tuple[Tensor, Tensor]:
        tokenizer = self.tokenizer
        ids = self.plan.corpus.padded(rows, tokenizer.pad_id)
        if randomise:
            ids = self._rewritten(ids, masks, generator, randomise)
        units = mask_units(unit, ids, tokenizer, generator)
        masked, labels = mask_tokens(ids, masks, tokenizer.unk_id + 1, tokenizer.mask_id, generator, units)
        return torch.from_numpy(masked), torch.from_numpy(labels)

    def _batch(
        self, rows: NDArray[np.int64], input_ids: Tensor, labels: Tensor, generator: np.random.Generator
    ) -> Batch:
        inputs = prepare_inputs(self.plan.config, input_ids, labels)
        return Batch(
            inputs,
            {store.name: torch.from_numpy(store[rows]) for store in self.targets},
            molecules=len(rows),
            tokens=int(inputs.expansion.length.sum()),
            places=inputs.expansion.input_ids.numel(),
            others=self._others(input_ids, labels, generator) if self.consistency else None,
        )

    def _others(self, input_ids: Tensor, labels: Tensor, generator: np.random.Generator) -> OtherTexts | None:
        """Write the molecules without masks in other words; None if there is none of which RDKit could."""
        unmasked = np.flatnonzero((labels == NOT_A_TARGET).all(1))
        ids = input_ids.numpy()[unmasked]
        others = self._rewritten(ids, np.zeros(len(ids), np.int64), generator, 1.0) if len(ids) else ids
        width = min(ids.shape[1], others.shape[1])
        new = (others[:, :width] != ids[:, :width]).any(1)
        rows = torch.from_numpy(unmasked[new])
        return OtherTexts(rows, torch.from_numpy(others[new])) if len(rows) else None

    def _rewritten(
        self, ids: NDArray[np.int64], masks: NDArray[np.int64], generator: np.random.Generator, share: float
    ) -> NDArray[np.int64]:
        """Write some molecules anew; one stays as it is where RDKit cannot, or where it would become too long."""
        config = self.plan.config
        texts = [[token for token in row if token != self.tokenizer.pad_id] for row in ids.tolist()]
        longest = expanded_lengths(np.array([len(text) for text in texts]), masks, config).max()
        allowed = min(config.max_positions, int(GROWTH * longest))
        chosen = generator.random(len(ids)) < share
        seeds = generator.integers(2**31, size=len(ids)).tolist()
        for row in np.flatnonzero(chosen).tolist():
            try:
                other = self.tokenizer.encode(randomised_smiles(self.tokenizer.decode(texts[row]), seeds[row]))
            except ExLMError:  # RDKit cannot, or the tokenizer has no words for what it wrote
                continue
            length, count = np.array([len(other)]), masks[row : row + 1]
            if length - 2 >= count and expanded_lengths(length, count, config) <= allowed:
                texts[row] = other
        return self.tokenizer.pad(texts)


def load_batches(
    batches: MaskedBatches, skip: int, process: int, processes: int, num_workers: int, pin_memory: bool
) -> Iterator[Batch]:
    """Give the batches of one process, without end.

    Parameters
    ----------
    batches : MaskedBatches
    skip : int
        Batches that are done, of all processes together.
    process, processes : int
        This one's number, and how many share the batches: each takes its turn.
    num_workers : int
        Processes that prepare batches; 0 is this one.
    pin_memory : bool
        Whether a GPU will fetch them.
    """
    keys = itertools.islice(batches.plan.keys(skip), process, None, processes)
    # A generator of its own: otherwise the loader would draw from the numbers that dropout draws from.
    generator = torch.Generator().manual_seed(0)
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=keys,
        num_workers=num_workers,
        pin_memory=pin_memory,
        generator=generator,
        worker_init_fn=end_at_once,
        multiprocessing_context="spawn" if num_workers else None,  # a fork of a process with threads may hang
    )
    return iter(loader)


def end_at_once(_worker: int) -> None:
    """Let this process end without taking Python down.

    A worker that is not needed any more may still have batches that wait to be sent, and a thread that sends them.
    Python ends its threads by unwinding their stacks, torch's part of which allows no such thing: the process is
    aborted ("terminate called without an active exception"), and torch takes that for the failure of the whole run.
    """
    atexit.register(os._exit, 0)

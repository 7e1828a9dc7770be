"""What the masked language model is given: expanded sequences, and what has to be emitted where.

All of it follows from the tokens. It is made on the CPU, by the processes that prepare batches: every size is a plain
number there, so that a step on a GPU never has to wait for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.expansion import Expansion, expand_tokens
from exlm_chem.modeling.tensor_group import TensorGroup

NOT_A_TARGET = -100


@dataclass(frozen=True)
class MaskedInputs(TensorGroup):
    """A batch of B masked molecules, R of which have something to predict.

    Attributes
    ----------
    expansion : Expansion
        All B molecules, expanded.
    rows : Tensor of int64, shape (R,)
        The molecules with masks; the first molecule if none has any.
    num_masked : Tensor of int64, shape (R,)
        Masked tokens of each.
    targets : Tensor of int64, shape (R, M), or (N,) for "mlm"
        The tokens to emit, padded on the right; for "mlm" those of all N masks, one after the other.
    target_length : Tensor of int64, shape (R,)
        How many of `targets` are a row's: its masks, and for "exlm" also ``<s>`` and every ``</s>``.
    target_masked : Tensor of bool, shape of `targets`
        Which of them are hidden by a mask.
    state_positions : Tensor of int64, shape (R, S), or (N,) for "mlm"
        Where the states stand in the expanded row; for "mlm" where the masks stand in the flattened (B, T) batch.
    state_length : Tensor of int64, shape (R,)
        How many of `state_positions` are a row's.
    ends_in_state : Tensor of bool, shape (R,)
        Whether the row's last position is a state: otherwise there is no path.
    """

    expansion: Expansion
    rows: Tensor
    num_masked: Tensor
    targets: Tensor
    target_length: Tensor
    target_masked: Tensor
    state_positions: Tensor
    state_length: Tensor
    ends_in_state: Tensor

    @property
    def state_mask(self) -> Tensor:
        """Which of the S columns are states, bool of shape (R, S)."""
        return torch.arange(self.state_positions.shape[1], device=self.rows.device) < self.state_length[:, None]


@dataclass(frozen=True)
class OtherTexts(TensorGroup):
    """Other SMILES of some molecules of a batch, without masks.

    Attributes
    ----------
    rows : Tensor of int64, shape (N,)
        Which molecules of the batch.
    input_ids : Tensor of int64, shape (N, T)
        Their tokens in other words, padded on the right.
    """

    rows: Tensor
    input_ids: Tensor


def special_tokens(config: ExLMConfig, input_ids: Tensor) -> Tensor:
    """Where ``<s>`` and ``</s>`` stand, bool of the shape of `input_ids`; these are always expanded."""
    return (input_ids == config.bos_token_id) | (input_ids == config.eos_token_id)


def expand_inputs(config: ExLMConfig, input_ids: Tensor, expand: Tensor | None = None) -> Expansion:
    """Expand a batch as the objective says: ``<s>``, ``</s>`` and the tokens of `expand`, or nothing for "mlm"."""
    if config.objective == "mlm":
        marks = torch.zeros_like(input_ids, dtype=torch.bool)
    else:
        special = special_tokens(config, input_ids)
        marks = special if expand is None else special | expand
    return expand_tokens(input_ids, marks, config.num_states, config.pad_token_id)


def prepare_inputs(
    config: ExLMConfig, input_ids: Tensor, labels: Tensor, expansion: Expansion | None = None
) -> MaskedInputs:
    """Lay out a batch for `ExLMForMaskedLM`.

    Parameters
    ----------
    config : ExLMConfig
        Of the model.
    input_ids : Tensor of int64, shape (B, T)
        Tokens with masks, padded on the right.
    labels : Tensor of int64, shape (B, T)
        The original token where one is to be predicted, -100 elsewhere. A row without any counts for the
        molecule-level objectives only.
    expansion : Expansion, optional
        Of another making than `expand_inputs`.

    Returns
    -------
    MaskedInputs

    Examples
    --------
    >>> config = ExLMConfig(vocab_size=20, num_states=2)
    >>> inputs = prepare_inputs(config, torch.tensor([[0, 4, 6, 2]]), torch.tensor([[-100, 7, -100, -100]]))
    >>> inputs.targets.tolist(), inputs.state_positions.tolist()  # 6, at position 4, is no state
    ([[0, 7, 2]], [[0, 1, 2, 3, 5, 6]])
    """
    masked = labels != NOT_A_TARGET
    expansion = expand_inputs(config, input_ids, masked) if expansion is None else expansion
    num_masked = masked.sum(1)
    rows = num_masked.nonzero()[:, 0]
    if not len(rows):
        rows = torch.zeros(1, dtype=torch.long, device=input_ids.device)
    input_ids, wanted, num_masked = input_ids[rows], labels[rows], num_masked[rows]
    if config.objective == "mlm":
        return MaskedInputs(
            expansion=expansion,
            rows=rows,
            num_masked=num_masked,
            targets=labels[masked],
            target_length=num_masked,
            target_masked=torch.ones(int(masked.sum()), dtype=torch.bool, device=input_ids.device),
            state_positions=masked.flatten().nonzero()[:, 0],
            state_length=num_masked,
            ends_in_state=torch.ones_like(rows, dtype=torch.bool),
        )
    hidden = wanted != NOT_A_TARGET
    wanted = torch.where(special_tokens(config, input_ids), input_ids, wanted)
    emitted = wanted != NOT_A_TARGET
    target_length = emitted.sum(1)
    order = emitted.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, : int(target_length.max())]
    missing = torch.arange(order.shape[1], device=order.device) >= target_length[:, None]
    state_length = expansion.state_length[rows]
    return MaskedInputs(
        expansion=expansion,
        rows=rows,
        num_masked=num_masked,
        targets=wanted.gather(1, order).masked_fill(missing, config.pad_token_id),
        target_length=target_length,
        target_masked=hidden.gather(1, order) & ~missing,
        state_positions=expansion.state_positions[rows, : int(state_length.max())],
        state_length=state_length,
        ends_in_state=expansion.ends_in_state[rows],
    )

"""Expansion: every expanded token becomes k states, each with a position (p, s) of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from exlm_chem.modeling.tensor_group import TensorGroup


@dataclass(frozen=True)
class Expansion(TensorGroup):
    """A batch of expanded sequences.

    Attributes
    ----------
    input_ids : Tensor of int64, shape (B, L)
        Token of every position; padding on the right.
    token_index : Tensor of int64, shape (B, L)
        p, the index of the token in the unexpanded sequence.
    state_index : Tensor of int64, shape (B, L)
        s, 0 for a plain token and 1..k for a state.
    length : Tensor of int64, shape (B,)
        Positions of every row that are not padding.
    state_positions : Tensor of int64, shape (B, S)
        Where the states of every row stand, in order; 0 where a row has fewer than S.
    state_length : Tensor of int64, shape (B,)
        States of every row.
    has_padding : bool
        False if all rows are equally long, which spares the encoder its masks.
    """

    input_ids: Tensor
    token_index: Tensor
    state_index: Tensor
    length: Tensor
    state_positions: Tensor
    state_length: Tensor
    has_padding: bool = True

    @property
    def padding(self) -> Tensor:
        """Padding positions, bool of shape (B, L)."""
        return torch.arange(self.input_ids.shape[1], device=self.length.device) >= self.length[:, None]

    @property
    def state_mask(self) -> Tensor:
        """Which of the S columns are states, bool of shape (B, S)."""
        return torch.arange(self.state_positions.shape[1], device=self.length.device) < self.state_length[:, None]

    @property
    def ends_in_state(self) -> Tensor:
        """Whether the last position of a row is a state, bool of shape (B,); a path must end there."""
        last = self.state_positions.gather(1, (self.state_length - 1).clamp(min=0)[:, None])[:, 0]
        return (last == self.length - 1) & (self.state_length > 0)

    def gather_states(self, values: Tensor) -> Tensor:
        """Take the states out of (B, L, ...) values: shape (B, S, ...)."""
        index = self.state_positions.reshape(*self.state_positions.shape, *[1] * (values.dim() - 2))
        return values.gather(1, index.expand(-1, -1, *values.shape[2:]))


def expand_tokens(input_ids: Tensor, expand: Tensor, num_states: int, pad_token_id: int) -> Expansion:
    """Turn every marked token into `num_states` states.

    Parameters
    ----------
    input_ids : Tensor of int64, shape (B, T)
        Tokens, padded on the right.
    expand : Tensor of bool, shape (B, T)
        The tokens to expand; marks on padding are ignored.
    num_states : int
        k.
    pad_token_id : int
        The padding token.

    Returns
    -------
    Expansion

    Notes
    -----
    Rows that end early are filled with padding; the published code fills rows without padding with copies of their
    last token instead, which makes a row's result depend on its neighbours.

    Examples
    --------
    >>> ids = torch.tensor([[0, 7, 9, 2]])
    >>> states = expand_tokens(ids, torch.tensor([[True, False, True, True]]), num_states=2, pad_token_id=1)
    >>> states.input_ids.tolist(), states.token_index.tolist(), states.state_index.tolist()
    ([[0, 0, 7, 9, 9, 2, 2]], [[0, 0, 1, 2, 2, 3, 3]], [[1, 2, 0, 1, 2, 1, 2]])
    """
    num_tokens = input_ids.shape[1]
    real = input_ids != pad_token_id
    expand = expand & real
    ends = torch.where(expand, num_states, 1).cumsum(1)
    expanded_count = expand.sum(1)
    length = real.sum(1) + (num_states - 1) * expanded_count

    longest = int(length.max())
    column = torch.arange(longest, device=input_ids.device).expand(len(input_ids), -1).contiguous()
    token_index = torch.searchsorted(ends, column, right=True).clamp_(max=num_tokens - 1)
    first = (ends - torch.where(expand, num_states, 1)).gather(1, token_index)
    is_state = expand.gather(1, token_index) & (column < length[:, None])
    tokens = input_ids.gather(1, token_index).masked_fill_(column >= length[:, None], pad_token_id)

    state_length = num_states * expanded_count
    most_states = int(state_length.max())
    state_positions = is_state.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most_states]
    missing = torch.arange(most_states, device=input_ids.device) >= state_length[:, None]
    return Expansion(
        input_ids=tokens,
        token_index=token_index,
        state_index=torch.where(is_state, column - first + 1, 0),
        length=length,
        state_positions=state_positions.masked_fill(missing, 0),
        state_length=state_length,
        has_padding=bool((length < longest).any()),
    )

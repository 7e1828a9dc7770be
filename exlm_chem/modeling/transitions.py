"""The transition matrix: log-probabilities of going from a state to a later state."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.path_sums import finite


class TransitionHead(nn.Module):
    """Learned transitions between the S states of a graph.

    Every head is a softmax over the later states; the heads are mixed by a gate that depends on the state left.
    Attends to the features and to a learned embedding of the position in the expanded sequence.
    """

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        width, self.num_heads = config.hidden_size, config.num_attention_heads
        self.num_states, self.state_graph = config.num_states, config.state_graph
        # Rows 0..pad are never a state's: the published table counts positions from pad + 1.
        self.first_row = config.pad_token_id + 1
        self.pos_embeddings = nn.Embedding(
            config.max_positions + self.first_row, width, padding_idx=config.pad_token_id
        )
        self.Wq = nn.Linear(2 * width, width)
        self.Wk = nn.Linear(2 * width, width)
        self.Wgate = nn.Linear(2 * width, self.num_heads)

    def forward(self, features: Tensor, positions: Tensor, state_mask: Tensor) -> Tensor:
        """Compute the transition matrix of every row.

        Parameters
        ----------
        features : Tensor, shape (B, S, D)
            Features of the states, in the order of their positions.
        positions : Tensor of int64, shape (B, S)
            Position of every state in the expanded sequence.
        state_mask : Tensor of bool, shape (B, S)
            False where a row has fewer than S states.

        Returns
        -------
        Tensor, shape (B, S, S)
            ``[b, i, j]`` is the log-probability of going from state i to state j; -inf unless i < j, or where the
            graph is restricted. Rows from which a state can be reached sum to 1 in probability.
        """
        allowed = (state_mask[:, :, None] & state_mask[:, None, :]).triu(1)
        if self.state_graph != "full":
            allowed &= to_next_mask(state_mask, self.num_states, lanes=self.state_graph == "lanes")
        if self.state_graph in ("even", "lanes"):
            count = allowed.sum(-1, keepdim=True)
            return torch.where(allowed, -count.to(torch.promote_types(features.dtype, torch.float32)).log(), -torch.inf)
        states = torch.cat([features, self.pos_embeddings(positions + self.first_row).to(features.dtype)], dim=-1)
        query, key, gate = self.Wq(states), self.Wk(states), self.Wgate(states)
        # Sums of probabilities need float32 even inside autocast.
        full = torch.promote_types(features.dtype, torch.float32)
        query, key = (x.to(full).unflatten(-1, (self.num_heads, -1)) for x in (query, key))
        log_gate = gate.to(full).log_softmax(-1)
        matrix: Tensor = _MixedHeads.apply(query * query.shape[-1] ** -0.5, key, log_gate, ~allowed)  # type: ignore[no-untyped-call]
        return matrix


def to_next_mask(state_mask: Tensor, num_states: int, lanes: bool = False) -> Tensor:
    """Say which states a restricted graph lets follow each other, bool of shape (B, S, S).

    Those of the next expanded token; of the last one only the state at which every path must end. With `lanes` the
    state of the same number only, but after the first token and before the last.

    Examples
    --------
    >>> to_next_mask(torch.ones(1, 6, dtype=torch.bool), 2)[0].nonzero().tolist()
    [[0, 2], [0, 3], [1, 2], [1, 3], [2, 5], [3, 5]]
    """
    state = torch.arange(state_mask.shape[1], device=state_mask.device)
    token, end = state // num_states, state_mask.sum(1)[:, None, None] - 1
    reachable = (token != end // num_states) | (state == end)
    follows = (token[:, None] + 1 == token) & reachable
    if not lanes:
        return follows
    number = state % num_states
    return follows & ((number[:, None] == number) | (token[:, None] == 0) | (token == end // num_states))


class _MixedHeads(torch.autograd.Function):
    """Mixture of the heads' softmaxes in log space, head after head: no (R, H, S, S) tensor ever exists.

    Each head's scores are computed three times (for their maximum, their sum, and the gradient), which is cheaper than
    to store and read them, and makes memory R x S x S.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, log_gate: Tensor, blocked: Tensor) -> Tensor:
        """Mix heads of (R, S, H, d) queries and keys by (R, S, H) gates; `blocked` (R, S, S) is True where -inf."""
        with torch.autocast(query.device.type, enabled=False):
            heads = range(query.shape[2])
            shifts = torch.empty_like(log_gate)  # gate minus normaliser: what is added to a score
            best = torch.full_like(blocked, -torch.inf, dtype=query.dtype)
            for head in heads:
                scores = _scores(query, key, head, blocked)
                shifts[..., head] = log_gate[..., head] - finite(scores.logsumexp(-1))
                best = torch.maximum(best, scores.add_(shifts[..., head, None]))
            best = finite(best)
            total = torch.zeros_like(best)
            for head in heads:
                total += _scores(query, key, head, blocked).add_(shifts[..., head, None] - best).exp_()
            mixed = total.log_().add_(best)
        ctx.save_for_backward(query, key, log_gate, blocked, shifts, mixed)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        query, key, log_gate, blocked, shifts, mixed = ctx.saved_tensors
        mixed = finite(mixed)
        grad_query, grad_key, grad_gate = torch.empty_like(query), torch.empty_like(key), torch.empty_like(log_gate)
        with torch.autocast(query.device.type, enabled=False):
            for head in range(query.shape[2]):
                scores = _scores(query, key, head, blocked).add_(shifts[..., head, None])
                shared = (scores - mixed).exp_().mul_(grad_output)  # the head's part of the gradient
                grad_gate[..., head] = shared.sum(-1)
                chance = scores.sub_(log_gate[..., head, None]).exp_()  # the head's own softmax
                shared -= chance.mul_(grad_gate[..., head, None])
                grad_query[:, :, head] = shared @ key[:, :, head]
                grad_key[:, :, head] = shared.transpose(1, 2) @ query[:, :, head]
        return grad_query, grad_key, grad_gate, None


def _scores(query: Tensor, key: Tensor, head: int, blocked: Tensor) -> Tensor:
    scores = query[:, :, head] @ key[:, :, head].transpose(1, 2)
    return scores.masked_fill_(blocked, -torch.inf)

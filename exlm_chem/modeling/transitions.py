"""The transition matrix: log-probabilities of going from a state to a later state (reference section 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exlm_chem.modeling.configuration import ExLMConfig


class TransitionHead(nn.Module):
    """Learned transitions between the S states of a graph.

    Every head is a softmax over the later states; the heads are mixed by a gate that depends on the state left.
    Attends to the features and to a learned embedding of the position in the expanded sequence.
    """

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        width, self.num_heads = config.hidden_size, config.num_attention_heads
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
            ``[b, i, j]`` is the log-probability of going from state i to state j; -inf unless i < j. Rows with a
            later state sum to 1 in probability.
        """
        states = torch.cat([features, self.pos_embeddings(positions + self.first_row).to(features.dtype)], dim=-1)
        query, key, gate = self.Wq(states), self.Wk(states), self.Wgate(states)
        # Sums of probabilities need float32 even inside autocast.
        with torch.autocast(features.device.type, enabled=False):
            full = torch.float64 if features.dtype == torch.float64 else torch.float32
            query, key = (x.to(full).unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for x in (query, key))
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
            allowed = (state_mask[:, :, None] & state_mask[:, None, :]).triu(1)
            # A finite floor instead of -inf: rows without a later state would have NaN gradients.
            scores = scores.masked_fill(~allowed[:, None], torch.finfo(full).min)
            log_gate = gate.to(full).log_softmax(-1).transpose(1, 2)[..., None]
            mixed = (scores.log_softmax(-1) + log_gate).logsumexp(1)
            matrix: Tensor = mixed.masked_fill(~allowed, -torch.inf)
        return matrix

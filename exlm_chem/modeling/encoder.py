"""The encoder: layers whose attention rotates by two positions, token p and state s (reference section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exlm_chem.modeling.configuration import ExLMConfig

# Above this length the L x L attention weights cost more than torch's fused kernels do on CPU; below it plain
# matrix products are faster there, most of all in the backward pass.
EXPLICIT_ATTENTION_LENGTH = 256


def rotary_table(
    config: ExLMConfig, token_index: Tensor, state_index: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the two-axis rotary embedding.

    The first half of a head's d numbers is rotated by p, the second half by s; within a half of size m = d/2 the
    pair (r, r + m/2) turns by position x 10000^(-2r/m).

    Parameters
    ----------
    config : ExLMConfig
        Gives the size of a head.
    token_index, state_index : Tensor of int64, shape (B, L)
        Positions p and s.
    dtype : torch.dtype
        float32 or float64.

    Returns
    -------
    (cos, sin) : Tensor of shape (B, 1, L, 2, m/2)
        Axis 3 is the half.
    """
    half = config.hidden_size // config.num_attention_heads // 2
    # float32 first, whatever the dtype: the published model keeps its frequencies so.
    exponent = torch.arange(0, half, 2, dtype=torch.float32, device=token_index.device) / half
    frequency = (1.0 / 10000**exponent).to(dtype)
    angle = torch.stack([token_index, state_index], dim=-1).to(dtype)[..., None] * frequency
    return angle.cos()[:, None], angle.sin()[:, None]


def rotate(values: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate (B, H, L, d) queries or keys by a `rotary_table`."""
    first, second = values.unflatten(-1, (2, 2, -1)).unbind(-2)
    cos, sin = cos.to(values.dtype), sin.to(values.dtype)
    return torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-2).flatten(-3)


class ExLMAttention(nn.Module):
    """Multi-head self-attention over all positions that are not padding."""

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.dropout = config.attention_dropout
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.Wo = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor, cos: Tensor, sin: Tensor, key_bias: Tensor | None) -> Tensor:
        """Attend; `key_bias` (B, 1, 1, L) is -inf at padding, None without padding. Returns (B, L, D)."""
        query, key, value = self.Wqkv(hidden).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        query, key = rotate(query, cos, sin), rotate(key, cos, sin)
        dropout = self.dropout if self.training else 0.0
        if hidden.device.type == "cpu" and hidden.shape[1] <= EXPLICIT_ATTENTION_LENGTH:
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
            if key_bias is not None:
                scores = scores + key_bias
            weights = F.dropout(scores.softmax(-1, dtype=_softmax_dtype(scores)), dropout).to(value.dtype)
            context = weights @ value
        else:
            bias = None if key_bias is None else key_bias.to(query.dtype)
            context = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)
        output: Tensor = self.Wo(context.transpose(1, 2).flatten(-2))
        return output


def _softmax_dtype(scores: Tensor) -> torch.dtype:
    return torch.float64 if scores.dtype == torch.float64 else torch.float32


class ExLMEncoderLayer(nn.Module):
    """Attention and feed-forward with residual connections, layer norms before (default) or after each."""

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        self.norm_first = config.norm_first
        self.attn_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attn = ExLMAttention(config)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.Wi = nn.Linear(config.hidden_size, config.intermediate_size)
        self.Wo = nn.Linear(config.intermediate_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, hidden: Tensor, cos: Tensor, sin: Tensor, key_bias: Tensor | None) -> Tensor:
        """Map (B, L, D) to (B, L, D)."""
        if self.norm_first:
            attended: Tensor = hidden + self.dropout(self.attn(self.attn_norm(hidden), cos, sin, key_bias))
            fed: Tensor = attended + self.dropout(self._mlp(self.mlp_norm(attended)))
            return fed
        hidden = self.attn_norm(hidden + self.dropout(self.attn(hidden, cos, sin, key_bias)))
        normed: Tensor = self.mlp_norm(hidden + self.dropout(self._mlp(hidden)))
        return normed

    def _mlp(self, hidden: Tensor) -> Tensor:
        output: Tensor = self.Wo(F.gelu(self.Wi(hidden)))
        return output


class ExLMEncoder(nn.Module):
    """Token embedding, the layers, and the final layer norm.

    Positions enter through the rotary embedding alone; there is no additive one.
    """

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        self.config = config
        self.tok_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(ExLMEncoderLayer(config) for _ in range(config.num_hidden_layers))
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, input_ids: Tensor, token_index: Tensor, state_index: Tensor, padding: Tensor) -> list[Tensor]:
        """Encode expanded sequences.

        Parameters
        ----------
        input_ids, token_index, state_index : Tensor of int64, shape (B, L)
            Tokens and their positions (p, s).
        padding : Tensor of bool, shape (B, L)
            True at padding.

        Returns
        -------
        list of Tensor, each (B, L, D)
            Input of the first layer, output of every layer, and last the normed features.
        """
        hidden = self.dropout(self.tok_embeddings(input_ids)).masked_fill(padding[..., None], 0.0)
        cos, sin = rotary_table(self.config, token_index, state_index, hidden.dtype)
        key_bias = torch.zeros(padding.shape, dtype=hidden.dtype, device=hidden.device).masked_fill_(
            padding, -torch.inf
        )
        hidden_states = [hidden]
        for layer in self.layers:
            hidden_states.append(layer(hidden_states[-1], cos, sin, key_bias[:, None, None]))
        return [*hidden_states, self.final_norm(hidden_states[-1])]

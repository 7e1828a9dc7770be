"""The encoder: layers whose attention rotates by two positions, token p and state s."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.dropout import Dropout, dropout
from exlm_chem.modeling.expansion import Expansion

# Above this length the L x L attention weights cost more than torch's fused kernels do on CPU; below it plain
# matrix products are faster there, most of all in the backward pass.
EXPLICIT_ATTENTION_LENGTH = 256


def rotary_table(
    config: ExLMConfig, token_index: Tensor, state_index: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the two-axis rotary embedding.

    A head of d numbers is d/2 pairs (r, r + d/2). The first half of the pairs turns by p, the second half by s, pair r
    of a half by position x 10000^(-4r/d). (The published code numbers the pairs in another order; as queries and keys
    are numbered alike, this changes no score.)

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
    (cos, sin) : Tensor of shape (B, L, 1, d)
        sin is negative in its first half, as `rotate` needs it.
    """
    axis = config.hidden_size // config.num_attention_heads // 2
    # float32 first, whatever the dtype: the published model keeps its frequencies so.
    exponent = torch.arange(0, axis, 2, dtype=torch.float32, device=token_index.device) / axis
    frequency = (1.0 / 10000**exponent).to(dtype)
    angle = (torch.stack([token_index, state_index], dim=-1).to(dtype)[..., None] * frequency).flatten(-2)[:, :, None]
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)


def rotate(values: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate (B, L, H, d) queries or keys by a `rotary_table`."""
    return _rotate_into(torch.empty_like(values), values, cos, sin)


def split_heads(projected: Tensor, cos: Tensor, sin: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Cut the output of ``Wqkv`` into queries, keys and values, and rotate the first two.

    Parameters
    ----------
    projected : Tensor, shape (B, L, 3 D)
        Queries, keys and values of all heads, side by side.
    cos, sin : Tensor, shape (B, L, 1, d)
        From `rotary_table`.
    num_heads : int
        H.

    Returns
    -------
    (query, key, value) : Tensor, each (B, H, L, d)
        Contiguous, as matrix products want them.
    """
    parts: tuple[Tensor, Tensor, Tensor]
    parts = _SplitHeads.apply(projected, cos.to(projected.dtype), sin.to(projected.dtype), num_heads)  # type: ignore[no-untyped-call]
    return parts


class _SplitHeads(torch.autograd.Function):
    """One pass over the data, and one back: a rotation's gradient is the rotation back, so only the table is kept."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, cos: Tensor, sin: Tensor, num_heads: int) -> tuple[Tensor, ...]:
        cos, sin = cos.transpose(1, 2), sin.transpose(1, 2)
        ctx.save_for_backward(cos, sin)
        heads = _heads(projected, num_heads)
        result = torch.empty(heads.shape, dtype=projected.dtype, device=projected.device)
        _rotate_into(result[:2], heads[:2], cos, sin)
        result[2].copy_(heads[2])
        return result[0], result[1], result[2]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        cos, sin = ctx.saved_tensors
        rows, num_heads, length, size = grad_outputs[0].shape
        grad = grad_outputs[0].new_empty(rows, length, 3 * num_heads * size)
        heads = _heads(grad, num_heads)
        for part in range(2):
            _rotate_into(heads[part], grad_outputs[part], cos, -sin)
        heads[2].copy_(grad_outputs[2])
        return grad, None, None, None


def _heads(projected: Tensor, num_heads: int) -> Tensor:
    """View (B, L, 3 D) as (3, B, H, L, d)."""
    heads: Tensor = projected.unflatten(-1, (3, num_heads, -1))
    return heads.permute(2, 0, 3, 1, 4)


def _rotate_into(result: Tensor, values: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = values.shape[-1] // 2
    result[..., :half] = values[..., half:]
    result[..., half:] = values[..., :half]
    return result.mul_(sin).addcmul_(values, cos)


class ExLMAttention(nn.Module):
    """Multi-head self-attention over all positions that are not padding."""

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.dropout = config.attention_dropout
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.Wo = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor, cos: Tensor, sin: Tensor, key_bias: Tensor | None) -> Tensor:
        """Attend; `key_bias` (B, L) is -inf at padding and 0 elsewhere, None without padding. Returns (B, L, D)."""
        query, key, value = split_heads(self.Wqkv(hidden), cos, sin, self.num_heads)
        bias = None if key_bias is None else key_bias.to(value.dtype)[:, None, None].expand(-1, self.num_heads, -1, -1)
        probability = self.dropout if self.training else 0.0
        if hidden.device.type == "cpu" and hidden.shape[1] <= EXPLICIT_ATTENTION_LENGTH:
            context = _explicit_attention(query, key, value, bias, probability)
        else:
            context = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=probability)
        output: Tensor = self.Wo(context.transpose(1, 2).flatten(-2))
        return output


def _explicit_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropout_probability: float
) -> Tensor:
    flat_query, flat_key = query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2)
    # With beta = 0 the first argument is not read.
    added = query.new_zeros(1, 1, 1) if bias is None else bias.flatten(0, 1)
    scores = torch.baddbmm(added, flat_query, flat_key, beta=int(bias is not None), alpha=query.shape[-1] ** -0.5)
    weights = dropout(scores.softmax(-1), dropout_probability).to(value.dtype)
    context: Tensor = torch.bmm(weights, value.flatten(0, 1)).unflatten(0, query.shape[:2])
    return context


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
        self.dropout = Dropout(config.hidden_dropout)

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
        self.dropout = Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(ExLMEncoderLayer(config) for _ in range(config.num_hidden_layers))
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, expansion: Expansion) -> list[Tensor]:
        """Encode expanded sequences.

        Parameters
        ----------
        expansion : Expansion
            Tokens and their positions (p, s).

        Returns
        -------
        list of Tensor, each (B, L, D)
            Input of the first layer, output of every layer, and last the normed features.
        """
        hidden = self.dropout(self.tok_embeddings(expansion.input_ids))
        # half precision cannot even tell position 257 from 256
        exact = torch.promote_types(hidden.dtype, torch.float32)
        second = expansion.state_index if self.config.second_position else torch.zeros_like(expansion.state_index)
        cos, sin = rotary_table(self.config, expansion.token_index, second, exact)
        key_bias = None
        if expansion.has_padding:
            padding = expansion.padding
            hidden = hidden.masked_fill(padding[..., None], 0.0)
            key_bias = torch.zeros(padding.shape, dtype=hidden.dtype, device=hidden.device)
            key_bias = key_bias.masked_fill_(padding, -torch.inf)
        hidden_states = [hidden]
        for layer in self.layers:
            hidden_states.append(layer(hidden_states[-1], cos, sin, key_bias))
        return [*hidden_states, self.final_norm(hidden_states[-1])]

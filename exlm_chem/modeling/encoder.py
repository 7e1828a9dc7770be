"""The encoder: layers whose attention rotates by two positions, token p and state s (reference section 3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from exlm_chem.modeling.configuration import ExLMConfig

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
    result: Tensor = _Rotate.apply(values, cos.to(values.dtype), sin.to(values.dtype))  # type: ignore[no-untyped-call]
    return result


class _Rotate(torch.autograd.Function):
    """A rotation's gradient is the rotation back: no intermediate values need to be kept or differentiated."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _swap_halves(values).mul_(sin).addcmul_(values, cos)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return (grad_output * cos).addcmul_(_swap_halves(grad_output), sin, value=-1), None, None


def _swap_halves(values: Tensor) -> Tensor:
    first, second = values.chunk(2, -1)
    return torch.cat([second, first], -1)


class ExLMAttention(nn.Module):
    """Multi-head self-attention over all positions that are not padding."""

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.dropout = config.attention_dropout
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.Wo = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor, cos: Tensor, sin: Tensor, key_bias: Tensor) -> Tensor:
        """Attend; `key_bias` (B, L) is -inf at padding and 0 elsewhere. Returns (B, L, D)."""
        heads = self.Wqkv(hidden).unflatten(-1, (3 * self.num_heads, -1))
        rotated = rotate(heads[:, :, : 2 * self.num_heads], cos, sin)
        query, key = rotated.transpose(1, 2).chunk(2, dim=1)
        value = heads[:, :, 2 * self.num_heads :].transpose(1, 2)
        bias = key_bias.to(value.dtype)[:, None, None].expand(-1, self.num_heads, -1, -1)
        dropout = self.dropout if self.training else 0.0
        if hidden.device.type == "cpu" and hidden.shape[1] <= EXPLICIT_ATTENTION_LENGTH:
            flat_query, flat_key = query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2)
            scores = torch.baddbmm(bias.flatten(0, 1), flat_query, flat_key, alpha=query.shape[-1] ** -0.5)
            weights = F.dropout(scores.softmax(-1), dropout).to(value.dtype)
            context = weights.unflatten(0, (-1, self.num_heads)) @ value
        else:
            context = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)
        output: Tensor = self.Wo(context.transpose(1, 2).flatten(-2))
        return output


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

    def forward(self, hidden: Tensor, cos: Tensor, sin: Tensor, key_bias: Tensor) -> Tensor:
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
            hidden_states.append(layer(hidden_states[-1], cos, sin, key_bias))
        return [*hidden_states, self.final_norm(hidden_states[-1])]

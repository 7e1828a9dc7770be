"""Reads the fixtures of the authors' code and maps their weight names to ours."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from exlm_chem.modeling import ExLMConfig
from exlm_chem.modeling.expansion import Expansion
from exlm_chem.modeling.serialization import SavedModel

FIXTURES = Path(__file__).parent / "fixtures"

NAMES = {
    r"sentence_encoder\.embed_tokens": r"model.encoder.tok_embeddings",
    r"sentence_encoder\.emb_layer_norm_after": r"model.encoder.final_norm",
    r"sentence_encoder\.layers\.(\d+)\.self_attn_layer_norm": r"model.encoder.layers.\1.attn_norm",
    r"sentence_encoder\.layers\.(\d+)\.final_layer_norm": r"model.encoder.layers.\1.mlp_norm",
    r"sentence_encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj": r"model.encoder.layers.\1.attn.Wqkv.\2",
    r"sentence_encoder\.layers\.(\d+)\.self_attn\.out_proj": r"model.encoder.layers.\1.attn.Wo",
    r"sentence_encoder\.layers\.(\d+)\.fc1": r"model.encoder.layers.\1.Wi",
    r"sentence_encoder\.layers\.(\d+)\.fc2": r"model.encoder.layers.\1.Wo",
    r"lm_head\.dense": "lm_head.dense",
    r"lm_head\.layer_norm": "lm_head.norm",
    r"lm_head": "lm_head",
    r"link_positional": "transitions.pos_embeddings",
    r"query_linear": "transitions.Wq",
    r"key_linear": "transitions.Wk",
    r"gate_linear": "transitions.Wgate",
}
IGNORED = ("encoder.lm_head.weight", "encoder.sentence_encoder.version", "rot_emb.inv_freq", "classification_heads.")


def load(name: str) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Tensors and configuration of one fixture."""
    with safe_open(FIXTURES / f"{name}.safetensors", "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["config"])  # noqa: SIM118


def our_name(official: str) -> str:
    """Our name of an official weight; q, k and v are parts of one weight of ours."""
    stem, _, kind = official.removeprefix("encoder.").rpartition(".")
    for pattern, ours in NAMES.items():
        if re.fullmatch(pattern, stem):
            return f"{re.sub(pattern, ours, stem)}.{kind}"
    raise KeyError(official)


def reorder_pairs(values: Tensor, num_heads: int, dim: int = 0) -> Tensor:
    """Renumber the numbers of every head, from (axis, pair member, frequency) to our (pair member, axis, frequency).

    Queries and keys are renumbered alike, so no score changes.
    """
    parts = values.unflatten(dim, (num_heads, 2, 2, -1))
    dim %= values.dim()
    return parts.transpose(dim + 1, dim + 2).flatten(dim, dim + 3)


def our_weights(tensors: dict[str, Tensor], prefix: str, dtype: torch.dtype, num_heads: int) -> dict[str, Tensor]:
    """All tensors under `prefix` by our names; q, k, v joined to Wqkv."""
    named = {
        our_name(key.removeprefix(prefix)): value.to(dtype)
        for key, value in tensors.items()
        if key.startswith(prefix) and not any(part in key for part in IGNORED)
    }
    joined = {}
    for name, value in named.items():
        if ".Wqkv." not in name:
            joined[name] = value
        elif ".Wqkv.q." in name:
            query, key, rest = (named[name.replace(".q.", f".{part}.")] for part in "qkv")
            joined[name.replace(".q.", ".")] = torch.cat([*(reorder_pairs(x, num_heads) for x in (query, key)), rest])
    return joined


def our_config(config: dict[str, object]) -> ExLMConfig:
    """Our configuration of a fixture's model."""
    mlm = config["k"] == 0
    made = ExLMConfig(
        vocab_size=20,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=config["heads"],  # type: ignore[arg-type]
        intermediate_size=config["ffn"],  # type: ignore[arg-type]
        num_states=1 if mlm else config["k"],  # type: ignore[arg-type]
        max_positions=64,
        norm_first=config["encoder_normalize_before"],  # type: ignore[arg-type]
        mask_token_id=19,
    )
    return replace(made, objective="mlm") if mlm else made


def fill(module: SavedModel, tensors: dict[str, Tensor], dtype: torch.dtype) -> None:
    """Put a fixture's weights into our module; every weight of ours must be in the fixture, and the other way round."""
    module.to(dtype)
    weights = our_weights(tensors, "w/", dtype, module.config.num_attention_heads)
    module.load_state_dict({name: value for name, value in weights.items() if not name.startswith("head.")})


def our_expansion(tensors: dict[str, Tensor]) -> Expansion:
    """The expanded batch that the authors' code made, ghosts and all."""
    is_state = tensors["out/is_ext_state"]
    state_length = is_state.sum(1)
    positions = is_state.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, : int(state_length.max())]
    missing = torch.arange(positions.shape[1]) >= state_length[:, None]
    return Expansion(
        input_ids=tensors["out/ext_src_tokens"],
        token_index=tensors["out/pos_dim1"],
        state_index=tensors["out/pos_dim2"],
        length=(tensors["out/ext_src_tokens"] != 1).sum(1),
        state_positions=positions.masked_fill(missing, 0),
        state_length=state_length,
    )


def scatter_states(values: Tensor, expansion: Expansion, dims: tuple[int, ...], fill_value: float) -> Tensor:
    """Put values of the S states back to the L positions along `dims`."""
    length = expansion.input_ids.shape[1]
    for dim in dims:
        shape = list(values.shape)
        shape[dim] = length + 1
        view = [1] * values.dim()
        view[0], view[dim] = values.shape[0], values.shape[dim]
        # States that a row does not have go to an extra place that is cut off.
        index = torch.where(expansion.state_mask, expansion.state_positions, length).view(view).expand_as(values)
        values = torch.full(shape, fill_value, dtype=values.dtype).scatter(dim, index, values)
        values = values.narrow(dim, 0, length)
    return values

"""From the features of positions to those of tokens, and to one vector for each molecule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.expansion import Expansion
from exlm_chem.modeling.inputs import special_tokens
from exlm_chem.modeling.outputs import ExLMOutput
from exlm_chem.terms import Pooling


def pooled(config: ExLMConfig, output: ExLMOutput, pooling: Pooling = "mean", layer: int = -1) -> Tensor:
    """Pool the features of an encoder to one vector for each molecule.

    Parameters
    ----------
    config : ExLMConfig
        Of the model.
    output : ExLMOutput
        What its encoder says.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        See `exlm_chem.terms.Pooling`.
    layer : int
        Which of `ExLMOutput.layers`.

    Returns
    -------
    Tensor, shape (B, `ExLMConfig.vector_width`)
        At least in single precision.
    """
    return POOLINGS[pooling](config, output, _precise(output.layers[layer]))


def _precise(features: Tensor) -> Tensor:
    return features.to(torch.promote_types(features.dtype, torch.float32))


def _mean(config: ExLMConfig, output: ExLMOutput, features: Tensor) -> Tensor:
    aside = _aside(config, output.expansion)
    weight = _shares(config, output.expansion, features).masked_fill(aside, 0.0)[:, None]
    return (weight @ features)[:, 0] / weight.sum(2).clamp(min=1)


def _mean_and_middle(config: ExLMConfig, output: ExLMOutput, features: Tensor) -> Tensor:
    middle = _precise(output.layers[config.num_hidden_layers // 2])
    return torch.cat([_mean(config, output, features), _mean(config, output, middle)], 1)


def _first(_config: ExLMConfig, _output: ExLMOutput, features: Tensor) -> Tensor:
    return features[:, 0]


def _mean_and_max(config: ExLMConfig, output: ExLMOutput, features: Tensor) -> Tensor:
    aside = _aside(config, output.expansion)[..., None]
    largest = features.masked_fill(aside, -torch.inf).amax(1).masked_fill(aside.all(1), 0.0)
    return torch.cat([_mean(config, output, features), largest], 1)


def _states(config: ExLMConfig, _output: ExLMOutput, features: Tensor) -> Tensor:
    return features[:, : config.vector_width("states") // config.hidden_size].flatten(1)


def _shares(config: ExLMConfig, expansion: Expansion, features: Tensor) -> Tensor:
    """How much of its token each position is, shape (B, L): the states of a token count as one token together."""
    return torch.where(expansion.state_index > 0, 1.0 / config.num_states, 1.0).to(features.dtype)


def _aside(config: ExLMConfig, expansion: Expansion) -> Tensor:
    """Which positions are no part of the molecule: special tokens and padding, bool of shape (B, L)."""
    return special_tokens(config, expansion.input_ids) | expansion.padding


POOLINGS: Final[dict[Pooling, Callable[[ExLMConfig, ExLMOutput, Tensor], Tensor]]] = {
    "mean": _mean,
    "mean+middle": _mean_and_middle,
    "mean+max": _mean_and_max,
    "first": _first,
    "states": _states,
}
"""What each makes of an output and the features of the layer that is asked for."""


def token_features(config: ExLMConfig, output: ExLMOutput, num_tokens: int, layer: int = -1) -> Tensor:
    """Give each token of the unexpanded sequences its features: of one that has states, their mean.

    Parameters
    ----------
    config : ExLMConfig
        Of the model.
    output : ExLMOutput
        What its encoder says.
    num_tokens : int
        T.
    layer : int
        Which of `ExLMOutput.layers`.

    Returns
    -------
    Tensor, shape (B, T, D)
        Zero where a row has fewer tokens.

    Examples
    --------
    >>> from exlm_chem.modeling.expansion import expand_tokens
    >>> ids = torch.tensor([[0, 7, 2]])
    >>> expansion = expand_tokens(ids, torch.tensor([[True, False, True]]), num_states=2, pad_token_id=1)
    >>> features = torch.arange(5.0)[None, :, None]
    >>> output = ExLMOutput(features, expansion, [features])
    >>> token_features(ExLMConfig(20, num_states=2), output, num_tokens=3)[0, :, 0]
    tensor([0.5000, 2.0000, 3.5000])
    """
    features, expansion = output.layers[layer], output.expansion
    share = _shares(config, expansion, features).masked_fill(expansion.padding, 0.0)[..., None]
    index = expansion.token_index[..., None].expand_as(features)
    tokens = features.new_zeros(len(features), num_tokens, features.shape[2])
    return tokens.scatter_add(1, index, share * features)

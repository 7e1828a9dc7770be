"""From the features of positions to those of tokens, and to one vector for each molecule."""

from __future__ import annotations

import torch
from torch import Tensor

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.expansion import Expansion
from exlm_chem.modeling.inputs import special_tokens
from exlm_chem.modeling.outputs import ExLMOutput
from exlm_chem.terms import Pooling


def pooled(config: ExLMConfig, output: ExLMOutput, pooling: Pooling = "mean") -> Tensor:
    """Pool the features of an encoder to one vector for each molecule.

    Parameters
    ----------
    config : ExLMConfig
        Of the model.
    output : ExLMOutput
        What its encoder says.
    pooling : {"mean", "first"}
        See `ExLMModel.embed`.

    Returns
    -------
    Tensor, shape (B, D)
        At least in single precision.
    """
    features, expansion = output.last_hidden_state, output.expansion
    features = features.to(torch.promote_types(features.dtype, torch.float32))
    if pooling == "first":
        return features[:, 0]
    special = special_tokens(config, expansion.input_ids) | expansion.padding
    # The states of a token count as one token together.
    share = torch.where(expansion.state_index > 0, 1.0 / config.num_states, 1.0).to(features.dtype)
    weight = share.masked_fill(special, 0.0)[:, None]
    return (weight @ features)[:, 0] / weight.sum(2).clamp(min=1)


def token_features(config: ExLMConfig, expansion: Expansion, features: Tensor, num_tokens: int) -> Tensor:
    """Give each token of the unexpanded sequences its features: of one that has states, their mean.

    Parameters
    ----------
    config : ExLMConfig
        Of the model.
    expansion : Expansion
        How the sequences were expanded.
    features : Tensor, shape (B, L, D)
        Of every expanded position.
    num_tokens : int
        T.

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
    >>> token_features(ExLMConfig(20, num_states=2), expansion, features, 3)[0, :, 0]
    tensor([0.5000, 2.0000, 3.5000])
    """
    share = torch.where(expansion.state_index > 0, 1.0 / config.num_states, 1.0).to(features.dtype)
    share = share.masked_fill(expansion.padding, 0.0)[..., None]
    index = expansion.token_index[..., None].expand_as(features)
    tokens = features.new_zeros(len(features), num_tokens, features.shape[2])
    return tokens.scatter_add(1, index, share * features)

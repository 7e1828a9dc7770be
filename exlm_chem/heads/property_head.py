"""Molecular properties: a head on the pooled features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.modeling.exlm import ExLMModel
from exlm_chem.modeling.serialization import SavedModel, init_weights
from exlm_chem.terms import Pooling


class PropertyHead(nn.Module):
    """From a molecule's features to its properties.

    Features are standardised, go through one hidden layer (tanh) if asked, and one linear layer; outputs are scaled
    back to the unit of the labels. The four scaling vectors are buffers: they are saved with the head and not trained.

    Parameters
    ----------
    in_features : int
        Width of the features.
    out_features : int
        Number of properties.
    hidden : int, optional
        Width of the hidden layer; none by default.
    dropout : float
        Dropout on the features and on the hidden layer.

    Examples
    --------
    >>> PropertyHead(8, 2)(torch.zeros(3, 8)).shape
    torch.Size([3, 2])
    """

    feature_mean: Tensor
    feature_scale: Tensor
    label_mean: Tensor
    label_scale: Tensor

    def __init__(self, in_features: int, out_features: int, hidden: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        self.in_features, self.out_features, self.hidden = in_features, out_features, hidden
        self.register_buffer("feature_mean", torch.zeros(in_features))
        self.register_buffer("feature_scale", torch.ones(in_features))
        self.register_buffer("label_mean", torch.zeros(out_features))
        self.register_buffer("label_scale", torch.ones(out_features))
        self.dropout = nn.Dropout(dropout)
        self.dense = None if hidden is None else nn.Linear(in_features, hidden)
        self.out_proj = nn.Linear(in_features if hidden is None else hidden, out_features)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, in_features) to (B, out_features): logits, or values in the unit of the labels."""
        hidden = self.dropout((features - self.feature_mean) / self.feature_scale)
        if self.dense is not None:
            hidden = self.dropout(torch.tanh(self.dense(hidden)))
        output: Tensor = self.out_proj(hidden) * self.label_scale + self.label_mean
        return output


class ExLMForMoleculeProperty(SavedModel):
    """Encoder, pooling and property head in one module, for fine-tuning.

    Parameters
    ----------
    config : ExLMConfig
        Of the encoder.
    num_properties : int
        Number of outputs.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        See `ExLMModel.embed`.
    hidden : int, optional
        Width of the head's hidden layer.
    dropout : float
        Dropout in the head.

    Examples
    --------
    >>> config = ExLMConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    >>> ExLMForMoleculeProperty(config, num_properties=2)(torch.tensor([[0, 5, 6, 2]])).shape
    torch.Size([1, 2])
    """

    def __init__(
        self,
        config: ExLMConfig,
        num_properties: int = 1,
        pooling: Pooling = "mean",
        hidden: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(config)
        self.pooling: Pooling = pooling
        self.model = ExLMModel(config)
        self.head = PropertyHead(config.vector_width(pooling), num_properties, hidden, dropout)
        init_weights(self.head, config.initializer_range)

    def options(self) -> dict[str, Any]:
        """Arguments of the constructor besides the configuration."""
        head = self.head
        return {
            "num_properties": head.out_features,
            "pooling": self.pooling,
            "hidden": head.hidden,
            "dropout": head.dropout.p,
        }

    def forward(self, input_ids: Tensor) -> Tensor:
        """Map (B, T) token ids to (B, properties) outputs of the head."""
        output: Tensor = self.head(self.model.embed(input_ids, self.pooling))
        return output

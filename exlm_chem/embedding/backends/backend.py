"""The interface of what an encoder runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.terms import Pooling

if TYPE_CHECKING:  # torch
    from exlm_chem.modeling import ExLMModel


class Backend(ABC):
    """Turns padded rows of token ids into vectors.

    Attributes
    ----------
    config : ExLMConfig
        Of the model.
    device : torch.device or str
        Where it runs.
    name : str
        What it runs on, and in which precision, such as "torch fp32".
    batch_tokens : int
        How many tokens, padding included, a batch should have to be fast there.
    """

    config: ExLMConfig
    device: Any
    name: str
    batch_tokens: int

    @abstractmethod
    def encode(self, input_ids: NDArray[np.int64], pooling: Pooling, layer: int = -1) -> NDArray[np.float32]:
        """Encode a batch.

        Parameters
        ----------
        input_ids : array of int64, shape (B, T)
            Every row ``<s> ... </s>``, padded on the right.
        pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
            See `exlm_chem.terms.Pooling`.
        layer : int
            See `EmbeddingOptions`.

        Returns
        -------
        float32 array of shape (B, `ExLMConfig.vector_width`)
        """

    @abstractmethod
    def encode_tokens(self, input_ids: NDArray[np.int64], layer: int = -1) -> NDArray[np.float32]:
        """Give the features of each token of a batch, float32 of shape (B, T, D); see `encode`."""

    @property
    def model(self) -> ExLMModel:
        """The module of torch, for what looks inside: training, explanations."""
        raise ExLMError("this needs the encoder itself and not only its vectors; use the backend torch")

"""An encoder in torch, in single precision or with weights that are converted once."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from exlm_chem.embedding.backends.backend import Backend
from exlm_chem.errors import ExLMError
from exlm_chem.machine import checked_device
from exlm_chem.modeling import ExLMModel
from exlm_chem.modeling.pooling import token_features
from exlm_chem.terms import EmbeddingPrecision, Pooling
from exlm_chem.training.optimization import resolve_precision

# A processor is fastest when a batch fits into its cache (2,048 tokens: 1.3 x as fast as 8,192), a GPU when it is full.
BATCH_TOKENS: Final = {"cpu": 2048}
BATCH_TOKENS_GPU: Final = 32768


class TorchBackend(Backend):
    """An `ExLMModel` on a device of torch, in evaluation mode.

    Parameters
    ----------
    model : ExLMModel
        The encoder.
    device : str
        A torch device, or "auto" for the first of CUDA, MPS and CPU that there is.
    precision : {"fp32", "bf16", "auto"}
        Of the matrix products; "auto" is bf16 where the device multiplies it in hardware. Positions, sums of attention
        and the mean over the tokens stay in single precision.

    Examples
    --------
    >>> from exlm_chem.modeling import ExLMConfig
    >>> model = ExLMModel(ExLMConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=4))
    >>> backend = TorchBackend(model, "cpu", "bf16")
    >>> backend.encode(np.array([[0, 5, 6, 2]]), "mean").dtype, model.encoder.final_norm.weight.dtype
    (dtype('float32'), torch.bfloat16)
    """

    def __init__(self, model: ExLMModel, device: str = "auto", precision: EmbeddingPrecision = "fp32") -> None:
        if precision == "int8":
            raise ExLMError("--precision int8 needs --backend onnx; with torch choose fp32, bf16 or auto")
        self.device = pick_device(device)
        if precision == "auto":
            precision = "bf16" if resolve_precision("auto", self.device.type) == "bf16" else "fp32"
        # without a dtype the numbers stay what they are: double precision for tests against the published model
        self._model = (model.to(self.device, torch.bfloat16) if precision == "bf16" else model.to(self.device)).eval()
        self.config, self.name = model.config, f"torch {precision}"
        self.batch_tokens = BATCH_TOKENS.get(self.device.type, BATCH_TOKENS_GPU)

    @property
    def model(self) -> ExLMModel:
        """The module."""
        return self._model

    def encode(self, input_ids: NDArray[np.int64], pooling: Pooling, layer: int = -1) -> NDArray[np.float32]:
        """See `Backend`."""
        with torch.inference_mode():
            vectors = self._model.embed(torch.from_numpy(input_ids).to(self.device), pooling, layer)
            numbers: NDArray[np.float32] = vectors.float().cpu().numpy()
            return numbers

    def encode_tokens(self, input_ids: NDArray[np.int64], layer: int = -1) -> NDArray[np.float32]:
        """See `Backend`."""
        with torch.inference_mode():
            output = self._model(torch.from_numpy(input_ids).to(self.device))
            features = token_features(self.config, output, input_ids.shape[1], layer)
            numbers: NDArray[np.float32] = features.float().cpu().numpy()
            return numbers


def pick_device(name: str = "auto") -> torch.device:
    """Give the torch device of a name, or for "auto" the first of CUDA, MPS and CPU that there is.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    if checked_device(name) == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise ExLMError(f"there is no device '{name}' here: {str(error).splitlines()[0]}") from None

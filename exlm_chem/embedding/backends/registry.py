"""The backends by their names."""

from __future__ import annotations

from exlm_chem.embedding.backends.backend import Backend
from exlm_chem.errors import ExLMError
from exlm_chem.model_directory import ModelDirectory
from exlm_chem.terms import BackendName, EmbeddingPrecision


def open_backend(
    found: ModelDirectory, name: BackendName = "torch", device: str = "auto", precision: EmbeddingPrecision = "fp32"
) -> Backend:
    """Load the encoder of a model directory.

    Parameters
    ----------
    found : ModelDirectory
        The directory, checked.
    name : {"torch", "onnx"}
        What it runs on.
    device : str
        See the backend.
    precision : {"fp32", "bf16", "int8", "auto"}
        See the backend.
    """
    if name == "torch":
        from exlm_chem.embedding.backends.torch_backend import TorchBackend
        from exlm_chem.modeling import ExLMModel

        return TorchBackend(ExLMModel.from_pretrained(found.path), device, precision)
    if name == "onnx":
        from exlm_chem.embedding.backends.onnx_backend import OnnxBackend, encoder_weights

        return OnnxBackend(found.saved.config, encoder_weights(found.path), device, precision)
    raise ExLMError(f"there is no backend '{name}'; choose torch or onnx")

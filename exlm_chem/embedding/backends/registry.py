"""The backends by their names."""

from __future__ import annotations

import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exlm_chem.embedding.backends.backend import Backend
from exlm_chem.errors import ExLMError
from exlm_chem.model_directory import ModelDirectory
from exlm_chem.terms import BackendName, EmbeddingPrecision

if TYPE_CHECKING:  # torch
    from exlm_chem.modeling import ExLMModel

GPU_FILES: Final = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""One of which a Linux machine has whose GPU torch may use: of NVIDIA, of AMD, through Windows."""


def open_backend(
    found: ModelDirectory, name: BackendName = "auto", device: str = "auto", precision: EmbeddingPrecision = "fp32"
) -> Backend:
    """Load the encoder of a model directory.

    Parameters
    ----------
    found : ModelDirectory
        The directory, checked.
    name : {"auto", "torch", "onnx"}
        What it runs on; see `best_backend` for "auto".
    device : str
        See the backend.
    precision : {"fp32", "bf16", "int8", "auto"}
        See the backend.
    """
    if name == "auto":
        name = best_backend(device, precision)
    if name == "torch":
        from exlm_chem.embedding.backends.torch_backend import TorchBackend

        return TorchBackend(_load(found.path), device, precision)
    if name == "onnx":
        from exlm_chem.embedding.backends.onnx_backend import OnnxBackend, encoder_weights

        return OnnxBackend(
            found.saved.config, encoder_weights(found.path), device, precision, partial(_load, found.path)
        )
    raise ExLMError(f"there is no backend '{name}'; choose auto, torch or onnx")


def best_backend(device: str = "auto", precision: EmbeddingPrecision = "fp32") -> BackendName:
    """Give the backend that starts soonest without being slower: ONNX Runtime unless a GPU may do the work.

    Parameters
    ----------
    device : str
        What is asked for; "auto" is a processor only where nothing looks like a GPU, for torch is not asked.
    precision : {"fp32", "bf16", "int8", "auto"}
        What is asked for; each backend has its own.

    Examples
    --------
    >>> best_backend("cuda"), best_backend("cpu", "int8"), best_backend("cpu", "bf16")
    ('torch', 'onnx', 'torch')
    """
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        return "torch"
    if find_spec("torch") is None or precision == "int8":
        return "onnx"
    processor = device == "cpu" or (device == "auto" and sys.platform == "linux" and not _may_have_gpu())
    return "onnx" if processor and precision == "fp32" else "torch"


def _load(directory: Path) -> ExLMModel:
    from exlm_chem.modeling import ExLMModel

    return ExLMModel.from_pretrained(directory)


def _may_have_gpu() -> bool:
    return any(Path(file).exists() for file in GPU_FILES)

"""An encoder in ONNX Runtime: no torch is loaded for it."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.backends.backend import Backend
from exlm_chem.embedding.backends.onnx_graph import INPUT, encoder_graph
from exlm_chem.errors import ExLMError
from exlm_chem.machine import instructions
from exlm_chem.modeling.config_file import WEIGHTS_NAME
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.storage.tensors import read_tensors
from exlm_chem.terms import EmbeddingPrecision, Pooling

if TYPE_CHECKING:
    import onnx

    from exlm_chem.modeling import ExLMModel


class OnnxBackend(Backend):
    """An encoder whose graph is made from the weights of its directory.

    Parameters
    ----------
    config : ExLMConfig
        Of the model.
    weights : mapping of str to array
        Of an `ExLMModel`.
    device : str
        "cpu", or "auto", which is the same here.
    precision : {"fp32", "int8", "auto"}
        "int8" keeps weights as whole numbers, a scale for each column, and rounds what they are multiplied by as it
        comes; "auto" is "fp32".
    load_module : callable, optional
        Loads the same encoder in torch, for what looks inside; see `Backend.model`.
    """

    batch_tokens = 2048

    def __init__(
        self,
        config: ExLMConfig,
        weights: Mapping[str, NDArray[Any]],
        device: str = "auto",
        precision: EmbeddingPrecision = "fp32",
        load_module: Callable[[], ExLMModel] | None = None,
    ) -> None:
        if device not in ("auto", "cpu"):
            raise ExLMError(f"--backend onnx runs on the processor; give --device cpu, or --backend torch for {device}")
        if precision == "bf16":
            raise ExLMError("--precision bf16 needs --backend torch; with onnx choose fp32, int8 or auto")
        self.config, self.device = config, "cpu"
        self._arguments = config, weights, device, precision, load_module
        self.name = f"onnx {'int8' if precision == 'int8' else 'fp32'}"
        runtime = _runtime()
        settings = runtime.SessionOptions()
        settings.intra_op_num_threads = _threads(os.environ.get("OMP_NUM_THREADS", ""))
        signed = precision == "int8" and instructions()["vnni"] is True
        graph = graph_bytes(config, weights, precision, signed)
        self._session = runtime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])

    def __reduce__(self) -> tuple[type[OnnxBackend], tuple[Any, ...]]:
        return OnnxBackend, self._arguments  # a session cannot be copied, nor go to another process

    @cached_property
    def model(self) -> ExLMModel:
        """The encoder in torch, loaded when it is first asked for."""
        *_, load_module = self._arguments
        return super().model if load_module is None else load_module().eval()

    def encode(self, input_ids: NDArray[np.int64], pooling: Pooling, layer: int = -1) -> NDArray[np.float32]:
        """See `Backend`; layers other than the last are torch's."""
        if layer not in (-1, self.config.num_hidden_layers):
            return self._inside.encode(input_ids, pooling, layer)
        vectors: NDArray[np.float32] = self._session.run([pooling], {INPUT: input_ids})[0]
        return vectors

    def encode_tokens(self, input_ids: NDArray[np.int64], layer: int = -1) -> NDArray[np.float32]:
        """See `Backend`; torch's."""
        return self._inside.encode_tokens(input_ids, layer)

    @cached_property
    def _inside(self) -> Backend:
        """The encoder in torch, for what the graph does not give."""
        if find_spec("torch") is None:
            raise ExLMError(
                "the features of single tokens and of layers before the last are computed by torch, which is not "
                "installed; run: pip install 'exlm-chem[torch]'"
            )
        from exlm_chem.embedding.backends.torch_backend import TorchBackend

        return TorchBackend(self.model, "cpu")


def encoder_weights(directory: Path) -> dict[str, NDArray[Any]]:
    """Read the weights of the encoder in a model directory, without those of the heads that pretraining needs."""
    weights = read_tensors(directory / WEIGHTS_NAME)
    inner = {name.removeprefix("model."): value for name, value in weights.items() if name.startswith("model.")}
    return inner or weights


def graph_bytes(
    config: ExLMConfig, weights: Mapping[str, NDArray[Any]], precision: EmbeddingPrecision, signed: bool = False
) -> bytes:
    """Give what an ``.onnx`` file of the encoder holds.

    Parameters
    ----------
    config, weights, precision
        See `OnnxBackend`.
    signed : bool
        Whether whole numbers are -127 to 127 instead of 0 to 255. x86 processors with VNNI multiply those fastest; on
        those without, sums of two products overflow 16 bits and are cut off, and the vectors are off.

    Returns
    -------
    bytes
        The graph, see `encoder_graph`.
    """
    _runtime()
    graph = encoder_graph(config, weights)
    return _quantised(graph, signed) if precision == "int8" else graph.SerializeToString()


def _quantised(graph: onnx.ModelProto, signed: bool) -> bytes:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        level, handlers = logging.root.manager.disable, logging.root.handlers[:]
        logging.disable(max(level, logging.WARNING))  # it recommends a step that changes nothing here
        try:
            kind = QuantType.QInt8 if signed else QuantType.QUInt8
            quantize_dynamic(graph, path, weight_type=kind, per_channel=True)
        finally:
            logging.disable(level)
            logging.root.handlers[:] = handlers  # it adds one, and then the caller's own `basicConfig` does nothing
        return path.read_bytes()


def _threads(said: str) -> int:
    """Read ``OMP_NUM_THREADS``, which may be empty or a list for nested levels; 0 is as many as there are processors.

    Examples
    --------
    >>> _threads("2"), _threads("4,2"), _threads("")
    (2, 4, 0)
    """
    first = said.partition(",")[0].strip()
    return int(first) if first.isascii() and first.isdigit() else 0


def _runtime() -> Any:
    try:
        import onnx  # noqa: F401  (which makes the graph)
        import onnxruntime
    except ImportError:
        raise ExLMError("--backend onnx needs ONNX Runtime; run: pip install onnx onnxruntime") from None
    onnxruntime.set_default_logger_severity(3)
    return onnxruntime

"""How a model becomes a directory and back: ``config.json`` and ``model.safetensors``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.locations import encoder_directory, locate
from exlm_chem.modeling.config_file import CONFIG_NAME, WEIGHTS_NAME, check_sizes, read_config, write_config
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.storage import sha256, write_file
from exlm_chem.storage.tensors import check_numbers, tensor_shapes


class SavedModel(nn.Module):
    """A module made from an `ExLMConfig` that can be written to and read from a model directory."""

    #: What the encoder's weights are called in the model classes that hold it; "" for the encoder itself.
    encoder_prefix = "model."

    def __init__(self, config: ExLMConfig) -> None:
        super().__init__()
        self.config = config

    def options(self) -> dict[str, Any]:
        """Arguments of the constructor besides the configuration."""
        return {}

    def save_pretrained(self, directory: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write the model into a directory.

        Parameters
        ----------
        directory : path
            Made if it does not exist; other files in it stay.
        dtype : torch.dtype, optional
            Type of the stored weights; half precision halves the file.
        """
        Path(directory).mkdir(parents=True, exist_ok=True)
        save_weights(self, Path(directory) / WEIGHTS_NAME, dtype)
        write_config(directory, self.config, type(self).__name__, self.options())

    @classmethod
    def from_pretrained(cls, directory: str | Path) -> Self:
        """Read the model of a directory, as float32 on the CPU, in evaluation mode.

        Parameters
        ----------
        directory : path
            What `save_pretrained` wrote, of this class or of one that holds this class's model; or the name of a model
            that ships.

        Raises
        ------
        ExLMError
            When a file is missing, broken or does not fit; the message names it.
        """
        directory = encoder_directory(locate(directory))
        saved = read_config(directory)
        path = Path(directory) / WEIGHTS_NAME
        check_sizes(directory, saved.config, tensor_shapes(path))
        if saved.weights_sha256 not in (None, sha256(path)):
            raise ExLMError(f"{path} is not the file that was saved (other sha256); copy the directory again")
        weights = load_weights(path)
        if cls.encoder_prefix == "" and any(name.startswith("model.") for name in weights):
            weights = {
                name.removeprefix("model."): value for name, value in weights.items() if name.startswith("model.")
            }
        options = saved.options if saved.architectures == (cls.__name__,) else {}
        try:
            # only shapes: the weights are those of the file, without a copy
            with torch.device("meta"), _NothingDrawn():
                model = cls(saved.config, **options)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ExLMError(
                f"{path.with_name(CONFIG_NAME)}: options do not fit {cls.__name__} ({error}); copy the directory again"
            ) from None
        fill_weights(model, weights, path)
        return model.eval()


class _NothingDrawn(TorchFunctionMode):
    """Leave weights undrawn: on the device "meta" drawing them imports torch's compiler, which takes a second."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        return kwargs["tensor"] if func is nn.init.normal_ else func(*args, **kwargs)


def init_weights(module: nn.Module, std: float) -> None:
    """Initialise as published: normal(0, std) for linear and embedding weights, zero biases and padding rows."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=std)
            nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=std)
            if part.padding_idx is not None:
                nn.init.zeros_(part.weight[part.padding_idx])


def save_weights(module: nn.Module, path: Path, dtype: torch.dtype | None = None) -> None:
    """Write a module's weights as safetensors, to a temporary name first."""
    with write_file(path) as file:
        # Not save_file: that makes a file which nobody but its owner may read.
        file.write(_weights_bytes(module, dtype))


def weights_sha256(module: nn.Module) -> str:
    """Give the sha256 of the file that `save_weights` would write."""
    return hashlib.sha256(_weights_bytes(module)).hexdigest()


def _weights_bytes(module: nn.Module, dtype: torch.dtype | None = None) -> bytes:
    weights = {
        name: (value.to(dtype) if dtype is not None and value.is_floating_point() else value)
        .detach()
        .cpu()
        .contiguous()
        for name, value in module.state_dict().items()
    }
    return save(weights, metadata={"format": "pt"})


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read safetensors as float32, if all numbers in them are finite."""
    check_numbers(path)
    # A copy, because what was read is still the file: whoever cut that off would end the process.
    return {name: value.to(torch.float32, copy=True) for name, value in load_file(path).items()}


def fill_weights(module: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Give a module its weights, which must be exactly these, in these shapes; no copy is made."""
    expected = module.state_dict()
    for problem, names in (
        ("lacks", expected.keys() - weights.keys()),
        ("has the unexpected", weights.keys() - expected.keys()),
        (
            "has another shape than its config.json says for",
            {n for n in expected.keys() & weights.keys() if expected[n].shape != weights[n].shape},
        ),
    ):
        if names:
            listed = ", ".join(map(quoted, sorted(names)[:3]))
            raise ExLMError(f"{path} {problem} {listed}: it does not belong to this model; copy the directory again")
    module.load_state_dict(weights, assign=True)

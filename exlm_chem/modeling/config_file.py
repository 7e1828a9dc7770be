"""``config.json``: what it says of a model and its weights, written and read; no torch is needed for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from exlm_chem.errors import ExLMError
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.storage import read_json, sha256, write_json
from exlm_chem.storage.records import Sha256, check_content, content_sha256, from_json, naming, read_version

CONFIG_NAME: Final = "config.json"
WEIGHTS_NAME: Final = "model.safetensors"
FORMAT_VERSION: Final = 2
"""Of model directories: 1 had no hashes in ``config.json``; that of the weights was in ``training.json``."""


@dataclass(frozen=True)
class ConfigFile:
    """What ``config.json`` says besides the sizes.

    Attributes
    ----------
    config : ExLMConfig
        The sizes.
    format_version : int
        Of the model directory.
    architectures : tuple of str
        The class of the model.
    options : dict
        Arguments of its constructor besides the configuration.
    weights_sha256 : str, optional
        Of ``model.safetensors``; unknown in format 1.
    sha256 : str
        Of what the file says, all of it.
    """

    config: ExLMConfig
    format_version: int = 1
    architectures: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    weights_sha256: Sha256 | None = None
    sha256: str = ""


def write_config(
    directory: str | Path,
    config: ExLMConfig,
    architecture: str,
    options: dict[str, Any],
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write ``config.json`` into a directory in which the weights are already: it holds their hash and its own.

    `more` is what other libraries want to read there.
    """
    content = {
        "model_type": "exlm",
        "format_version": FORMAT_VERSION,
        "architectures": [architecture],
        "options": options,
        **(more or {}),
        **asdict(config),
        "weights_sha256": sha256(Path(directory) / WEIGHTS_NAME),
    }
    write_json(Path(directory) / CONFIG_NAME, {**content, "sha256": content_sha256(content)})


def read_config(directory: str | Path) -> ConfigFile:
    """Read and check ``config.json`` of a model directory; names that are no fields are left alone.

    Raises
    ------
    ExLMError
        Names the file and what is wrong with it.
    """
    path = Path(directory) / CONFIG_NAME
    if not path.is_file():
        raise ExLMError(f"{path} is missing: {directory} is no complete model directory; copy it again")
    content = read_json(path, "copy the directory again")
    with naming(path):
        if content.get("model_type") != "exlm":
            raise ExLMError('it does not describe an ExLM model ("model_type" is not "exlm")')
        version = read_version(content, FORMAT_VERSION)
        check_content(content, required=version > 1)
        if version > 1 and content.get("weights_sha256") is None:
            raise ExLMError(f"it lacks the hash of {WEIGHTS_NAME}")
        parts = {"config": from_json(ExLMConfig, content), "sha256": content_sha256(content)}
        return from_json(ConfigFile, content | parts)


def check_sizes(directory: str | Path, config: ExLMConfig, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare the sizes of a configuration with those of the tensors, before a model of that size is made.

    Parameters
    ----------
    directory : path
        For messages.
    config : ExLMConfig
        From its ``config.json``.
    shapes : mapping of str to tuple of int
        The tensors of its ``model.safetensors``; see `exlm_chem.storage.tensors.tensor_shapes`.

    Raises
    ------
    ExLMError
        Names both files, the size and both values.
    """
    weights = Path(directory) / WEIGHTS_NAME
    for name, size in _sizes(weights, config, shapes).items():
        if getattr(config, name) != size:
            raise ExLMError(
                f"{Path(directory) / CONFIG_NAME}: {name} is {getattr(config, name)}, and {WEIGHTS_NAME} was made for "
                f"{size}: they do not belong together; copy the directory again"
            )


def _sizes(path: Path, config: ExLMConfig, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Give the sizes that the tensors have."""
    prefix = "model.encoder." if any(name.startswith("model.") for name in shapes) else "encoder."

    def size(name: str, axis: int) -> int:
        shape = shapes.get(name, ())
        if len(shape) != 2:
            raise ExLMError(
                f"{path} lacks {name}, or has it in another shape: it holds no ExLM model; copy the directory again"
            )
        return shape[axis]

    layers = {found[1] for name in shapes if (found := re.match(re.escape(prefix) + r"layers\.(\d+)\.", name))}
    sizes: dict[str, Any] = {
        "vocab_size": size(prefix + "tok_embeddings.weight", 0),
        "hidden_size": size(prefix + "tok_embeddings.weight", 1),
        "num_hidden_layers": len(layers),
        "intermediate_size": size(prefix + "layers.0.Wi.weight", 0),
    }
    if any(name.startswith("lm_head.") for name in shapes):
        heads = [name for name in shapes if name.startswith("molecule_heads.") and name.endswith(".weight")]
        sizes["molecule_objectives"] = {name.split(".")[1]: size(name, 0) for name in heads}
        transitions = any(name.startswith("transitions.") for name in shapes)
        sizes["objective"] = "exlm" if transitions else "mlm"
        if transitions:
            sizes["num_attention_heads"] = size("transitions.Wgate.weight", 0)
            sizes["max_positions"] = size("transitions.pos_embeddings.weight", 0) - config.pad_token_id - 1
    return sizes

"""An encoder for other programs: one ``.onnx`` file, with its tokenizer beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from exlm_chem.embedding.backends.onnx_backend import encoder_weights, graph_bytes
from exlm_chem.errors import ExLMError
from exlm_chem.model_directory import ENCODER_FILES, EXPORT_NAME, open_model
from exlm_chem.modeling.config_file import WEIGHTS_NAME
from exlm_chem.storage import write_file
from exlm_chem.terms import EmbeddingPrecision

ONNX_NAME: Final = "model.onnx"


def export_onnx(
    name_or_directory: str | Path, output: str | Path, precision: EmbeddingPrecision = "fp32"
) -> list[Path]:
    """Write an encoder as ONNX, with its configuration and its tokenizer; other files in the directory stay.

    Parameters
    ----------
    name_or_directory : str or Path
        A model that ships, a model directory, or a predictor for its encoder.
    output : path
        The directory to write; made if it does not exist.
    precision : {"fp32", "int8", "auto"}
        See `OnnxBackend`.

    Returns
    -------
    list of Path
        What was written: ``model.onnx`` (see `encoder_graph`) and copies of the files that say what its tokens are.

    Raises
    ------
    ExLMError
        If there is no such model, or the directory is the model's own.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(path.name for path in export_onnx("exlm-small", folder))
    ['config.json', 'model.onnx', 'tokenizer.json', 'tokenizer_config.json']
    """
    found, folder = open_model(name_or_directory), Path(output)
    if folder.resolve() == found.path.resolve():
        raise ExLMError(f"{folder} is the model itself; choose another directory for what is made of it")
    content = graph_bytes(found.saved.config, encoder_weights(found.path), precision)
    folder.mkdir(parents=True, exist_ok=True)
    with write_file(folder / ONNX_NAME) as file:
        file.write(content)
    names = [name for name in (*ENCODER_FILES, EXPORT_NAME) if name != WEIGHTS_NAME and (found.path / name).is_file()]
    return [folder / ONNX_NAME, *(Path(shutil.copyfile(found.path / name, folder / name)) for name in names)]

"""Where models are: those that ship by their names, all others by their directories.

A directory with ``task.json`` is a predictor; its encoder is there too or in a neighbouring directory. Any other one is
an encoder. Nothing is checked here but what is needed to find it; see `exlm_chem.model_directory`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.storage import read_json
from exlm_chem.storage.records import Matching, Sha256, from_json, naming

SHIPPED = Path(__file__).parent / "zoo"
TASK_NAME = "task.json"


@dataclass(frozen=True)
class EncoderLink:
    """Where a predictor's encoder is, and which one it is.

    Attributes
    ----------
    path : str
        Its directory, relative to the predictor's.
    sha256 : str
        Of its weights.
    config_sha256, tokenizer : str, optional
        Of what its ``config.json`` says, and the fingerprint of its tokenizer; unknown in format 1.
    """

    path: Annotated[str, Matching(r"[^\x00]{1,1000}", "the path of a folder")] = "."
    sha256: Sha256 | None = None
    config_sha256: Sha256 | None = None
    tokenizer: Sha256 | None = None


def available() -> list[str]:
    """List the names of the models that ship with the package.

    Examples
    --------
    >>> isinstance(available(), list)
    True
    """
    if not SHIPPED.is_dir():
        return []
    return sorted(p.name for p in SHIPPED.iterdir() if (p / "config.json").is_file() or (p / TASK_NAME).is_file())


def locate(name_or_path: str | Path) -> Path:
    """Find the directory of a model by the name it ships under or by its path.

    Parameters
    ----------
    name_or_path : str or Path
        A name of `available`, or a directory; for a directory that has the name of a shipped model write ``./NAME``.

    Raises
    ------
    ExLMError
        When there is no such directory.

    Examples
    --------
    >>> locate("no-such-model")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: no model 'no-such-model': it is no directory, and the models that ship are: ...
    """
    shipped = available()
    if str(name_or_path) in shipped:
        return SHIPPED / name_or_path
    if os.path.isdir(name_or_path):  # noqa: PTH112  (Path.is_dir raises for a name that is too long)
        return Path(name_or_path)
    problem = "it is a file, not a directory" if os.path.isfile(name_or_path) else "it is no directory"  # noqa: PTH113
    names = ", ".join(shipped) or "none in this installation"
    raise ExLMError(f"no model {quoted(name_or_path)}: {problem}, and the models that ship are: {names}")


def portable(name_or_path: str | Path) -> str | Path:
    """Give a name or path by which a process elsewhere, in another working directory, finds the same model.

    Examples
    --------
    >>> portable("exlm-small"), Path(portable(".")).is_absolute()
    ('exlm-small', True)
    """
    return name_or_path if str(name_or_path) in available() else Path(name_or_path).absolute()


def is_predictor(directory: str | Path) -> bool:
    """Say whether a model directory is a predictor's."""
    return (Path(directory) / TASK_NAME).is_file()


def encoder_directory(directory: str | Path) -> Path:
    """Give the directory of a model's encoder: a predictor may share the encoder of a neighbouring directory.

    Raises
    ------
    ExLMError
        When a predictor does not say where its encoder is, or it is not there.
    """
    directory = Path(directory)
    if not is_predictor(directory):
        return directory
    path = directory / TASK_NAME
    content = read_json(path, "copy the directory again")
    with naming(path):
        if not isinstance(content.get("encoder"), dict) or "path" not in content["encoder"]:
            raise ExLMError("it does not say where its encoder is (encoder.path)")
        link = from_json(EncoderLink, content["encoder"], "encoder")
        encoder = Path(os.path.realpath(directory / link.path))
        if not os.path.isdir(encoder):  # noqa: PTH112
            raise ExLMError(f"its encoder {quoted(link.path)} is no directory beside it")
    return encoder

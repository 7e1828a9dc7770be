"""The models that ship with the package, and how any model directory is found and checked.

A directory with ``task.json`` is a predictor (head and task; its encoder is there too or in a neighbouring directory),
any other one an encoder. Nothing here loads torch: a broken directory is found before that takes its second.
"""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from exlm_chem.errors import ExLMError
from exlm_chem.storage import read_json, sha256

SHIPPED = Path(__file__).parent / "zoo"
ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
PREDICTOR_FILES = ("task.json", "head.safetensors")


def available() -> list[str]:
    """List the names of the models that ship with the package.

    Examples
    --------
    >>> isinstance(available(), list)
    True
    """
    return sorted(p.name for p in SHIPPED.iterdir() if (p / "config.json").is_file() or (p / "task.json").is_file())


def find_model(name_or_path: str | Path) -> Path:
    """Find a model by the name it ships under or by its directory, and check it.

    Parameters
    ----------
    name_or_path : str or Path
        A name of `available`, or a directory; for a directory that has the name of a shipped model write ``./NAME``.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    ExLMError
        When there is no such model, or a file of it is missing or broken.

    Examples
    --------
    >>> find_model("no-such-model")
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: no model 'no-such-model': it is no directory, and the models that ship are: ...
    """
    shipped = available()
    directory = SHIPPED / name_or_path if str(name_or_path) in shipped else Path(name_or_path)
    if not directory.is_dir():
        problem = "it is a file, not a directory" if directory.is_file() else "it is no directory"
        names = ", ".join(shipped) or "none in this installation"
        raise ExLMError(f"no model '{name_or_path}': {problem}, and the models that ship are: {names}")
    check(directory)
    return directory


def check(directory: str | Path) -> list[Path]:
    """Check that the files of a model directory are there, can be read, and are the ones that were saved together.

    Parameters
    ----------
    directory : str or Path
        An encoder's or a predictor's directory. The encoder that a predictor refers to is checked too.

    Returns
    -------
    list of Path
        The files that were checked.

    Raises
    ------
    ExLMError
        At the first file that is missing or broken, or does not have the recorded sha256.
    """
    directory = Path(directory)
    if not (directory / "task.json").is_file():
        return _check_encoder(directory)
    for name in PREDICTOR_FILES:
        _require(directory / name)
    task = read_json(directory / "task.json")
    encoder = task.get("encoder")
    if not isinstance(encoder, dict) or "path" not in encoder:
        raise ExLMError(f"{directory / 'task.json'} does not say where its encoder is (encoder.path); train it again")
    _check_weights(directory / "head.safetensors")
    checked = _check_encoder(encoder_directory(directory))
    weights = encoder_directory(directory) / "model.safetensors"
    if encoder.get("sha256", sha256(weights)) != sha256(weights):
        raise ExLMError(f"{weights} is not the encoder that {directory} was trained with (other sha256)")
    return [*(directory / name for name in PREDICTOR_FILES), *checked]


def encoder_directory(directory: str | Path) -> Path:
    """Give the directory of a model's encoder: a predictor may share the encoder of a neighbouring directory."""
    directory = Path(directory)
    if not (directory / "task.json").is_file():
        return directory
    return (directory / str(read_json(directory / "task.json")["encoder"]["path"])).resolve()


def describe(directory: str | Path) -> dict[str, Any]:
    """Summarise a model directory: its kind, its size, and what its JSON files say.

    Parameters
    ----------
    directory : str or Path
        A checked directory, as `find_model` gives it.

    Returns
    -------
    dict
        ``name``, ``directory``, ``kind`` ("encoder" or "predictor"), ``parameters``, ``bytes`` and the contents of
        ``task``, ``config`` and ``training`` as far as these files exist.
    """
    directory = Path(directory)
    encoder = encoder_directory(directory)
    weights = [encoder / "model.safetensors", *directory.glob("head.safetensors")]
    summary: dict[str, Any] = {
        "name": directory.resolve().name,
        "directory": str(directory),
        "kind": "predictor" if (directory / "task.json").is_file() else "encoder",
        "parameters": sum(_count_parameters(path) for path in weights),
        "bytes": sum(path.stat().st_size for path in weights),
    }
    for part, path in (
        ("task", directory / "task.json"),
        ("config", encoder / "config.json"),
        ("training", encoder / "training.json"),
    ):
        if path.is_file():
            summary[part] = read_json(path)
    return summary


def _check_encoder(directory: Path) -> list[Path]:
    files = [directory / name for name in ENCODER_FILES]
    for path in files:
        _require(path)
        if path.suffix == ".json":
            read_json(path)
    weights = directory / "model.safetensors"
    _check_weights(weights)
    training = read_json(directory / "training.json") if (directory / "training.json").is_file() else {}
    if training.get("sha256", sha256(weights)) != sha256(weights):
        raise ExLMError(f"{weights} is not the file that was saved (other sha256 than in training.json); copy it again")
    return files


def _require(path: Path) -> None:
    if not path.is_file():
        raise ExLMError(f"{path.parent} is no complete model directory: {path.name} is missing")


def _check_weights(path: Path) -> None:
    # Opening reads the header and compares the length it announces with that of the file.
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise ExLMError(f"{path} is broken ({error}); copy it again") from None


def _count_parameters(path: Path) -> int:
    count = 0
    with safe_open(path, framework="numpy") as weights:
        for name in weights.keys():  # noqa: SIM118  (not a dictionary)
            size = 1
            for length in weights.get_slice(name).get_shape():
                size *= length
            count += size
    return count

"""What a model directory is: how it is found, checked, written and read.

An encoder is ``config.json`` (sizes, hashes; see `exlm_chem.modeling.config_file`), ``model.safetensors`` and
``tokenizer_config.json``: its numbers depend on these. ``tokenizer.json`` is for Hugging Face (see `exlm_chem.hf`),
and of a model that reads text the tokenizer itself;
``training.json`` and ``README.md`` are for people: without them there is a warning and no failure. Nothing is ever
unpickled, and nothing here loads torch: a broken directory is found before that takes its second.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exlm_chem.base_tokenizer import EXPORT_NAME, TOKENIZER_NAME, Tokenizer
from exlm_chem.errors import ExLMError
from exlm_chem.locations import available, encoder_directory, is_predictor, locate
from exlm_chem.modeling.config_file import CONFIG_NAME, WEIGHTS_NAME, ConfigFile, check_sizes, read_config
from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.sentence_files import write_sentence_files
from exlm_chem.storage import read_json, sha256
from exlm_chem.storage.tensors import check_numbers, tensor_shapes
from exlm_chem.text_tokenizer import saved_tokenizer
from exlm_chem.tokenizer import ExLMTokenizer

if TYPE_CHECKING:
    from exlm_chem.modeling.serialization import SavedModel

__all__ = [
    "EXPORT_NAME",
    "TOKENIZER_NAME",
    "ModelDirectory",
    "available",
    "check",
    "describe",
    "encoder_directory",
    "find_model",
    "is_predictor",
    "locate",
    "open_model",
    "training_facts",
    "write_model",
]

TRAINING_NAME = "training.json"
ENCODER_FILES = (CONFIG_NAME, WEIGHTS_NAME, TOKENIZER_NAME)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelDirectory:
    """A checked directory.

    Attributes
    ----------
    path : Path
        The encoder's directory.
    saved : ConfigFile
        What ``config.json`` says.
    tokenizer : Tokenizer
        The tokenizer that the model was trained with.
    fingerprint : str
        The sha256 of the weights.
    """

    path: Path
    saved: ConfigFile
    tokenizer: Tokenizer
    fingerprint: str

    @property
    def smiles_tokenizer(self) -> ExLMTokenizer:
        """The same, of a model of molecules; a model that reads text is refused."""
        if not isinstance(self.tokenizer, ExLMTokenizer):
            raise ExLMError(f"the model in {self.path} reads text, not SMILES; use a model of molecules for these")
        return self.tokenizer


def find_model(name_or_path: str | Path) -> Path:
    """Find a model by the name it ships under or by its directory, and check its encoder.

    Parameters
    ----------
    name_or_path : str or Path
        See `exlm_chem.locations.locate`.

    Returns
    -------
    Path
        The directory: of a predictor its own, not its encoder's.

    Raises
    ------
    ExLMError
        When there is no such model, or a file that its vectors depend on is missing or broken.

    Examples
    --------
    >>> find_model("exlm-small").name
    'exlm-small'
    """
    directory = locate(name_or_path)
    open_model(directory)
    return directory


def open_model(name_or_path: str | Path) -> ModelDirectory:
    """Find and check an encoder, or that of a predictor; a file is hashed once in a process.

    Raises
    ------
    ExLMError
        When there is no such model, or a file that its vectors depend on is missing, broken, or not the one that was
        saved; the message names it.
    """
    path = encoder_directory(locate(name_or_path))
    for name in ENCODER_FILES:
        if not (path / name).is_file():
            raise ExLMError(f"{path} is no complete model directory: {name} is missing; copy it again with all files")
    saved = read_config(path)
    weights = path / WEIGHTS_NAME
    check_sizes(path, saved.config, tensor_shapes(weights))
    recorded = saved.weights_sha256 or _recorded_hash(path)
    if recorded not in (None, sha256(weights)):
        raise ExLMError(f"{weights} is not the file that was saved (other sha256); copy the directory again")
    check_numbers(weights)
    tokenizer = saved_tokenizer(path)
    _check_ids(path, saved.config, tokenizer)
    for problem in _spare_problems(path, tokenizer):
        _warn(problem)
    return ModelDirectory(path, saved, tokenizer, sha256(weights))


def write_model(directory: str | Path, model: SavedModel, tokenizer: Tokenizer) -> None:
    """Write a model with its tokenizer into a directory; other files in it stay.

    Parameters
    ----------
    directory : str or Path
        Made if it does not exist.
    model : SavedModel
        One of the classes of `exlm_chem.modeling`.
    tokenizer : Tokenizer
        The one that it was trained with.
    """
    _check_ids(Path(directory), model.config, tokenizer)
    tokenizer.save_pretrained(directory, model.config.max_tokens)
    write_sentence_files(directory)
    model.save_pretrained(directory)


def check(directory: str | Path) -> list[Path]:
    """Check all files of an encoder, those for other programs and for people too.

    Parameters
    ----------
    directory : str or Path
        An encoder's directory, or a predictor's for that of its encoder.

    Returns
    -------
    list of Path
        The files that were checked.

    Raises
    ------
    ExLMError
        At the first file that is missing, broken, or not the one that was saved.
    """
    found = open_model(directory)
    for problem in _spare_problems(found.path, found.tokenizer):
        raise ExLMError(problem)
    names = (*ENCODER_FILES, EXPORT_NAME, TRAINING_NAME)
    return [found.path / name for name in names if (found.path / name).is_file()]


def describe(directory: str | Path) -> dict[str, Any]:
    """Summarise an encoder's directory: its size, and what its JSON files say.

    Parameters
    ----------
    directory : str or Path
        An encoder's directory.

    Returns
    -------
    dict
        ``name``, ``directory``, ``kind``, ``reads`` ("molecule" or "text"), ``parameters``, ``bytes`` and the contents
        of ``config`` and ``training``, as far as that can be read.
    """
    found = open_model(directory)
    weights = found.path / WEIGHTS_NAME
    summary = {
        "name": Path(directory).resolve().name,
        "directory": str(directory),
        "kind": "encoder",
        "reads": found.tokenizer.reads,
        "parameters": count_parameters(weights),
        "bytes": weights.stat().st_size,
        "config": read_json(found.path / CONFIG_NAME),
    }
    training = training_facts(found.path)
    return {**summary, "training": training} if training else summary


def training_facts(directory: str | Path) -> dict[str, Any]:
    """Give what ``training.json`` says of an encoder's training, as far as it can be read, without its old hash.

    Parameters
    ----------
    directory : str or Path
        The encoder's directory.
    """
    path = Path(directory) / TRAINING_NAME
    if not path.is_file() or _problem_of(path):
        return {}
    return {name: value for name, value in read_json(path).items() if name not in ("format_version", "sha256")}


def count_parameters(path: str | Path) -> int:
    """Count the numbers in a file of tensors."""
    count = 0
    for shape in tensor_shapes(path).values():
        size = 1
        for length in shape:
            size *= length
        count += size
    return count


def _check_ids(path: Path, config: ExLMConfig, tokenizer: Tokenizer) -> None:
    """Compare what model and tokenizer take for tokens."""
    ids = (tokenizer.bos_id, tokenizer.pad_id, tokenizer.eos_id, tokenizer.unk_id, tokenizer.mask_id)
    if config.vocab_size != tokenizer.vocab_size or config.special_ids != ids:
        raise ExLMError(
            f"{path}: {CONFIG_NAME} says {config.vocab_size} tokens, special ones "
            f"{', '.join(map(str, config.special_ids))}, and {TOKENIZER_NAME} {tokenizer.vocab_size}, special ones "
            f"{', '.join(map(str, ids))}: they do not belong together; copy the directory again"
        )


@lru_cache(maxsize=1000)
def _warn(problem: str) -> None:
    """Warn of a file that nothing is computed from, once in a process."""
    logger.warning("warning: %s (no number depends on it)", problem)


def _recorded_hash(path: Path) -> str | None:
    """Give the sha256 of the weights in format 1, if it can be read: from ``training.json``."""
    training = path / TRAINING_NAME
    if not training.is_file() or _problem_of(training):
        return None
    recorded = read_json(training).get("sha256")
    return recorded if isinstance(recorded, str) else None


def _spare_problems(path: Path, tokenizer: Tokenizer) -> list[str]:
    """Say what is wrong with the files that nothing is computed from."""
    problems = [_problem_of(path / name) for name in (EXPORT_NAME, TRAINING_NAME) if (path / name).exists()]
    export = path / EXPORT_NAME
    if not export.is_file():
        problems.append(f"{export} is missing, and Hugging Face cannot read the tokenizer; copy the directory again")
    elif tokenizer.reads == "molecule" and not _problem_of(export) and _vocabulary(export) != tokenizer.vocab:
        problems.append(f"{export} holds another vocabulary than {TOKENIZER_NAME}; copy the directory again")
    return [problem for problem in problems if problem]


def _problem_of(path: Path) -> str:
    try:
        read_json(path, "copy the directory again")
    except ExLMError as error:
        return str(error)
    return ""


def _vocabulary(export: Path) -> Any:
    model = read_json(export).get("model")
    return model.get("vocab") if isinstance(model, dict) else None

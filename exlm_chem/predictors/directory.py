"""The predictor directory: ``task.json`` and the files of a head, and beside them or next door an encoder.

The one place where these files are written and read. A predictor carries everything that its numbers depend on, and the
hashes of it. What a predictor is can be read without torch.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exlm_chem import model_directory
from exlm_chem.errors import ExLMError
from exlm_chem.features.exlm import ExlmBlock
from exlm_chem.features.registry import block_spec
from exlm_chem.heads.arrays import ARRAYS_NAME, PLAIN_NAME, read_arrays
from exlm_chem.heads.head import Head
from exlm_chem.heads.registry import load_head
from exlm_chem.heads.spec import HeadSpec
from exlm_chem.locations import TASK_NAME, EncoderLink, is_predictor, locate
from exlm_chem.modeling.config_file import CONFIG_NAME, WEIGHTS_NAME
from exlm_chem.predictors.task_file import PredictorTask, read_task, write_task
from exlm_chem.storage import read_json
from exlm_chem.storage.records import from_json, naming

if TYPE_CHECKING:
    from exlm_chem.embedding.embedder import ExLM

RUN_NAME: Final = "run.json"


def write_predictor(
    directory: str | Path, task: PredictorTask, head: Head, encoder: ExLM | str | Path
) -> PredictorTask:
    """Write a predictor directory.

    Parameters
    ----------
    directory : str or Path
        Made if it does not exist.
    task : PredictorTask
        What says which encoder and head these are is filled in here.
    head : Head
        With as many outputs as the task has columns, on the blocks of features that the task names.
    encoder : ExLM or path
        An encoder that is written into the same directory, or the directory of one that the predictor refers to.

    Returns
    -------
    PredictorTask
        As it was written.
    """
    from exlm_chem.embedding.embedder import ExLM as Encoder  # torch, which a reader of directories can spare

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    if isinstance(encoder, str | Path):
        # with / also on Windows, because the directory may be read on another system
        path = Path(os.path.relpath(encoder, directory)).as_posix()
    else:
        encoder.save_pretrained(directory)
        path = "."
    block = ExlmBlock(Encoder.from_pretrained(directory / path, "cpu"), task.pooling, task.layer)
    vectors = block_spec(block)
    task = replace(
        task,
        layer=block.layer,
        features=tuple(vectors if spec.name == ExlmBlock.name else spec for spec in task.features) or (vectors,),
        encoder=link_encoder(directory, path),
        head=from_json(HeadSpec, head.save(directory), "head"),
    )
    write_task(directory, task)
    return task


def link_encoder(directory: Path, path: str) -> EncoderLink:
    """Say which encoder lies in a path beside a predictor's directory."""
    found = model_directory.open_model(directory / path)
    return EncoderLink(path, found.fingerprint, found.saved.sha256, found.tokenizer.fingerprint)


def check_predictor(name_or_directory: str | Path) -> tuple[Path, PredictorTask]:
    """Find a predictor and check all files that its numbers depend on; torch is not loaded for it.

    Parameters
    ----------
    name_or_directory : str or Path
        See `exlm_chem.locations.locate`.

    Returns
    -------
    directory : Path
        Where it is.
    task : PredictorTask
        What it predicts.

    Raises
    ------
    ExLMError
        In one sentence, if a file is missing, damaged, or does not belong to the others.
    """
    directory, task = _opened(name_or_directory)
    for path, digest in _head_files(directory, task).items():
        read_arrays(path, digest)
    return directory, task


def _opened(name_or_directory: str | Path) -> tuple[Path, PredictorTask]:
    """Find a predictor and check all but the files of its head."""
    directory = locate(name_or_directory)
    if not is_predictor(directory):
        if any((directory / name).is_file() for name in (ARRAYS_NAME, PLAIN_NAME)):
            raise ExLMError(
                f"{directory} is no complete predictor: {TASK_NAME} is missing; copy it again with all files"
            )
        model_directory.open_model(directory)
        raise ExLMError(
            f"{name_or_directory} is an encoder and predicts nothing by itself; make a predictor with finetune"
        )
    task = read_task(directory)
    _check_encoder(directory, task)
    return directory, task


def read_predictor(name_or_directory: str | Path) -> tuple[Path, PredictorTask, Head]:
    """Check a predictor as `check_predictor` does, and read all of it but the weights of its encoder.

    Returns
    -------
    directory, task
        See `check_predictor`.
    head : Head
        As it was saved.
    """
    directory, task = _opened(name_or_directory)
    return directory, task, _read_head(directory, task)  # which checks its files


def _read_head(directory: Path, task: PredictorTask) -> Head:
    try:
        head = load_head(task.head or {}, directory)
    except ExLMError as error:
        if str(directory) in str(error):
            raise
        raise ExLMError(f"{directory / TASK_NAME}: {error}; copy the directory again") from None
    widths = {spec.name: spec.width for spec in task.features} or head.blocks
    fits = (head.kind, head.columns) == (task.kind, len(task.columns)) and head.blocks.items() <= widths.items()
    if not fits:
        raise ExLMError(f"the head in {directory} is not for what {TASK_NAME} describes; copy the directory again")
    return head


def _head_files(directory: Path, task: PredictorTask) -> dict[Path, str | None]:
    """Give the files of the head with their hashes; None in format 1, which did not have them."""
    assert task.head is not None  # noqa: S101  (`read_task` has looked)
    with naming(directory / TASK_NAME):
        return {**task.head.paths(directory)} or {directory / PLAIN_NAME: None}


def check(directory: str | Path) -> list[Path]:
    """Check all files of a predictor and of its encoder, those for other programs and for people too.

    Returns
    -------
    list of Path
        The files that were checked.

    Raises
    ------
    ExLMError
        At the first file that is missing, broken, or not the one that was saved.
    """
    directory, task, _ = read_predictor(directory)
    own = [directory / TASK_NAME, *_head_files(directory, task)]
    if task.training is not None:
        from exlm_chem.predictors.training_file import TRAINING_NAME, read_training

        read_training(directory, task.training)
        own.append(directory / TRAINING_NAME)
    for name in (RUN_NAME, "splits.json"):
        if (directory / name).is_file():
            read_json(directory / name, "copy the directory again")
            own.append(directory / name)
    return [*own, *model_directory.check(directory)]


def describe(directory: str | Path) -> dict[str, Any]:
    """Summarise a predictor as `exlm_chem.model_directory.describe` does an encoder, with its ``task`` and ``run``."""
    directory, task = check_predictor(directory)
    summary = model_directory.describe(model_directory.encoder_directory(directory))
    files, run = _head_files(directory, task), directory / RUN_NAME
    learnt = [values for path, digest in files.items() for values in read_arrays(path, digest).values()]
    return {
        **summary,
        "name": directory.resolve().name,
        "directory": str(directory),
        "kind": "predictor",
        "parameters": summary["parameters"] + sum(values.size for values in learnt if values.dtype.kind == "f"),
        "bytes": summary["bytes"] + sum(path.stat().st_size for path in files),
        "task": {**asdict(task), "features": list(task.blocks), "extra_columns": list(map(asdict, task.extra_columns))},
        "run": read_json(run) if run.is_file() else {},
    }


def _check_encoder(directory: Path, task: PredictorTask) -> None:
    """Check the encoder, and that it is the one that the predictor was trained with."""
    found = model_directory.open_model(directory)
    for file, wanted, there in (
        (WEIGHTS_NAME, task.encoder.sha256, found.fingerprint),
        (CONFIG_NAME, task.encoder.config_sha256, found.saved.sha256),
        (model_directory.TOKENIZER_NAME, task.encoder.tokenizer, found.tokenizer.fingerprint),
    ):
        if wanted is not None and wanted != there:
            raise ExLMError(
                f"{found.path / file} is not of the encoder that {directory} was trained with (other sha256 than in "
                f"{TASK_NAME}); copy both again, or train the predictor again"
            )

"""The predictor directory: ``task.json`` and ``head.safetensors``, and beside them or next door an encoder.

The one place where these files are written and read. A predictor carries everything that its numbers depend on, and the
hashes of it. What a predictor is can be read without torch.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exlm_chem import model_directory
from exlm_chem.errors import ExLMError
from exlm_chem.locations import TASK_NAME, EncoderLink, is_predictor, locate
from exlm_chem.modeling.config_file import CONFIG_NAME, WEIGHTS_NAME
from exlm_chem.predictors.task_file import HeadLink, PredictorTask, read_task, write_task
from exlm_chem.storage import read_json, sha256
from exlm_chem.storage.tensors import check_numbers, tensor_shapes

if TYPE_CHECKING:
    from exlm_chem.embedding.embedder import ExLM
    from exlm_chem.heads.head import PropertyHead

HEAD_NAME: Final = "head.safetensors"
RUN_NAME: Final = "run.json"
PREDICTOR_FILES: Final = (TASK_NAME, HEAD_NAME)


def write_predictor(
    directory: str | Path, task: PredictorTask, head: PropertyHead, encoder: ExLM | str | Path
) -> PredictorTask:
    """Write a predictor directory.

    Parameters
    ----------
    directory : str or Path
        Made if it does not exist.
    task : PredictorTask
        What says which encoder and head these are is filled in here.
    head : PropertyHead
        With as many outputs as the task has columns.
    encoder : ExLM or path
        An encoder that is written into the same directory, or the directory of one that the predictor refers to.

    Returns
    -------
    PredictorTask
        As it was written.
    """
    from exlm_chem.modeling.serialization import save_weights

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    if isinstance(encoder, str | Path):
        # with / also on Windows, because the directory may be read on another system
        path = Path(os.path.relpath(encoder, directory)).as_posix()
    else:
        encoder.save_pretrained(directory)
        path = "."
    save_weights(head, directory / HEAD_NAME)
    task = replace(
        task,
        encoder=link_encoder(directory, path),
        head=HeadLink(head.hidden, sha256(directory / HEAD_NAME)),
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
    directory = locate(name_or_directory)
    if not is_predictor(directory):
        if (directory / HEAD_NAME).is_file():
            raise ExLMError(
                f"{directory} is no complete predictor: {TASK_NAME} is missing; copy it again with all files"
            )
        model_directory.open_model(directory)
        raise ExLMError(
            f"{name_or_directory} is an encoder and predicts nothing by itself; make a predictor with finetune"
        )
    task = read_task(directory)
    _check_encoder(directory, task)
    _check_head(directory / HEAD_NAME, task)
    return directory, task


def read_predictor(name_or_directory: str | Path) -> tuple[Path, PredictorTask, PropertyHead]:
    """Check a predictor as `check_predictor` does, and read all of it but the weights of its encoder.

    Returns
    -------
    directory, task
        See `check_predictor`.
    head : PropertyHead
        On the CPU, in evaluation mode.
    """
    from exlm_chem.heads.head import PropertyHead
    from exlm_chem.modeling.serialization import fill_weights, load_weights

    directory, task = check_predictor(name_or_directory)
    path = directory / HEAD_NAME
    weights = load_weights(path)
    head = PropertyHead(len(weights["feature_mean"]), len(task.columns), task.head.hidden)
    fill_weights(head, weights, path)
    return directory, task, head.eval()


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
    directory, task = check_predictor(directory)
    own = [directory / name for name in PREDICTOR_FILES]
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
    directory, _ = check_predictor(directory)
    summary = model_directory.describe(model_directory.encoder_directory(directory))
    head, run = directory / HEAD_NAME, directory / RUN_NAME
    return {
        **summary,
        "name": directory.resolve().name,
        "directory": str(directory),
        "kind": "predictor",
        "parameters": summary["parameters"] + model_directory.count_parameters(head),
        "bytes": summary["bytes"] + head.stat().st_size,
        "task": read_json(directory / TASK_NAME),
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


def _check_head(path: Path, task: PredictorTask) -> None:
    """Compare the head with its task before anything of its size is allocated."""
    if not path.is_file():
        raise ExLMError(f"{path.parent} is no complete predictor: {path.name} is missing; copy it again with all files")
    shapes = tensor_shapes(path)
    if task.head.sha256 not in (None, sha256(path)):
        raise ExLMError(f"{path} is not the head that {TASK_NAME} describes (other sha256); copy the directory again")
    if len(shapes.get("feature_mean", ())) != 1 or shapes.get("label_mean") != (len(task.columns),):
        raise ExLMError(
            f"{path} does not have the {len(task.columns)} outputs of {TASK_NAME}; copy the directory again"
        )
    hidden = shapes["dense.weight"][0] if len(shapes.get("dense.weight", ())) == 2 else None
    if hidden != task.head.hidden:
        width, wanted = (
            "no hidden layer" if one is None else f"a hidden layer of {one}" for one in (hidden, task.head.hidden)
        )
        raise ExLMError(f"{path} has {width}, and {TASK_NAME} describes {wanted}; copy the directory again")
    check_numbers(path)

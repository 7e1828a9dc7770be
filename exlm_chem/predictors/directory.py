"""The predictor directory: ``task.json`` and ``head.safetensors``, and beside them or next door an encoder.

The one place where these files are written and read. A predictor carries everything that its numbers depend on.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, get_args

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.heads.head import PropertyHead
from exlm_chem.model_directory import find_model
from exlm_chem.modeling.exlm import Pooling
from exlm_chem.modeling.property_loss import Kind
from exlm_chem.modeling.serialization import WEIGHTS_NAME, fill_weights, load_weights, save_weights
from exlm_chem.smiles.molecule import Standardise
from exlm_chem.storage import read_json, sha256, write_json

FORMAT_VERSION: Final = 1
TASK_NAME: Final = "task.json"
HEAD_NAME: Final = "head.safetensors"


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One number that a predictor gives for a molecule.

    Examples
    --------
    >>> OutputColumn("bbbp", target="p_np", threshold=0.5).unit
    'probability'
    """

    name: str
    """Column of the prediction table."""
    target: str
    """Column of the labels it was trained on."""
    unit: str = "probability"
    """Unit of the number."""
    range: tuple[float, float] | None = None
    """Lowest and highest number, of a probability or of the labels."""
    direction: str = "none"
    """Which side is usually wanted: higher, lower or none."""
    threshold: float | None = None
    """Classification: from this probability on, the answer is yes."""
    meaning: str = ""
    """One sentence for the person who reads the number."""


@dataclass(frozen=True, slots=True)
class PredictorTask:
    """What ``task.json`` says.

    Examples
    --------
    >>> task = PredictorTask("bbbp", "classification", (OutputColumn("bbbp", "p_np"),))
    >>> PredictorTask.from_json(task.to_json()) == task
    True
    """

    name: str
    """Name of the predictor; the prefix of its columns where names clash."""
    kind: Kind
    """Classification gives probabilities, regression values in the unit of the labels."""
    columns: tuple[OutputColumn, ...]
    """The outputs, in the order of the head."""
    title: str = ""
    """What it predicts, in a few words."""
    pooling: Pooling = "mean"
    """How the encoder makes one vector of a molecule."""
    standardise: Standardise = "none"
    """The rule that every molecule goes through first, in training and prediction."""
    hidden: int | None = None
    """Width of the head's hidden layer."""
    features: tuple[str, ...] = ("exlm",)
    """The blocks of features that the head reads."""
    encoder_path: str = "."
    """The encoder's directory, relative to the predictor's."""
    encoder_sha256: str = ""
    """Of the encoder's weights."""
    head_sha256: str = ""
    """Of the head's weights."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """How good it is, and on what."""
    split: dict[str, Any] = field(default_factory=dict)
    """How training and test molecules were told apart."""

    def to_json(self) -> dict[str, Any]:
        """Give the contents of ``task.json``."""
        content: dict[str, Any] = {"format_version": FORMAT_VERSION, **asdict(self)}
        content["encoder"] = {"path": content.pop("encoder_path"), "sha256": content.pop("encoder_sha256")}
        content["head"] = {"hidden": content.pop("hidden"), "sha256": content.pop("head_sha256")}
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PredictorTask:
        """Read the contents of ``task.json``.

        Raises
        ------
        ExLMError
            If it was written by a newer version, or lacks something.
        """
        version = content.get("format_version")
        if version != FORMAT_VERSION:
            raise ExLMError(
                f"format_version is {version!r} and this version of exlm-chem reads {FORMAT_VERSION}; "
                "update exlm-chem or train the predictor again"
            )
        values = dict(content)
        try:
            encoder, head = values["encoder"], values["head"]
            values |= {"encoder_path": encoder["path"], "encoder_sha256": encoder["sha256"]}
            values |= {"hidden": head["hidden"], "head_sha256": head.get("sha256", "")}
            values["columns"] = tuple(
                OutputColumn(**column | {"range": tuple(column["range"]) if column.get("range") else None})
                for column in values["columns"]
            )
            values["features"] = tuple(values.get("features", ("exlm",)))
            known = {entry.name for entry in fields(cls)}
            task = cls(**{name: value for name, value in values.items() if name in known})
        except (KeyError, TypeError, AttributeError) as error:
            raise ExLMError(f"it is not complete ({error}); copy or train the predictor again") from error
        task.validate()
        return task

    def validate(self) -> None:
        """Check the values that decide what is computed."""
        for name, allowed in (("kind", Kind), ("pooling", Pooling), ("standardise", Standardise)):
            if getattr(self, name) not in get_args(allowed):
                raise ExLMError(f"{name} is {getattr(self, name)!r} and must be one of {', '.join(get_args(allowed))}")
        if self.features != ("exlm",):
            raise ExLMError(
                f"features are {', '.join(self.features)}, and this version knows only exlm; update exlm-chem"
            )
        if not self.columns:
            raise ExLMError("it has no columns; train the predictor again")


def write_predictor(
    directory: str | Path, task: PredictorTask, head: PropertyHead, encoder: ExLM | str | Path
) -> PredictorTask:
    """Write a predictor directory.

    Parameters
    ----------
    directory : str or Path
        Made if it does not exist.
    task : PredictorTask
        Its hashes, the encoder's path and the head's width are filled in here.
    head : PropertyHead
        With as many outputs as the task has columns.
    encoder : ExLM or path
        An encoder that is written into the same directory, or the directory of one that the predictor refers to.

    Returns
    -------
    PredictorTask
        As it was written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    if isinstance(encoder, ExLM):
        encoder.save_pretrained(directory)
        encoder_path = "."
    else:
        # with / also on Windows, because the directory may be read on another system
        encoder_path = Path(os.path.relpath(encoder, directory)).as_posix()
    save_weights(head, directory / HEAD_NAME)
    task = replace(
        task,
        hidden=head.hidden,
        encoder_path=encoder_path,
        encoder_sha256=sha256(directory / encoder_path / WEIGHTS_NAME),
        head_sha256=sha256(directory / HEAD_NAME),
    )
    task.validate()
    write_json(directory / TASK_NAME, task.to_json())
    return task


def read_predictor(name_or_directory: str | Path) -> tuple[Path, PredictorTask, PropertyHead]:
    """Read and check a predictor directory, all but its encoder's weights.

    Parameters
    ----------
    name_or_directory : str or Path
        See `exlm_chem.model_directory.find_model`.

    Returns
    -------
    directory : Path
        Where it is.
    task : PredictorTask
        What it predicts.
    head : PropertyHead
        On the CPU, in evaluation mode.

    Raises
    ------
    ExLMError
        In one sentence, if a file is missing, damaged, or does not belong to the others.
    """
    directory = find_model(name_or_directory)
    if not (directory / TASK_NAME).is_file():
        raise ExLMError(
            f"{name_or_directory} is an encoder and predicts nothing by itself; make a predictor with finetune"
        )
    try:
        task = PredictorTask.from_json(read_json(directory / TASK_NAME))
    except ExLMError as error:
        raise ExLMError(f"{directory / TASK_NAME}: {error}") from error
    path = directory / HEAD_NAME
    weights = load_weights(path)
    if task.head_sha256 and task.head_sha256 != sha256(path):
        raise ExLMError(f"{path} is not the head that {TASK_NAME} describes (other sha256); copy the directory again")
    mean, outputs = weights.get("feature_mean"), weights.get("label_mean")
    if mean is None or outputs is None or len(outputs) != len(task.columns):
        raise ExLMError(
            f"{path} does not have the {len(task.columns)} outputs of {TASK_NAME}; copy the directory again"
        )
    head = PropertyHead(len(mean), len(outputs), task.hidden)
    fill_weights(head, weights, path)
    return directory, task, head.eval()

"""``task.json``: what a predictor predicts, from which encoder, and what its numbers depend on; read without torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.locations import TASK_NAME, EncoderLink
from exlm_chem.predictors.task import OutputColumn, check_outputs
from exlm_chem.storage import read_json, write_json
from exlm_chem.storage.records import (
    Between,
    NewerFormatError,
    Sha256,
    check_content,
    check_fields,
    content_sha256,
    from_json,
    naming,
    read_version,
)
from exlm_chem.terms import Kind, Pooling, Standardise

FORMAT_VERSION: Final = 2
"""Of predictor directories: 1 had the hashes of both weights and not those of ``task.json`` and ``config.json``."""


@dataclass(frozen=True, slots=True)
class HeadLink:
    """Which head belongs to a task."""

    hidden: Annotated[int, Between(1, 2**20)] | None = None
    """Width of its hidden layer."""
    sha256: Sha256 | None = None
    """Of its weights."""


@dataclass(frozen=True, slots=True)
class PredictorTask:
    """What ``task.json`` says.

    Raises
    ------
    ExLMError
        If a value cannot be; the message names it.

    Examples
    --------
    >>> task = PredictorTask("bbbp", "classification", (OutputColumn("bbbp", "p_np"),))
    >>> PredictorTask.from_json(asdict(task)) == task
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
    features: tuple[str, ...] = ("exlm",)
    """The blocks of features that the head reads."""
    encoder: EncoderLink = field(default_factory=EncoderLink)
    """Where its encoder is, and which one."""
    head: HeadLink = field(default_factory=HeadLink)
    """Which head it is."""
    training: Sha256 | None = None
    """The sha256 of the file of training molecules, if they are kept."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """How good it is, and on what."""
    split: dict[str, Any] = field(default_factory=dict)
    """How training and test molecules were told apart."""

    def __post_init__(self) -> None:
        check_fields(self)
        if self.features != ("exlm",):
            listed = ", ".join(map(quoted, self.features))
            raise NewerFormatError(f"features are {listed}, and this version knows only 'exlm'; update ExLM-chem")
        if not self.columns:
            raise ExLMError("columns must have at least one entry")
        check_outputs(self.columns)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PredictorTask:
        """Read the contents of ``task.json``, of this format or an older one.

        Raises
        ------
        ExLMError
            If it was written by a newer version, was changed since, lacks something, or holds what cannot be.
        """
        version = read_version(content, FORMAT_VERSION)
        check_content(content, required=version > 1)
        task = from_json(cls, content)
        if version > 1 and None in (task.head.sha256, *asdict(task.encoder).values()):
            raise ExLMError("it lacks the hash of a file")
        return task


def write_task(directory: Path, task: PredictorTask) -> None:
    """Write ``task.json`` with the hash of what it says."""
    content = {"format_version": FORMAT_VERSION, **asdict(task)}
    write_json(directory / TASK_NAME, {**content, "sha256": content_sha256(content)})


def read_task(directory: str | Path) -> PredictorTask:
    """Read and check ``task.json`` alone."""
    path = Path(directory) / TASK_NAME
    content = read_json(path, "copy the directory again")
    with naming(path):
        return PredictorTask.from_json(content)

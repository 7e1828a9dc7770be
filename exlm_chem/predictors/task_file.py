"""``task.json``: what a predictor predicts, from which encoder, and what its numbers depend on; read without torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final

from exlm_chem.errors import ExLMError
from exlm_chem.features.columns import ColumnEncoding, ColumnsBlock
from exlm_chem.features.registry import BlockSpec
from exlm_chem.heads.arrays import PLAIN_NAME
from exlm_chem.heads.spec import HeadSpec
from exlm_chem.locations import TASK_NAME, EncoderLink
from exlm_chem.predictors.task import OutputColumn, check_outputs
from exlm_chem.storage import read_json, write_json
from exlm_chem.storage.records import (
    Between,
    Sha256,
    check_content,
    check_fields,
    content_sha256,
    from_json,
    naming,
    read_version,
)
from exlm_chem.terms import Kind, Pooling, Standardise

FORMAT_VERSION: Final = 3
"""Of predictor directories: 1 had the hashes of both weights and not those of ``task.json`` and ``config.json``, 2 one
linear head on the encoder's vectors."""


@dataclass(frozen=True, slots=True)
class _OldHead:
    """Which head belonged to a task before format 3."""

    hidden: Annotated[int, Between(1, 2**20)] | None = None
    sha256: Sha256 | None = None


@dataclass(frozen=True, slots=True)
class PredictorTask:
    """What ``task.json`` says.

    Raises
    ------
    ExLMError
        If a value cannot be; the message names it.

    Examples
    --------
    >>> PredictorTask("bbbp", "classification", (OutputColumn("bbbp", "p_np"),)).blocks
    ('exlm',)
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
    layer: int = field(default=-1, kw_only=True)
    """Of which layer's features; -1 is the last one."""
    standardise: Standardise = "none"
    """The rule that every molecule goes through first, in training and prediction."""
    features: tuple[BlockSpec, ...] = ()
    """The blocks of features that the head reads; none is written for the vectors of the encoder before format 3."""
    encoder: EncoderLink = field(default_factory=EncoderLink)
    """Where its encoder is, and which one."""
    head: HeadSpec | None = None
    """Which head it is, with the hashes of its files; None before there is one."""
    training: Sha256 | None = None
    """The sha256 of the file of training molecules, if they are kept."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """How good it is, and on what."""
    split: dict[str, Any] = field(default_factory=dict)
    """How training and test molecules were told apart."""

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.columns:
            raise ExLMError("columns must have at least one entry")
        check_outputs(self.columns)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the blocks that the head reads."""
        return tuple(spec.name for spec in self.features) or ("exlm",)

    @property
    def extra_columns(self) -> tuple[ColumnEncoding, ...]:
        """The columns of a table that it reads besides the molecules."""
        own = [spec.settings for spec in self.features if spec.name == ColumnsBlock.name]
        return ColumnsBlock.from_settings(own[0]).columns if own else ()

    def to_json(self) -> dict[str, Any]:
        """Say it for ``task.json``; the last layer and plain values are left out, as before there were others.

        Examples
        --------
        >>> task = PredictorTask("bbbp", "classification", (OutputColumn("bbbp", "p_np"),))
        >>> "layer" in task.to_json(), replace(task, layer=2).to_json()["layer"]
        (False, 2)
        """
        content = asdict(self)
        if self.layer == -1:
            del content["layer"]
        for column in content["columns"]:
            if column["transform"] == "none":
                del column["transform"]
        return content

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
        old = version < 3
        task = from_json(cls, content | {"features": [], "head": None} if old else content)
        task = replace(task, head=_head_of_old(content, task)) if old else task
        if task.head is None:
            raise ExLMError("head is missing")
        lacks = not task.head.files or None in asdict(task.encoder).values()
        if version > 1 and lacks:
            raise ExLMError("it lacks the hash of a file")
        return task


def _head_of_old(content: dict[str, Any], task: PredictorTask) -> HeadSpec:
    """Say what the one kind of head before format 3 is called now."""
    if content.get("features", ["exlm"]) != ["exlm"]:
        raise ExLMError("its features are other ones than 'exlm', which its format does not have")
    head = from_json(_OldHead, content.get("head", {}), "head")
    files = {} if head.sha256 is None else {PLAIN_NAME: head.sha256}
    return HeadSpec("layer", task.kind, len(task.columns), {}, files, {"hidden": head.hidden})


def write_task(directory: Path, task: PredictorTask) -> None:
    """Write ``task.json`` with the hash of what it says."""
    content = {"format_version": FORMAT_VERSION, **task.to_json()}
    write_json(directory / TASK_NAME, {**content, "sha256": content_sha256(content)})


def read_task(directory: str | Path) -> PredictorTask:
    """Read and check ``task.json`` alone."""
    path = Path(directory) / TASK_NAME
    content = read_json(path, "copy the directory again")
    with naming(path):
        return PredictorTask.from_json(content)

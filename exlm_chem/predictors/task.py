"""What is to be predicted: one of the tasks of `exlm_chem.predictors.registry`, or the columns of somebody's table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.predictors.transforms import described
from exlm_chem.storage.records import Between, Matching
from exlm_chem.terms import Kind, Transform

Direction = Literal["higher", "lower", "none"]
"""Which side of a number is usually wanted."""

Metric = Literal["roc_auc", "average_precision", "rmse", "mae"]
"""What predictors of a task are judged by."""

AS_MEASURED: Final = "as measured"
"""The unit of values of which no unit is known."""


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
    direction: Direction = "none"
    """Which side is usually wanted: higher, lower or none."""
    threshold: float | None = None
    """Classification: from this probability on, the answer is yes."""
    meaning: str = ""
    """One sentence for the person who reads the number."""
    transform: Transform = "none"
    """What of measured labels is learnt."""


@dataclass(frozen=True, slots=True)
class PublicTable:
    """Where the table of a task can be had, and what is in it.

    Attributes
    ----------
    address : str
        The one that DeepChem's loaders use.
    smiles : str
        Its column of SMILES.
    md5 : str, optional
        Of the file, as it was published.
    rows, molecules : int, optional
        Of the table; different molecules that can be read.
    """

    address: Annotated[str, Matching("https?://[^\\s]+", "an address that begins with https://")]
    smiles: str = "smiles"
    md5: Annotated[str, Matching("[0-9a-f]{32}", "an md5 (32 hexadecimal digits)")] | None = None
    rows: Annotated[int, Between(1, 10**9)] | None = None
    molecules: Annotated[int, Between(1, 10**9)] | None = None


@dataclass(frozen=True)
class Task:
    """What a predictor predicts.

    Raises
    ------
    ExLMError
        If there is no output, or two have one name or one target, or a number cannot be.

    Examples
    --------
    >>> Task("mine", "classification", "", (OutputColumn("active", "active"),)).targets
    ['active']
    """

    name: str
    """Of the predictor; the prefix of its columns where names clash."""
    kind: Kind
    """Classification gives probabilities, regression values in the unit of the labels."""
    title: str = ""
    """What it predicts, in a few words."""
    columns: tuple[OutputColumn, ...] = ()
    """The outputs; none if they are the columns of whatever table, see `every`."""
    source: str = ""
    """Where the labels come from."""
    licence: str = ""
    """Of the table, as far as it is known."""
    metric: Metric | None = None
    """What predictors are judged by."""
    every: OutputColumn | None = None
    """What every output is like, where ``columns`` is empty: ``{target}`` stands for the label's column, ``{slug}`` for
    that in small letters."""
    table: PublicTable | None = None
    """Where its table can be had."""

    def __post_init__(self) -> None:
        if not self.columns and self.every is None:
            raise ExLMError("columns must have at least one entry")
        check_outputs(self.columns)
        _check_unique(self.targets if self.columns else (), "target")
        _check_thresholds(self.columns, self.kind)
        for index, column in enumerate(self.columns):
            if column.transform != "none" and self.kind == "classification":
                raise ExLMError(f"columns[{index}].transform is for measurements, and the labels are classes")

    @property
    def targets(self) -> list[str]:
        """Names of the label columns in the training table.

        Raises
        ------
        ExLMError
            If they are the columns of a table; see `for_table`.
        """
        if not self.columns:
            raise ExLMError(f"task {quoted(self.name)} predicts every column of its table, and no table is given")
        return [column.target for column in self.columns]

    def for_table(self, columns: Sequence[str], smiles: int) -> Task:
        """Give the task with its outputs named, if they are all columns of a table.

        Parameters
        ----------
        columns : sequence of str
            The columns of the table.
        smiles : int
            The place of the SMILES among them, which are no label.

        Examples
        --------
        >>> task = Task("panel", "regression", every=OutputColumn("panel_{slug}", "{target}", "log10(mol/L)"))
        >>> [column.name for column in task.for_table(["smiles", "Assay 1", "Assay 2"], 0).columns]
        ['panel_assay_1', 'panel_assay_2']
        """
        if self.columns or self.every is None:
            return self
        targets = [column for place, column in enumerate(columns) if place != smiles]
        return replace(self, columns=tuple(named_output(self.every, target) for target in targets), every=None)


def named_output(pattern: OutputColumn, target: str) -> OutputColumn:
    """Put the label's column into the texts of an output.

    Examples
    --------
    >>> named_output(OutputColumn("x_{slug}", "{target}", meaning="Of '{target}'."), "Eye disorders").name
    'x_eye_disorders'
    """
    slug = re.sub(r"[\W_]+", "_", target.casefold()).strip("_")
    name, meaning = (
        text.replace("{slug}", slug).replace("{target}", target) for text in (pattern.name, pattern.meaning)
    )
    return replace(pattern, target=target, name=name, meaning=meaning)


def task_of_targets(
    name: str,
    targets: Sequence[str],
    kind: Kind,
    positive: Mapping[str, str] | None = None,
    transform: Transform = "none",
) -> Task:
    """Make a task from columns of somebody's table.

    Parameters
    ----------
    name : str
        Of the task.
    targets : sequence of str
        The columns.
    kind : {"classification", "regression"}
        What they hold.
    positive : mapping of str to str, optional
        For each column of classes, what is written there for class 1; "1" by default.
    transform : str, optional
        What of measured values is learnt; the names of the outputs begin with it.

    Examples
    --------
    >>> task_of_targets("mine", ["active"], "classification").columns[0].meaning
    'Probability that active is 1.'
    >>> task_of_targets("mine", ["IC50"], "regression", transform="p:nM").columns[0].name
    'p_IC50'
    """
    output = "{target}" if transform == "none" else f"{described(transform).prefix}_{{target}}"
    columns = [
        named_output(usual_output(output, kind, (positive or {}).get(target, "1"), transform), target)
        for target in targets
    ]
    return Task(name, kind, ", ".join(targets), tuple(columns))


def usual_output(name: str, kind: Kind, positive: str = "1", transform: Transform = "none") -> OutputColumn:
    """Give what an output of a kind is where nothing else is said of it; ``{target}`` stands for the label's column.

    Parameters
    ----------
    name : str
        Of the output.
    kind : {"classification", "regression"}
        Of its labels.
    positive : str
        What is written for class 1.
    transform : str, optional
        What of measured values is learnt.

    Examples
    --------
    >>> usual_output("herg", "classification").threshold
    0.5
    """
    if kind == "classification":
        meaning = f"Probability that {{target}} is {positive}."
        return OutputColumn(name, "{target}", "probability", (0.0, 1.0), "none", 0.5, meaning)
    if transform != "none":
        learnt = described(transform)
        meaning = f"Predicted {learnt.words} of {{target}}."
        return OutputColumn(name, "{target}", learnt.unit, meaning=meaning, transform=transform)
    return OutputColumn(name, "{target}", AS_MEASURED, None, "none", None, "Predicted value of {target}.")


def check_outputs(columns: Sequence[OutputColumn]) -> None:
    """Refuse outputs of which two have one name, or whose range is none.

    Examples
    --------
    >>> check_outputs([OutputColumn("a", "x"), OutputColumn("a", "y")])
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: columns[0] and columns[1] have the same name, 'a'
    """
    _check_unique([column.name for column in columns], "name")
    for index, column in enumerate(columns):
        if column.range is not None and column.range[0] > column.range[1]:
            raise ExLMError(f"columns[{index}].range must be the lowest and the highest number, in this order")


def _check_unique(texts: Sequence[str], what: str) -> None:
    for index, text in enumerate(texts):
        if not text.strip():
            raise ExLMError(f"columns[{index}].{what} is empty")
        if text in texts[:index]:
            raise ExLMError(f"columns[{texts.index(text)}] and columns[{index}] have the same {what}, {quoted(text)}")


def _check_thresholds(columns: Sequence[OutputColumn], kind: Kind) -> None:
    for index, column in enumerate(columns):
        if column.threshold is not None and kind == "regression":
            raise ExLMError(f"columns[{index}].threshold: a regression has none")
        if column.threshold is not None and not 0 < column.threshold < 1:
            raise ExLMError(f"columns[{index}].threshold must be between 0 and 1, not {column.threshold:g}")

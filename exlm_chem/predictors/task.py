"""What is to be predicted: the tasks of ``data/tasks.toml``, or one made from the columns of somebody's table."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError
from exlm_chem.storage.records import from_json, naming
from exlm_chem.terms import Kind

Direction = Literal["higher", "lower", "none"]
"""Which side of a number is usually wanted."""


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


@dataclass(frozen=True)
class Task:
    """What a predictor predicts.

    Examples
    --------
    >>> registered_task("esol").columns[0].unit
    'log10(mol/L)'
    """

    name: str
    kind: Kind
    title: str
    columns: tuple[OutputColumn, ...]
    source: str = ""
    licence: str = ""

    @property
    def targets(self) -> list[str]:
        """Names of the label columns in the training table."""
        return [column.target for column in self.columns]


def registered_tasks(path: Path | None = None) -> dict[str, Task]:
    """Read the task registry.

    Parameters
    ----------
    path : Path, optional
        A TOML file like ``data/tasks.toml``, which is the default.

    Examples
    --------
    >>> sorted(registered_tasks())[:3]
    ['bace', 'bbbp', 'clintox']
    """
    path = path or data_path("tasks.toml")
    with naming(path, "restore it from a copy"):
        try:
            registry = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:  # TOML or UTF-8
            raise ExLMError(f"it is no task registry ({error})") from None
        return {
            name: from_json(Task, {**content, "name": name} if isinstance(content, dict) else content, name)
            for name, content in registry.items()
        }


def registered_task(name: str) -> Task:
    """Give a task of the registry by its name."""
    tasks = registered_tasks()
    if name not in tasks:
        raise ExLMError(
            f"there is no task '{name}'; the registered ones are {', '.join(tasks)}; or name a --target column"
        )
    return tasks[name]


def task_of_targets(name: str, targets: Sequence[str], kind: Kind) -> Task:
    """Make a task from columns of somebody's table.

    Examples
    --------
    >>> task_of_targets("mine", ["active"], "classification").columns[0].meaning
    'Probability that active is 1.'
    """
    if kind == "classification":
        columns = [
            OutputColumn(target, target, "probability", (0.0, 1.0), "none", 0.5, f"Probability that {target} is 1.")
            for target in targets
        ]
    else:
        columns = [
            OutputColumn(target, target, "as measured", None, "none", None, f"Predicted value of {target}.")
            for target in targets
        ]
    return Task(name, kind, ", ".join(targets), tuple(columns))


def infer_kind(labels: NDArray[np.float64], targets: Sequence[str]) -> Kind:
    """Say whether labels are classes or measurements, if that is beyond doubt.

    Parameters
    ----------
    labels : float array of shape (molecules, targets)
        NaN where unknown.
    targets : sequence of str
        Names of the columns.

    Raises
    ------
    ExLMError
        If it is in doubt, or the columns are of different kinds.

    Examples
    --------
    >>> infer_kind(np.array([[0.0], [1.0], [np.nan]]), ["active"])
    'classification'
    """
    kinds = [_kind_of(column[~np.isnan(column)]) for column in labels.T]
    if len(set(kinds)) == 1 and kinds[0] is not None:
        return kinds[0]
    for target, kind in zip(targets, kinds, strict=True):
        if kind is None:
            raise ExLMError(
                f"it is not clear whether '{target}' holds classes or measurements; "
                "add --kind classification (labels 0 and 1) or --kind regression"
            )
    raise ExLMError(
        f"the columns {', '.join(targets)} are partly classes, partly measurements; train one predictor for each kind"
    )


def _kind_of(known: NDArray[np.float64]) -> Kind | None:
    values = np.unique(known)
    if values.tolist() == [0.0, 1.0]:
        return "classification"
    if len(values) > 10 and (values % 1 != 0).any():
        return "regression"
    return None

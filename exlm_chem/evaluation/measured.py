"""A table that heads are tried on: its molecules, their labels, and what is set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.model_input import ModelInput
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.dataset import read_dataset
from exlm_chem.finetuning.extra_columns import check_extra_columns, encode_columns
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.messages import log_table
from exlm_chem.finetuning.metrics import MAIN_METRIC, METRICS, label_units, may_differ_in_units
from exlm_chem.finetuning.splits import Split, make_split, parse_split
from exlm_chem.predictors.registry import registered_task, task_for_file
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.terms import Kind


@dataclass(frozen=True)
class Measured:
    """A table that heads are tried on."""

    name: str
    kind: Kind
    smiles: Sequence[str]
    labels: NDArray[np.float64]
    split: Split
    beside: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """What all kinds of features have besides: other columns of the table."""
    notes: list[str] = field(default_factory=list)
    """What is told of it: how its columns were read, rows left out, and of several columns what errors are in."""

    @property
    def metric(self) -> str:
        """The main metric of its labels."""
        return MAIN_METRIC[self.kind]

    @property
    def better(self) -> int:
        """1 if more of the main metric is better, -1 if less is."""
        return 1 if METRICS[self.metric].higher_is_better else -1


def read_measured(
    path: Path,
    read: Callable[[str | None], ModelInput],
    targets: Sequence[str],
    *,
    split: str = "scaffold",
    seed: int = 0,
    labels: LabelOptions | None = None,
    reading: ReadOptions | str | None = None,
    extra_columns: Sequence[str] = (),
) -> Measured:
    """Read a table and set its test part aside.

    Parameters
    ----------
    path : Path
        The table.
    read : callable
        How a molecule is read; that of an encoder.
    targets : sequence of str
        The columns of labels.
    split : str
        A rule of splitting; see `parse_split`.
    seed : int
        Of a rule that draws.
    labels, reading : optional
        See `read_dataset`. Several columns of values are divided by their `label_units`.
    extra_columns : sequence of str
        Columns that are read besides the molecules, as they are met in the training part.

    Raises
    ------
    ExLMError
        If it cannot be read, or no molecule is left to test on.
    """
    rule = parse_split(split)
    check_extra_columns(extra_columns, targets)
    dataset = read_dataset(path, list(targets), read, reading, labels, rule.column, extra_columns)
    made = make_split(split, dataset.splittable, seed)
    if not made.test:
        raise ExLMError(f"the {made.name} split of {path.name} leaves no test part; use --split random")
    units = label_units(dataset.exact_labels[[*made.train, *made.valid]], dataset.kind)
    measured = Measured(path.name, dataset.kind, dataset.smiles, dataset.exact_labels / units, made)
    log_table(dataset, dataset.report(extra_columns), measured.notes.append)
    if may_differ_in_units(dataset.kind, len(units)):
        measured.notes.append("errors are in standard deviations of each column, so that no unit decides")
    if extra_columns:
        block, numbers = encode_columns(dataset, extra_columns, made.train, measured.notes.append)
        measured.beside[block.name] = numbers
    return measured


def read_task(
    folder: Path, task: str, read: Callable[[str | None], ModelInput], split: str = "scaffold", seed: int = 0
) -> Measured:
    """Read the table of a registered task from a folder with NAME.csv.gz or NAME.csv.

    Raises
    ------
    ExLMError
        If there is no such task, or its table is not there; see also `read_measured`.
    """
    kind = registered_task(task).kind
    paths = [folder / f"{task}{suffix}" for suffix in (".csv.gz", ".csv")]
    path = next((one for one in paths if one.is_file()), None)
    if path is None:
        raise ExLMError(f"there is no {task}.csv or {task}.csv.gz in {quoted(folder)}; name the folder with --data")
    targets, labels = task_for_file(task, path).targets, LabelOptions(kind=kind)
    return replace(read_measured(path, read, targets, split=split, seed=seed, labels=labels), name=task)


def thinned(table: Measured, most: int) -> Measured:
    """Draw molecules from a table with more than so many; those that are the rare ones of a class stay.

    Each stays in its part. The ranks of molecules, and so ROC-AUC, do not depend on how many of the others there are.

    Examples
    --------
    >>> split = Split("mine", "", [0, 1, 2, 3, 4], [5], [6, 7], [""] * 8)
    >>> table = Measured("a", "classification", ["C"] * 8, np.eye(8)[:, 3:4], split)
    >>> len(thinned(table, 4).smiles), int(thinned(table, 4).labels.sum())
    (4, 1)
    """
    count = len(table.smiles)
    if count <= most:
        return table
    rare = (table.labels == 1).any(1) if table.kind == "classification" else np.zeros(count, bool)
    if rare.sum() > most / 2:
        rare[:] = False
    order = np.random.default_rng(0).permutation(count)
    kept = np.sort(order[np.argsort(~rare[order], kind="stable")][:most]).tolist()
    place = {row: index for index, row in enumerate(kept)}
    split = table.split
    train, valid, test = ([place[row] for row in rows if row in place] for rows in split.parts().values())
    split = replace(split, train=train, valid=valid, test=test, groups=[split.groups[row] for row in kept], unplaced=[])
    beside = {name: values[kept] for name, values in table.beside.items()}
    smiles = [table.smiles[row] for row in kept]
    return replace(table, smiles=smiles, labels=table.labels[kept], split=split, beside=beside)

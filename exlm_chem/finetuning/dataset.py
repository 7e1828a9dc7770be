"""The training table: measured molecules, read with care for everything that is wrong with real tables."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.model_input import ModelInput
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.labels import LabelColumn, check_use, read_labels
from exlm_chem.finetuning.metrics.bounds import BoundedLabels
from exlm_chem.finetuning.relations import check_relations, with_signs
from exlm_chem.finetuning.spellings import is_unknown, tidy
from exlm_chem.finetuning.splits import PARTS, Splittable
from exlm_chem.finetuning.training_rows import LeftOut, TrainingRows, join_rows, read_rows
from exlm_chem.storage import sha256
from exlm_chem.tables.columns import listed
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.terms import Kind, Transform


@dataclass
class Dataset:
    """Measured molecules.

    Attributes
    ----------
    name : str
        The file, or those of training, validation and test.
    sha256 : str
        Of the file; of several, that of theirs.
    inputs : list of ModelInput
        What the model reads for each molecule.
    labels : float array of shape (molecules, targets)
        NaN where unknown; the limit where only that is known.
    bounds : int array of the same shape
        See `BoundedLabels`.
    rows : list of int
        Row of the file that each molecule comes from, from 0, header not counted.
    lines : list of int
        Line of the file that each molecule comes from, from 1.
    columns : list of LabelColumn
        What the columns of labels hold, in all rows of the file.
    split_cells : list of str
        What the column of the split says of each molecule, or which file it is from; empty without either.
    others : dict
        Other columns that were asked for, by their names: their cells, of each molecule.
    table_rows : int
        How many rows the file has.
    left_out : list of LeftOut
        Rows that cannot be learnt from.
    reading : list of str
        What was guessed about the file and decided about its labels.
    """

    name: str
    sha256: str
    inputs: list[ModelInput] = field(default_factory=list)
    labels: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    bounds: NDArray[np.int8] = field(default_factory=lambda: np.empty((0, 0), np.int8))
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    columns: list[LabelColumn] = field(default_factory=list)
    split_cells: list[str] = field(default_factory=list)
    others: dict[str, list[str | None]] = field(default_factory=dict)
    table_rows: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def kind(self) -> Kind:
        """Whether the labels are classes or measurements; all columns must be of one kind."""
        kinds = {column.kind for column in self.columns}
        if len(kinds) > 1:
            names = listed([column.name for column in self.columns if column.kind == "classification"])
            raise ExLMError(
                f"{self.name}: the columns {names} are classes and the other ones measurements; "
                "train one predictor for each kind"
            )
        return kinds.pop()

    @property
    def smiles(self) -> list[str]:
        """Canonical SMILES of the molecules."""
        return [one.molecule.smiles for one in self.inputs]

    @property
    def exact_labels(self) -> NDArray[np.float64]:
        """The labels that are no limits; NaN elsewhere."""
        return np.where(self.bounds == 0, self.labels, np.nan)

    @property
    def splittable(self) -> Splittable:
        """What a rule of splitting looks at."""
        return Splittable(
            self.smiles,
            self.labels,
            self.split_cells,
            bounds=self.bounds,
            rows=self.rows,
            lines=self.lines,
            table_rows=self.table_rows,
            name=self.name,
            sha256=self.sha256,
        )

    def report(self, beside: Sequence[str] = ()) -> dict[str, Any]:
        """Count what a reader of the results should know about the table.

        Parameters
        ----------
        beside : sequence of str
            Of `others`, the columns that are read besides the molecules: only where they say the same, the same is
            measured again.
        """
        rows_of: dict[Any, list[int]] = defaultdict(list)
        for index, same in enumerate(zip(self.smiles, *(self.others[name] for name in beside), strict=True)):
            rows_of[same].append(index)
        repeated = [indices for indices in rows_of.values() if len(indices) > 1]
        return {
            "molecules": len(self),
            "distinct": len(rows_of),
            "left_out": len(self.left_out),
            "known_labels": int((~np.isnan(self.labels)).sum()),
            "limits": int(np.count_nonzero(self.bounds)),
            "repeated": len(repeated),
            "conflicting": sum(_conflict(self.labels[indices], self.bounds[indices]) for indices in repeated),
            "changed_by_standardisation": sum(one.molecule.changed for one in self.inputs),
        }


def read_dataset(
    path: str | Path | Sequence[str | Path],
    targets: Sequence[str],
    read: Callable[[str | None], ModelInput],
    reading: ReadOptions | str | None = None,
    labels: LabelOptions | None = None,
    split_column: str | None = None,
    others: Sequence[str] = (),
    transforms: Sequence[Transform] | None = None,
) -> Dataset:
    """Read a training table.

    Parameters
    ----------
    path : path, or three of them
        Any format that `MoleculeReader` reads; three are those of training, validation and test.
    targets : sequence of str
        The columns of the labels.
    read : callable
        Turns a cell into what the model reads; `ExLM.read` with the rule of standardisation.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    labels : LabelOptions, optional
        How the labels are read, where that shall not be found out.
    split_column : str, optional
        The column that decides which part a molecule belongs to.
    others : sequence of str
        Other columns that are needed.
    transforms : sequence of str, optional
        What is learnt of each target; that of `labels` for all by default.

    Returns
    -------
    Dataset
        Without the rows that are no molecule, have no label or nothing in the column of the split; these are listed.

    Raises
    ------
    ExLMError
        If a column is missing, it is not clear what a label means, or nothing can be learnt.
    """
    labels = labels or LabelOptions()
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
    transforms = [labels.transform or "none"] * len(targets) if transforms is None else transforms
    check_relations(labels.relations, targets)
    needed = dict.fromkeys([*others, *labels.relations])
    tables = [read_rows(one, targets, split_column, reading, [*needed]) for one in paths]
    rows = tables[0] if len(tables) == 1 else join_rows(dict(zip(PARTS, tables, strict=True)))
    dataset = Dataset(rows.name, _sha256(paths), left_out=list(rows.left_out), table_rows=rows.count)
    if not rows.lines:
        _check(dataset)
    # What the columns hold is decided before the molecules are read, which takes longer.
    columns = [
        read_labels(target, cells, rows.lines, rows.name, replace(labels, transform=transform))
        for target, cells, transform in zip(targets, _cells_of_labels(rows, labels), transforms, strict=True)
    ]
    check_use(labels, columns, rows.name)
    dataset.columns, dataset.reading = columns, [*rows.notes, *_decisions(Path(rows.name).name, columns)]
    shape = len(rows.lines), len(columns)
    values = np.array([column.values for column in columns]).T.reshape(shape)
    bounds = np.array([column.bounds for column in columns], np.int8).T.reshape(shape)
    kept = []
    for index, (row, line, cell) in enumerate(zip(rows.rows, rows.lines, rows.smiles, strict=True)):
        one = read(cell)
        reason = one.molecule.error
        if reason is None and np.isnan(values[index]).all():
            reason = "no label is known"
        if reason is None and split_column is not None and is_unknown(tidy(rows.split[index])):
            reason = f"nothing in column {quoted(split_column)}, which decides the split"
        if reason is not None:
            dataset.left_out.append(LeftOut(row, line, cell or "", reason))
            continue
        kept.append(index)
        dataset.inputs.append(one)
    dataset.left_out.sort(key=lambda row: row.row)
    dataset.rows, dataset.lines = [rows.rows[index] for index in kept], [rows.lines[index] for index in kept]
    dataset.split_cells = [tidy(rows.split[index]) for index in kept] if rows.split else []
    dataset.others = {name: [rows.others[name][index] for index in kept] for name in others}
    dataset.labels, dataset.bounds = values[kept], bounds[kept]
    _check(dataset)
    return dataset


def _sha256(paths: Sequence[Path]) -> str:
    digests = [sha256(path) for path in paths]
    return digests[0] if len(paths) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _cells_of_labels(rows: TrainingRows, labels: LabelOptions) -> list[list[str | None]]:
    if not labels.relations:
        return rows.labels
    return [
        with_signs(cells, rows.others[column], column, rows.lines, rows.name, labels.unknown)
        for column, cells in zip(labels.relations, rows.labels, strict=True)
    ]


def _decisions(name: str, columns: Sequence[LabelColumn]) -> list[str]:
    """Say what was decided about the columns, one sentence for those that are alike."""
    alike: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        if column.decided:
            alike[column.decided].append(column.name)
    return [
        f"{name}: column{'s' if len(names) > 1 else ''} {listed(names)}: {decided}" for decided, names in alike.items()
    ]


def _check(dataset: Dataset) -> None:
    if not len(dataset):
        if not dataset.left_out:
            raise ExLMError(f"{dataset.name} has no rows to learn from")
        first = dataset.left_out[0]
        raise ExLMError(
            f"{dataset.name}: none of its {len(dataset.left_out)} rows can be learnt from; "
            f"the first, line {first.line}: {first.reason}"
        )
    for column, labels in zip(dataset.columns, dataset.labels.T, strict=True):
        if np.isnan(labels).all():
            raise ExLMError(f"{dataset.name}: no molecule that can be read has a label in column {quoted(column.name)}")


def _conflict(labels: NDArray[np.float64], bounds: NDArray[np.int8]) -> bool:
    return any(BoundedLabels(*column).contradict for column in zip(labels.T, bounds.T, strict=True))

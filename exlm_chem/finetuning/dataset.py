"""The training table: measured molecules, read with care for everything that is wrong with real tables."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import ModelInput
from exlm_chem.errors import ExLMError
from exlm_chem.storage import sha256
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader

MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "-", "?"})
BOOLEANS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class LeftOut:
    """A row that cannot be learnt from."""

    row: int
    line: int
    smiles: str
    reason: str


@dataclass
class Dataset:
    """Measured molecules.

    Attributes
    ----------
    name : str
        The file.
    sha256 : str
        Of the file.
    inputs : list of ModelInput
        What the model reads for each molecule.
    labels : float array of shape (molecules, targets)
        NaN where unknown.
    rows : list of int
        Row of the file that each molecule comes from, from 0, header not counted.
    split_cells : list of str
        Cells of the column that says which part a molecule belongs to; empty without such a column.
    left_out : list of LeftOut
        Rows that cannot be learnt from.
    reading : list of str
        What was guessed about the file.
    """

    name: str
    sha256: str
    inputs: list[ModelInput] = field(default_factory=list)
    labels: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    rows: list[int] = field(default_factory=list)
    split_cells: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def smiles(self) -> list[str]:
        """Canonical SMILES of the molecules."""
        return [one.molecule.smiles for one in self.inputs]

    def report(self) -> dict[str, Any]:
        """Count what a reader of the results should know about the table."""
        rows_of: dict[str, list[int]] = defaultdict(list)
        for index, smiles in enumerate(self.smiles):
            rows_of[smiles].append(index)
        repeated = [indices for indices in rows_of.values() if len(indices) > 1]
        return {
            "molecules": len(self),
            "distinct": len(rows_of),
            "left_out": len(self.left_out),
            "known_labels": int((~np.isnan(self.labels)).sum()),
            "repeated": len(repeated),
            "conflicting": sum(_conflict(self.labels[indices]) for indices in repeated),
            "changed_by_standardisation": sum(one.molecule.changed for one in self.inputs),
        }


def read_dataset(
    path: str | Path,
    targets: Sequence[str],
    read: Callable[[str | None], ModelInput],
    reading: ReadOptions | str | None = None,
    split_column: str | None = None,
) -> Dataset:
    """Read a training table.

    Parameters
    ----------
    path : path
        Any format that `MoleculeReader` reads.
    targets : sequence of str
        The columns of the labels.
    read : callable
        Turns a cell into what the model reads; `ExLM.read` with the rule of standardisation.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    split_column : str, optional
        The column that says which part a molecule belongs to.

    Returns
    -------
    Dataset
        Without the rows that are no molecule or have no label; these are listed.

    Raises
    ------
    ExLMError
        If a column is missing, a label is no number (with row and column), or nothing can be learnt.
    """
    needed = [*targets, *([] if split_column is None else [split_column])]
    with MoleculeReader(Path(path), reading, needed) as reader:
        dataset = Dataset(reader.name, sha256(Path(path)), reading=reader.notes)
        places = [reader.column(target) for target in targets]
        split_place = None if split_column is None else reader.column(split_column)
        labels = []
        for row, record in enumerate(reader):
            if record.error is not None:
                dataset.left_out.append(LeftOut(row, record.line, record.smiles or "", record.error))
                continue
            values = [
                _label(record.cells[place], f"{reader.name}, line {record.line}, column '{target}'")
                for place, target in zip(places, targets, strict=True)
            ]
            one = read(record.smiles)
            reason = one.molecule.error or ("no label is known" if np.isnan(values).all() else None)
            if reason is not None:
                dataset.left_out.append(LeftOut(row, record.line, record.smiles or "", reason))
                continue
            dataset.inputs.append(one)
            dataset.rows.append(row)
            labels.append(values)
            if split_place is not None:
                dataset.split_cells.append(str(record.cells[split_place]))
    dataset.labels = np.array(labels, dtype=np.float64).reshape(-1, len(targets))
    _check(dataset, targets)
    return dataset


def check_classes(dataset: Dataset, targets: Sequence[str]) -> None:
    """Refuse labels of a classification that are neither 0 nor 1."""
    for column, target in zip(dataset.labels.T, targets, strict=True):
        wrong = ~np.isnan(column) & (column != 0) & (column != 1)
        if wrong.any():
            index = int(wrong.argmax())
            raise ExLMError(
                f"{dataset.name}, row {dataset.rows[index] + 1}, column '{target}': {column[index]:g} is no class; "
                "labels of a classification are 0 and 1"
            )


def _check(dataset: Dataset, targets: Sequence[str]) -> None:
    if not len(dataset):
        if not dataset.left_out:
            raise ExLMError(f"{dataset.name} has no rows to learn from")
        first = dataset.left_out[0]
        raise ExLMError(
            f"{dataset.name}: none of its {len(dataset.left_out)} rows can be learnt from; "
            f"the first, line {first.line}: {first.reason}"
        )
    for column, target in zip(dataset.labels.T, targets, strict=True):
        if np.isnan(column).all():
            raise ExLMError(f"{dataset.name}: column '{target}' has no label at all")


def _label(cell: Any, where: str) -> float:
    value = cell.as_py() if hasattr(cell, "as_py") else cell  # an Arrow scalar of a Parquet file
    if value is None:
        return math.nan
    text = str(value).strip().lower()
    if text in MISSING:
        return math.nan
    try:
        number = BOOLEANS.get(text)
        number = float(text) if number is None else number
    except ValueError:
        raise ExLMError(
            f"{where}: '{value}' is no number; correct it, or leave the cell empty if it is not known"
        ) from None
    if not math.isfinite(number):
        raise ExLMError(f"{where}: '{value}' is no finite number")
    return number


def _conflict(labels: NDArray[np.float64]) -> bool:
    known = [column[~np.isnan(column)] for column in labels.T]
    return any(len(np.unique(column)) > 1 for column in known)

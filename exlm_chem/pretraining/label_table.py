"""A table of labels for pretraining: what assays said of molecules, in any number of columns, known or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.smiles.molecule import read_molecule
from exlm_chem.tables.numbers import number_in
from exlm_chem.tables.reader import MoleculeReader

NAMED = 5  # columns or molecules that a note names


@dataclass(frozen=True)
class LabelTable:
    """The labels of a file.

    Attributes
    ----------
    name : str
        Of the file, without its endings and without dots.
    columns : list of str
        Those of its columns that hold numbers and nothing else.
    rows : dict of str to int
        *The* text of every molecule, and its row of `values`.
    values : float32 array of shape (molecules, columns)
        NaN where nothing is known. A molecule that the file has several times has the mean of its numbers; of classes
        that contradict each other nothing is known.
    notes : list of str
        What was left aside.
    """

    name: str
    columns: list[str]
    rows: dict[str, int]
    values: NDArray[np.float32]
    notes: list[str]

    @property
    def is_class(self) -> NDArray[np.bool_]:
        """Which columns hold classes: nothing but 0 and 1."""
        return _only_classes(self.values)


def read_labels(path: str | Path) -> LabelTable:
    """Read a table of labels.

    Parameters
    ----------
    path : str or Path
        A file of any format that :class:`MoleculeReader` reads. All columns but the SMILES are labels if their cells
        are numbers or empty; the others are named in the notes.

    Returns
    -------
    LabelTable

    Raises
    ------
    ExLMError
        If the file cannot be read, or has no column of numbers or no molecule.

    Examples
    --------
    >>> from exlm_chem.data import data_path
    >>> table = read_labels(data_path("examples.csv"))
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: ...examples.csv has no column of numbers beside its SMILES...
    """
    with MoleculeReader(Path(path)) as reader:
        names = [name for place, name in enumerate(reader.columns) if place != reader.smiles_index]
        rows, owners, cells, text, refused = _read(reader)
    kept = [place for place in range(len(names)) if place not in text]
    numbers = np.array(cells, np.float32).reshape(len(owners), len(names))[:, kept]
    if np.isnan(numbers).all():
        lacks = "no column of numbers beside its SMILES" if rows else "no molecule"
        raise ExLMError(f"{path} has {lacks}, so there is nothing to learn for --molecule-objective labels:{path}.")
    values, contradictions = _merged(numbers, np.array(owners), len(rows))
    some = np.flatnonzero((~np.isnan(values)).any(0))
    other = [f"{quoted(names[place])} ({quoted(cell)} is no number)" for place, cell in text.items()]
    counts = {
        f"no labels: {', '.join(other[:NAMED])}{', ...' * (len(other) > NAMED)}": len(other),
        f"{len(kept) - len(some):,} empty columns": len(kept) - len(some),
        f"{refused:,} rows without a molecule": refused,
        f"{contradictions:,} classes that contradict each other": contradictions,
    }
    return LabelTable(
        Path(path).name.split(".")[0] or "labels",
        [names[kept[index]] for index in some],
        rows,
        values[:, some],
        [f"{Path(path).name}: {note}." for note, count in counts.items() if count],
    )


def _read(reader: MoleculeReader) -> tuple[dict[str, int], list[int], list[list[float]], dict[int, str], int]:
    """Read all rows: molecules, the molecule and the numbers of each row, columns that hold text, and bad rows."""
    rows: dict[str, int] = {}
    owners: list[int] = []
    cells: list[list[float]] = []
    text: dict[int, str] = {}
    refused = 0
    for record in reader:
        molecule = read_molecule(record.smiles)
        refused += molecule.error is not None
        others = [cell for place, cell in enumerate(record.cells) if place != reader.smiles_index]
        numbers = [_number(cell) for cell in others]
        for place, number in enumerate(numbers):
            if number is None:
                text.setdefault(place, str(others[place]))
        if molecule.error is None:
            owners.append(rows.setdefault(molecule.smiles, len(rows)))
            cells.append([math.nan if number is None else number for number in numbers])
    return rows, owners, cells, text, refused


def _number(cell: object) -> float | None:
    """Read a cell; NaN if it says nothing, None if it is no number."""
    try:
        return number_in(cell)
    except ValueError:
        return None


def _merged(cells: NDArray[np.float32], owners: NDArray[np.int64], molecules: int) -> tuple[NDArray[np.float32], int]:
    """Bring rows of the same molecule together; count the classes that contradict each other."""
    known = ~np.isnan(cells)
    total = np.zeros((molecules, cells.shape[1]))
    count = np.zeros_like(total)
    np.add.at(total, owners, np.where(known, cells, 0))
    np.add.at(count, owners, known)
    values = np.where(count > 0, total / np.maximum(count, 1), math.nan)
    torn = _only_classes(cells) & (values > 0) & (values < 1)
    values[torn] = math.nan
    return values.astype(np.float32), int(torn.sum())


def _only_classes(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which columns hold nothing but 0, 1 and what is not known."""
    classes: NDArray[np.bool_] = (np.isnan(values) | (values == 0) | (values == 1)).all(0)
    return classes


def read_label_tables(paths: Sequence[str]) -> list[LabelTable]:
    """Read several tables, whose names must differ, as their objectives are named after them."""
    tables = [read_labels(path) for path in paths]
    names = [table.name for table in tables]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ExLMError(f"two tables of labels have the name {quoted(twice)}; give one of the files another.")
    return tables

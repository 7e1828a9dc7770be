"""The rows of a training table as texts: what is needed of each of them, before anything is made of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Self

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.cell_counts import CellCounts
from exlm_chem.finetuning.relations import remark, says_more
from exlm_chem.finetuning.spellings import tidy
from exlm_chem.smiles.cells import EMPTY
from exlm_chem.tables.columns import has_column, listed
from exlm_chem.tables.formats.table import as_text
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader


class FileLine(int):
    """A line of one of several files: its number, and for people the file too.

    Examples
    --------
    >>> f"line {FileLine.of(12, 'test.csv')}"
    'line 12 of test.csv'
    """

    file: str

    @classmethod
    def of(cls, line: int, file: str) -> Self:
        """Make one."""
        made = cls(line)
        made.file = file
        return made

    def __str__(self) -> str:
        return f"{int(self)} of {self.file}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


@dataclass(frozen=True)
class LeftOut:
    """A row that cannot be learnt from."""

    row: int
    line: int
    smiles: str
    reason: str


@dataclass
class TrainingRows:
    """The rows that are rows and have something in the column of the SMILES.

    Attributes
    ----------
    name : str
        The file.
    rows : list of int
        Their numbers, from 0, header not counted.
    lines : list of int
        The lines of the file where they begin, from 1.
    smiles : list of str
        The cells of the molecules.
    labels : list of lists of str or None
        For each target, its cells.
    split : list of str or None
        The cells of the column of the split; empty without such a column.
    others : dict
        For other columns that are needed, by their names, their cells.
    count : int
        Of the rows of the file.
    left_out : list of LeftOut
        The other rows: what they say about labels is not looked at.
    notes : list of str
        What was guessed about the file.
    """

    name: str
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    smiles: list[str] = field(default_factory=list)
    labels: list[list[str | None]] = field(default_factory=list)
    split: list[str | None] = field(default_factory=list)
    others: dict[str, list[str | None]] = field(default_factory=dict)
    count: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_rows(
    path: Path,
    targets: Sequence[str],
    split_column: str | None,
    reading: ReadOptions | str | None,
    others: Sequence[str] = (),
) -> TrainingRows:
    """Read the rows of a training table.

    Parameters
    ----------
    path : Path
        Any format that `MoleculeReader` reads.
    targets : sequence of str
        The columns of the labels.
    split_column : str or None
        The column that says which part a molecule belongs to.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    others : sequence of str
        Other columns that are needed.

    Raises
    ------
    ExLMError
        If the file cannot be read, or a column is missing or meant twice.
    """
    needed = [*targets, *others, *([] if split_column is None else [split_column])]
    with MoleculeReader(path, reading, needed) as reader:
        places = _places(reader, targets)
        split_place = None if split_column is None else _split_place(reader, split_column)
        other_places = {name: reader.column(name) for name in others}
        used = {reader.smiles_index, split_place, *places, *other_places.values()}
        beside = {name: place for place, name in enumerate(reader.columns) if place not in used and says_more(name)}
        other_places |= beside
        found = TrainingRows(reader.name, labels=[[] for _ in places], others={name: [] for name in other_places})
        for row, record in enumerate(reader):
            found.count = row + 1
            smiles = (record.smiles or "").strip()
            if record.error is not None or not smiles:
                reason = record.error or EMPTY
                found.left_out.append(LeftOut(row, record.line, smiles, reason))
                continue
            found.rows.append(row)
            found.lines.append(record.line)
            found.smiles.append(record.smiles or "")
            for cells, place in zip(found.labels, places, strict=True):
                cells.append(as_text(record.cells[place]))
            for name, place in other_places.items():
                found.others[name].append(as_text(record.cells[place]))
            if split_place is not None:
                found.split.append(as_text(record.cells[split_place]))
        found.notes = [*reader.notes, *_remarks(found, beside)]
    return found


def _remarks(rows: TrainingRows, beside: Collection[str]) -> list[str]:
    """Say what columns mean that stand beside labels with numbers and were not asked for, and forget them."""
    file = Path(rows.name).name
    numbers = [any(map(str.isdecimal, "".join(filter(None, labels)))) for labels in zip(*rows.labels, strict=True)]
    lines = [*compress(rows.lines, numbers)]
    columns = {name: [*map(tidy, compress(rows.others.pop(name), numbers))] for name in beside}
    return [*filter(None, (remark(name, CellCounts(file, name, texts, lines)) for name, texts in columns.items()))]


def join_rows(parts: Mapping[str, TrainingRows]) -> TrainingRows:
    """Put the rows of several files behind each other; the part that each stands for is its cell of the split."""
    joined = TrainingRows(" + ".join(Path(rows.name).name for rows in parts.values()))
    first = next(iter(parts.values()))
    joined.labels, joined.others = [[] for _ in first.labels], {name: [] for name in first.others}
    for part, rows in parts.items():
        file = Path(rows.name).name
        joined.rows += [joined.count + row for row in rows.rows]
        joined.lines += [FileLine.of(line, file) for line in rows.lines]
        joined.smiles += rows.smiles
        joined.split += [part] * len(rows.rows)
        joined.left_out += [
            LeftOut(joined.count + one.row, FileLine.of(one.line, file), one.smiles, one.reason)
            for one in rows.left_out
        ]
        joined.notes += rows.notes
        for cells, more in zip(joined.labels, rows.labels, strict=True):
            cells.extend(more)
        for name, more in rows.others.items():
            joined.others[name] += more
        joined.count += rows.count
    return joined


def _places(reader: MoleculeReader, targets: Sequence[str]) -> list[int]:
    places = [reader.column(target) for target in targets]
    for index, place in enumerate(places):
        if place in places[:index]:
            raise ExLMError(
                f"{reader.name}: column {quoted(reader.columns[place])} is meant by two targets; name it once"
            )
    return places


def _split_place(reader: MoleculeReader, column: str) -> int:
    if not has_column(reader.columns, column):
        raise ExLMError(
            f"--split needs column {quoted(column)}, which {reader.name} does not have; its columns are: "
            f"{listed(reader.columns)}; without a column there are --split scaffold, random, stratified and butina"
        )
    return reader.column(column)

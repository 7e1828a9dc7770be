"""SDF: molecule blocks, each with data items, whose names are the columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.smiles.molecule import read_mol_block
from exlm_chem.tables.columns import find_column
from exlm_chem.tables.formats.mol_block import fault_of_block
from exlm_chem.tables.formats.table import FieldColumns, Record, Table
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import LONGEST, Lines, Source

UNNAMED: Final = "unnamed"
"""The column of data items without a name."""

_END: Final = "M  END"
_RECORD_END: Final = "$$$$"
_HEADER: Final = re.compile(r">.*<.*>|>.*\bDT\d+\b")
_SHOWN: Final = 1000  # characters of a line that has no cell
_COUNTS: Final = re.compile(r".{33,36}V[23]000\s*")


def is_sdf(head: Sequence[str]) -> bool:
    """Tell an SDF by its fourth line.

    Examples
    --------
    >>> is_sdf(["", "  RDKit", "", "  3  2  0  0  0  0  0  0  0  0999 V2000"])
    True
    """
    return len(head) > 3 and _COUNTS.fullmatch(head[3]) is not None


def open_sdf(source: Source, options: ReadOptions, _wanted: Sequence[str] = ()) -> Table:
    """Open an SDF. It is read twice: the items differ from molecule to molecule, and the columns come first."""
    columns = FieldColumns(["smiles", "name"], "sdf_")
    passes = source.twice()
    glued: tuple[int, str] | None = None
    for entry in _entries(next(passes), source.name):
        columns.add(name for name, _ in entry.items)
        glued = glued or entry.glued
    if glued is not None:
        number, text = glued
        source.note(f"{quoted(text)} belongs to the item before it, since no blank line is between them", number)
    names = columns.names
    index = 0 if options.smiles_column is None else find_column(names, options.smiles_column, source.name)
    rows = (_row(entry, columns, index) for entry in _entries(next(passes), source.name))
    return Table(names, rows, index, source.close)


@dataclass
class Entry:
    """One molecule of an SDF with its items, as text.

    Attributes
    ----------
    line : int
        Where it begins.
    block : list of str
        The lines up to ``M  END``.
    items : list of (str, str)
        Names and values, in order.
    stray : list of (int, str)
        Lines that belong to no item, with their numbers.
    glued : (int, str) or None
        A line in a value that looks like a header, with its number.
    """

    line: int
    block: list[str] = field(default_factory=list)
    items: list[tuple[str, str]] = field(default_factory=list)
    stray: list[tuple[int, str]] = field(default_factory=list)
    glued: tuple[int, str] | None = None


class _Machine:
    """Takes the lines of one molecule; what a line is depends on what came before it.

    In the block, everything up to ``M  END`` belongs to it (a header ends it too if that line is missing). After it, a
    header may stand where an item may begin: after ``M  END`` or after a blank line. The line after a header is its
    value whatever it looks like, up to a blank line; text after that which is no header goes on with the value.
    """

    def __init__(self, line: int, name: str) -> None:
        self.entry, self.characters = Entry(line), 0
        self._name = name
        self._in_block, self._in_value = True, False
        self._value: list[str] | None = None
        self._blank: list[str] = []

    def take(self, number: int, line: str) -> None:
        """Take a line without its end."""
        self.characters += len(line) + 1
        if self.characters > LONGEST:
            raise ExLMError(f"{self._name}, line {self.entry.line}: a record of more than {LONGEST:,} characters")
        if self._in_block:
            self._in_block = not line.startswith(_END)
            if not self._in_block or len(self.entry.block) < 3 or not _HEADER.match(line):
                self.entry.block.append(line)
                return
            self._in_block = False
        if not line.strip():
            self._in_value = False
            self._blank.append(line)
        elif not self._in_value and _HEADER.match(line):
            self._begin(line)
        elif self._value is None:
            self.entry.stray.append((number, line))
        else:
            if self._value and _HEADER.match(line):
                self.entry.glued = self.entry.glued or (number, line.strip())
            self._value += [*self._blank, line]
            self._blank, self._in_value = [], True

    def end(self) -> Entry:
        """Give what was read."""
        self._finish()
        return self.entry

    def _begin(self, header: str) -> None:
        self._finish()
        self.entry.items.append((_item_name(header), ""))
        self._value, self._blank, self._in_value = [], [], True

    def _finish(self) -> None:
        if self._value is not None:
            name, _ = self.entry.items[-1]
            self.entry.items[-1] = name, "\n".join(self._value)


def _entries(lines: Lines, name: str) -> Iterator[Entry]:
    machine: _Machine | None = None
    is_blank = True
    for line in lines:
        text = line.rstrip("\r\n")
        if machine is None:
            machine, is_blank = _Machine(lines.number, name), True
        if text.startswith(_RECORD_END):
            yield machine.end()
            machine = None
        else:
            is_blank = is_blank and not text.strip()
            machine.take(lines.number, text)
    if machine is not None and not is_blank:
        yield machine.end()


def _item_name(header: str) -> str:
    if "<" in header:
        return header[header.find("<") + 1 : header.rfind(">")] or UNNAMED
    return header[1:].strip()


def _row(entry: Entry, columns: FieldColumns, smiles_index: int) -> Record:
    smiles, error = _molecule(entry)
    title = entry.block[0].strip() if entry.block else ""
    if smiles_index > 0:
        error = None  # of the block, where the molecule is not read from
    try:
        items = columns.cells(entry.items, "")
    except KeyError:
        items, error = columns.cells([], ""), "the file was changed while it was read"
    if entry.stray:
        texts = ", ".join(f"{quoted(text.strip(), _SHOWN)} in line {number}" for number, text in entry.stray)
        error = f"{f'{error}; ' if error else ''}text that belongs to no data item: {texts}"
    return Record(entry.line, [smiles, title, *items], error)


def _molecule(entry: Entry) -> tuple[str, str | None]:
    smiles, error = read_mol_block(
        "\n".join(entry.block).encode("utf-8", "replace").decode("utf-8")
    )  # titles have all encodings
    if error is not None and not smiles:
        fault = fault_of_block(entry.block)
        if fault is not None:
            return "", f"unreadable molecule block: {fault[1]} (line {entry.line + fault[0]})"
    return smiles, error

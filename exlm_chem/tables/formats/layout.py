"""How a table of text is laid out: its separator, the line that names its columns, and the column of the SMILES.

The first lines are read with every separator, and the reading that makes most sense is taken. What makes no sense is
refused with the option that helps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.tables.columns import (
    Confidence,
    choose_smiles_column,
    has_column,
    is_molecule,
    likeliest,
    mostly_molecules,
    normalised,
    says_smiles,
)
from exlm_chem.tables.formats.rows import split_rows
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Source

SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What may stand between cells, the likeliest first."""

_INSTRUCTION: Final = re.compile(r'\ufeff?"?sep=(\\t|.)"?', re.IGNORECASE)
_NUMBER: Final = re.compile(r"[-+\u2212<>=~]*\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?%?")


@dataclass(frozen=True)
class Layout:
    """How a table of text is understood."""

    delimiter: str
    skipped: int
    """Lines before the one that names the columns, or before the first row."""
    has_header: bool
    columns: list[str]
    smiles_index: int


class Reading:
    """The first rows of a table, read with one separator.

    Attributes
    ----------
    columns : list of str
        The cells of the first row, or made-up names.
    rows : list of list of str
        The rows after it.
    lines : list of int
        Index of the line at which each of all rows begins.
    """

    def __init__(self, head: Sequence[str], delimiter: str, *, has_header: bool = True) -> None:
        self.delimiter = delimiter
        records = [record for record in split_rows(head, delimiter, "the file") if record.cells]
        self.lines, rows = [record.line - 1 for record in records], [record.cells for record in records]
        if has_header:
            self.columns, self.rows = rows[0] if rows else [], rows[1:]
        else:
            self.columns, self.rows = _made_up(rows), rows

    def cells(self, index: int) -> list[str]:
        """Give the first cells of a column."""
        return [row[index] for row in self.rows if index < len(row)]

    def confidence(self, smiles_column: str | None) -> Confidence:
        """Say how sure it is that there is a column of SMILES."""
        if smiles_column is not None:
            return Confidence.exact if has_column(self.columns, smiles_column) else Confidence.none
        return likeliest(self.columns, self.cells)[0]

    def evenness(self) -> float:
        """Give the share of rows that have as many cells as the first, or fewer because the last are empty."""
        if len(self.columns) < 2:
            return 0.0
        even = [len(row) == len(self.columns) for row in self.rows]
        return sum(even) / len(even) if even else 0.5

    def score(self, options: ReadOptions, wanted: Sequence[str]) -> tuple[Any, ...]:
        """Say how much sense it makes; the larger the better."""
        confidence = self.confidence(options.smiles_column)
        foreign = "".join(SEPARATORS).replace(self.delimiter, "")
        named = [column for column in self.columns if says_smiles(column)]
        return (
            confidence > Confidence.none,
            sum(has_column(self.columns, target) for target in wanted),
            confidence,
            not any(sign in column for column in named for sign in foreign),
            round(self.evenness(), 1),
            len(self.columns) > 1,
        )


def find_layout(source: Source, head: Sequence[str], options: ReadOptions, wanted: Sequence[str] = ()) -> Layout:
    """Understand a table by its first lines.

    Parameters
    ----------
    source : Source
        The file; gets notes about what is not obvious.
    head : sequence of str
        Its first lines.
    options : ReadOptions
        What the user says about it.
    wanted : sequence of str
        Other columns that are needed.

    Raises
    ------
    ExLMError
        If no column of SMILES is found, with the option that helps.
    """
    head = list(head)
    instruction = _INSTRUCTION.fullmatch(head[0].strip()) if head else None
    skipped = _skipped(source, head, options, is_instructed=instruction is not None)
    has_header = options.header_line != 0
    if not any(map(str.strip, head[skipped:])):
        raise ExLMError(f"{source.name} is empty; its first line should name the columns")
    separators = [instruction[1].replace("\\t", "\t")] if instruction else _in_order(source.suffix)
    readings = [Reading(head[skipped:], separator, has_header=has_header) for separator in separators]
    best = max(readings, key=lambda reading: reading.score(options, wanted))  # the first of equals
    if options.header_line is None:
        _refuse_other_header(source, readings, best, options, skipped)
    if not any(map(str.strip, best.columns)):
        raise ExLMError(f"{source.name}: line {skipped + 1} names no columns; give another --header-line")
    index = choose_smiles_column(best.columns, best.cells, options.smiles_column, source.name, source.note)
    usual = instruction is not None or separators[0] == best.delimiter or len(best.columns) == 1
    if not usual:
        source.note(f"cells are separated by {SEPARATORS[best.delimiter]}")
    return Layout(best.delimiter, skipped, has_header, best.columns, index)


def is_table(head: Sequence[str], options: ReadOptions, *, any_header: bool) -> bool:
    """Tell whether a text without a telling suffix is a table, and not SMILES with names.

    Parameters
    ----------
    head : sequence of str
        Its first lines.
    options : ReadOptions
        What the user says about it.
    any_header : bool
        Whether anything that is more like a table is one; otherwise only what is called smiles in two or more columns.
    """
    if not head:
        return False
    if _INSTRUCTION.fullmatch(head[0].strip()):
        return True
    if not any_header:
        readings = [Reading(head, separator) for separator in SEPARATORS]
        return any(
            reading.confidence(None) is Confidence.exact and len(reading.columns) > 1 and reading.evenness() == 1
            for reading in readings
        )
    if options.smiles_column is not None or options.header_line:
        return True
    best = max((Reading(head, separator) for separator in SEPARATORS), key=lambda reading: reading.score(options, ()))
    confidence = best.confidence(None)
    if confidence is Confidence.exact or (confidence > Confidence.none and len(best.columns) > 1):
        return True
    words = [line.split()[0] for line in head if line.strip()]
    return not mostly_molecules(words) and (_data_column(best) is not None or _later_header(best, options) is not None)


def _in_order(suffix: str) -> list[str]:
    first = "\t" if suffix in {".tsv", ".tab"} else ","
    return [first, *(separator for separator in SEPARATORS if separator != first)]


def _skipped(source: Source, head: Sequence[str], options: ReadOptions, *, is_instructed: bool) -> int:
    """Count the lines before the header, or before the first row if there is none."""
    if options.header_line:
        if options.header_line > len(head):
            raise ExLMError(f"{source.name} has no line {options.header_line}; give another --header-line")
        return options.header_line - 1
    skipped = int(is_instructed)
    if options.header_line is None:
        while skipped < len(head) and not head[skipped].strip("\r\n"):
            skipped += 1
    return skipped


def _made_up(rows: Sequence[Sequence[str]]) -> list[str]:
    """Name the columns of a table that does not; the only one with molecules is called smiles."""
    width = max(map(len, rows), default=0)
    names = [f"column_{index + 1}" for index in range(width)]
    columns = ([row[index] for row in rows if index < len(row)] for index in range(width))
    molecules = [index for index, cells in enumerate(columns) if mostly_molecules(cells)]
    if len(molecules) == 1:
        names[molecules[0]] = "smiles"
    return names


def _refuse_other_header(
    source: Source, readings: Sequence[Reading], best: Reading, options: ReadOptions, skipped: int
) -> None:
    """Refuse a table whose first line is a row of data, or comes before the names of the columns."""
    confidence = best.confidence(options.smiles_column)
    if options.smiles_column is not None and confidence is not Confidence.none:
        same = [column for column in best.columns if normalised(column) == normalised(options.smiles_column)]
        index = best.columns.index(same[0])
        if len(same[0]) > 2 and is_molecule(same[0].strip()) and mostly_molecules(best.cells(index)):
            raise ExLMError(
                f"{source.name}: {quoted(same[0])} in line {skipped + 1} is a molecule and no name of a column; "
                f"give --header-line 0 if there are no names, or --header-line {skipped + 1} if it is one"
            )
        return
    if confidence > Confidence.named:
        return
    for reading in sorted(readings, key=lambda one: one is not best):
        later = _later_header(reading, options)
        if later is not None:
            first, number = quoted(best.delimiter.join(best.columns).strip()), skipped + later + 1
            raise ExLMError(
                f"{source.name}: line {skipped + 1} ({first}) names no column of SMILES, but line {number} does; "
                f"give --header-line {number} to begin there"
            )
    for reading in sorted(readings, key=lambda one: one is not best):
        place = _data_column(reading)
        if place is not None:
            raise ExLMError(
                f"{source.name} does not name its columns: line {skipped + 1} is a row of data, with the molecule "
                f"{quoted(reading.columns[place])}; give --header-line 0, or put a line with names above it"
            )


def _later_header(reading: Reading, options: ReadOptions) -> int | None:
    """Find the index of a later line that names a column of SMILES."""
    for line, row in zip(reading.lines[1:], reading.rows, strict=False):
        if options.smiles_column is not None:
            found = has_column(row, options.smiles_column)
        else:
            found = any(normalised(cell) == "smiles" for cell in row) or (
                len(row) > 1 and any(says_smiles(cell) for cell in row) and not any(map(_NUMBER.fullmatch, row))
            )
        if found and not any(len(cell) > 2 and is_molecule(cell.strip()) for cell in row):
            return line
    return None


def _data_column(reading: Reading) -> int | None:
    """Find the column whose molecules begin in the first line."""
    for index, cell in enumerate(reading.columns):
        if is_molecule(cell.strip()) and (not reading.rows or mostly_molecules(reading.cells(index))):
            return index
    return None

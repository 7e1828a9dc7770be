"""Excel workbooks: one sheet of them, written down as a table of text and then read like any other.

So names of columns that stand below a title, and all else that people do in spreadsheets, are found by the same rules.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.tables.columns import has_column, listed, says_smiles
from exlm_chem.tables.formats.delimited import open_delimited
from exlm_chem.tables.formats.table import Record, Table
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Source

MAGIC: Final = b"PK\x03\x04"

_LARGEST: Final = 1 << 32
"""Most bytes of an unpacked workbook; a million rows of a hundred cells are less."""
_HEAD: Final = 50
"""Rows that say how wide a sheet is and whether it has molecules."""


def open_workbook(source: Source, options: ReadOptions, wanted: Sequence[str] = ()) -> Table:
    """Open the sheet that `options` name, or the only one with molecules; formulas are their values."""
    with ExitStack() as opened:
        opened.callback(source.close)
        text = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="exlm-chem-"))) / "sheet.csv"
        title = _write_sheet(source, options, text)
        inner = Source(str(text))
        opened.callback(inner.close)
        inner.name, inner.notes = source.name, source.notes
        table = open_delimited(inner, replace(options, encoding=None), wanted)
        close = opened.pop_all().close
    header = table.form["header_line"]
    rows = _numbered(table.rows, header + 1 if header else 1)
    return replace(table, rows=rows, close=close, form={"sheet": title, "header_line": header})


def _write_sheet(source: Source, options: ReadOptions, path: Path) -> str:
    """Write a sheet as a table of text, and give its name."""
    from openpyxl import load_workbook

    with source.file() as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not write back
        _refuse_other_archives(source.name, stream)
        try:
            values = load_workbook(stream, read_only=True, data_only=True)
            title = _sheet(source, {sheet.title: sheet for sheet in values.worksheets}, options)
            formulas, missing = load_workbook(stream, read_only=True)[title], list[str]()
            with path.open("w", encoding="utf-8", newline="") as file:
                rows = _rows(_computed(values[title], formulas, missing))
                csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
        except ExLMError:
            raise
        except Exception as error:  # openpyxl lets through whatever a damaged file leads to
            raise ExLMError(f"{source.name} is no Excel workbook, or is damaged: {quoted(error)}") from error
    if missing:
        these = "1 formula has" if len(missing) == 1 else f"{len(missing):,} formulas have"
        source.note(f"{these} no value, the first in {missing[0]}; open and save the workbook in Excel to compute them")
    return title


def _refuse_other_archives(name: str, stream: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = {part.filename: part.file_size for part in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ExLMError(f"{name} is a damaged Excel workbook or zip archive; copy it again") from error
    if "xl/workbook.bin" in parts:
        raise ExLMError(f"{name} is a binary Excel workbook; open it and save it as .xlsx or CSV")
    if "xl/workbook.xml" not in parts:
        raise ExLMError(f"{name} is a zip archive; unpack it first")
    if sum(parts.values()) > _LARGEST:
        raise ExLMError(f"{name} has more than {_LARGEST:,} bytes when it is unpacked; save the table as CSV")


def _values(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # which some programs write wrongly
    rows: Iterator[Sequence[Any]] = sheet.iter_rows(values_only=True)
    return rows


def _computed(values: Any, formulas: Any, missing: list[str]) -> Iterator[Sequence[Any]]:
    """Give the values, and take down formulas without one, as programs leave them that compute nothing."""
    formulas.reset_dimensions()
    for row, cells in zip(_values(values), formulas.iter_rows(), strict=True):
        pairs = zip(row, cells, strict=True)
        missing += [cell.coordinate for value, cell in pairs if value is None and cell.data_type == "f"]
        yield row


def _sheet(source: Source, sheets: dict[str, Any], options: ReadOptions) -> str:
    """Choose a sheet: the one that is named, the only one with anything in it, or the only one with molecules."""
    if options.sheet is not None:
        if options.sheet not in sheets:
            raise ExLMError(f"{source.name} has no sheet {quoted(options.sheet)}; it has {listed(list(sheets))}")
        return options.sheet
    heads = {
        title: [*itertools.islice(_rows(_values(sheet)), _HEAD)]
        for title, sheet in sheets.items()
        if _is_visible(sheet)
    }
    filled = [title for title, rows in heads.items() if rows]
    if not filled:
        raise ExLMError(f"{source.name} has no sheet with anything in it")
    if len(filled) == 1:
        return filled[0]
    found = [title for title in filled if any(_names_molecules(row, options) for row in heads[title])]
    if len(found) != 1:
        raise ExLMError(f"{source.name} has the sheets {listed(filled)}; name one of them with --sheet")
    source.note(f"sheet {quoted(found[0])} is read, the only one with a column of SMILES")
    return found[0]


def _is_visible(sheet: Any) -> bool:
    return str(sheet.sheet_state) == "visible"


def _names_molecules(row: Sequence[str], options: ReadOptions) -> bool:
    if options.smiles_column is not None:
        return has_column(row, options.smiles_column)
    return any(map(says_smiles, row))


def _rows(values: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    """Give the rows of a sheet as texts of one width, without empty rows and cells at its end."""
    rows = _without_empty_end([_text(cell) for cell in row] for row in values)
    head = [*itertools.islice(rows, _HEAD)]
    width = max(map(_used, head), default=0)
    yield from itertools.takewhile(_is_empty, head)  # above the names of the columns
    for row in itertools.chain(itertools.dropwhile(_is_empty, head), rows):
        yield (row + [""] * (width - len(row)))[: max(width, _used(row))]


def _without_empty_end(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    empty = 0
    for row in rows:
        if _is_empty(row):
            empty += 1
            continue
        yield from ([] for _ in range(empty))
        empty = 0
        yield row


def _is_empty(row: Sequence[str]) -> bool:
    return not any(map(str.strip, row))


def _used(row: Sequence[str]) -> int:
    """Count the cells up to the last that is not empty to the eye."""
    return next((place for place in range(len(row), 0, -1) if row[place - 1].strip()), 0)


def _text(cell: Any) -> str:
    """Write a cell as Excel shows it where no format is chosen: at most 15 digits, days without their midnight.

    Examples
    --------
    >>> [_text(cell) for cell in (None, "CCO", 5.0, 0.1 + 0.2, True, dt.datetime(2026, 1, 5))]
    ['', 'CCO', '5', '0.3', 'TRUE', '2026-01-05']
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)


def _numbered(records: Iterator[Record], first: int) -> Iterator[Record]:
    """Count rows as Excel does: a cell with several lines is in one of them."""
    for number, record in enumerate(records, first):
        record.line = number
        yield record

"""Tables of text: cells between commas, semicolons, tabs or vertical bars, quoted where needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exlm_chem.errors import quoted
from exlm_chem.tables.formats.layout import Layout, find_layout
from exlm_chem.tables.formats.rows import split_rows
from exlm_chem.tables.formats.table import Record, Table
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Source


def open_delimited(source: Source, options: ReadOptions, wanted: Sequence[str] = ()) -> Table:
    """Open a table of text; see `find_layout` for how it is understood."""
    lines = source.lines()
    layout = find_layout(source, lines.peek(50 + (options.header_line or 0)), options, wanted)
    for _ in range(layout.skipped):
        next(lines, None)
    rows = split_rows(lines, layout.delimiter, source.name, layout.skipped)
    columns = list(layout.columns)
    if layout.has_header:
        next(rows, None)
    form = {"separator": layout.delimiter, "header_line": layout.skipped + 1 if layout.has_header else 0}
    return Table(columns, _records(rows, layout), layout.smiles_index, source.close, form=form)


def _records(rows: Iterator[Record], layout: Layout) -> Iterator[Record]:
    width = len(layout.columns)
    blank = list[int]()
    for row in rows:
        if not row.cells:
            if blank and blank[-1] == row.line - 1:
                blank[-1] = row.line
            else:
                blank = [row.line, row.line]
            continue
        if blank:  # blank lines are rows, except those at the end
            for line in range(blank[0], blank[1] + 1):
                yield Record(line, [""] * width)
            blank = []
        yield _fitted(row, width, layout.smiles_index)


def _fitted(row: Record, width: int, needed: int) -> Record:
    """Give a row as many cells as there are columns; cells with text that has no column go into its error.

    Spreadsheets leave out the last separators of a row, so cells that are missing at its end are empty ones.
    """
    count, beyond = len(row.cells), row.cells[width:]
    if count < width:
        row.cells += [""] * (width - count)
    del row.cells[width:]
    if row.error is None and (count <= needed or any(map(str.strip, beyond))):
        left = f"; without a column: {', '.join(map(quoted, beyond))}" if beyond else ""
        row.error = f"wrong number of cells: {count} in line {row.line}, {width} in the header{left}"
    return row

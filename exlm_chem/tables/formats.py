"""The file formats of molecules, each as a table that is read row by row.

Cells stay the strings that they were: nothing is taken for a number, trimmed or dropped. Parquet cells stay Arrow
scalars, so that they can be written back with their type.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.molecule import read_mol_block
from exlm_chem.tables.streams import name_of, open_bytes, open_text, plain_suffix, reading

SMILES_NAMES: Final = (
    *("smiles", "canonical_smiles", "isomeric_smiles", "standardized_smiles", "standardised_smiles", "rdkit_smiles"),
    *("cxsmiles", "smi", "mol", "molecule", "structure", "compound", "ligand"),
)
"""Names of columns that hold SMILES, in lower case, the likeliest first."""

SUFFIXES: Final = {
    **dict.fromkeys((".smi", ".smiles", ".ism", ".can"), "smi"),
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".sdf", ".sd"), "sdf"),
}
"""The format that a suffix stands for; any other file is looked into."""

# Python's limit of 131,072 characters per cell holds for the whole process, and is of no use to anybody.
csv.field_size_limit(2**31 - 1)


@dataclass(slots=True)
class Record:
    """One row of a file of molecules.

    Examples
    --------
    >>> Record(2, ["CCO", "ethanol"], smiles="CCO").cells
    ['CCO', 'ethanol']
    """

    line: int
    """Line of the file where the row begins, from 1; for SDF and Parquet the number of the record."""
    cells: list[Any]
    """The cells of all columns: strings, or Arrow scalars from Parquet."""
    error: str | None = None
    """What is wrong with the row as a row; whether the SMILES is one is not looked at here."""
    smiles: str | None = None
    """The cell of the SMILES column."""


@dataclass(slots=True)
class Table:
    """Column names and the rows that are still to be read."""

    columns: list[str]
    rows: Iterator[Record]
    close: Callable[[], None]
    smiles_index: int | None = None
    """The column of the SMILES if the format decides it."""
    types: list[Any] | None = None
    """Arrow types of the columns, for Parquet."""


def open_table(path: str, smiles_column: str | None = None) -> Table:
    """Open a file of molecules, or stdin for ``-``, by its suffix or else by its first line.

    Raises
    ------
    ExLMError
        If it cannot be read, now or while its rows are read.
    """
    kind = SUFFIXES.get(plain_suffix(path))
    if kind == "parquet":
        return _parquet(path)
    if kind == "sdf":
        return _sdf(path)
    stream = open_text(path)
    try:
        with reading(path):
            head = [stream.readline() for _ in range(4)]
        if kind is None and head[3].rstrip().endswith(("V2000", "V3000")):
            raise ExLMError(f"{name_of(path)} is an SDF; give it as a file whose name ends with .sdf")
        if kind is None:
            kind = "csv" if smiles_column is not None or _header_delimiter(head[0]) else "smi"
        lines = itertools.chain(filter(None, head), stream)
        columns, rows = _smi(path, head[0], lines) if kind == "smi" else _csv(path, head[0], lines, smiles_column)
    except ExLMError:
        stream.close()
        raise
    return Table(columns, rows, stream.close, smiles_index=0 if kind == "smi" else None)


def normalised(column: str) -> str:
    """Write a column name the way :data:`SMILES_NAMES` are written."""
    return column.strip().lower().replace(" ", "_").replace("-", "_")


def _header_delimiter(header: str) -> str | None:
    """The delimiter with which one of the column names is a name for SMILES."""
    for delimiter in ",\t;":
        names = next(csv.reader([header], delimiter=delimiter), [])
        if any(normalised(name) in SMILES_NAMES for name in names):
            return delimiter
    return None


def _smi(path: str, first: str, lines: Iterable[str]) -> tuple[list[str], Iterator[Record]]:
    header = first.split(None, 1)
    has_header = bool(header) and normalised(header[0]) in SMILES_NAMES[:7]
    columns = [header[0], header[1].strip() if len(header) > 1 else "name"] if has_header else ["smiles", "name"]

    def rows() -> Iterator[Record]:
        blank: list[Record] = []
        with reading(path):
            for number, line in enumerate(lines, 1):
                if number == 1 and has_header:
                    continue
                smiles, *name = line.split(None, 1)[:2] or [""]
                row = Record(number, [smiles, name[0].rstrip("\r\n") if name else ""])
                if not smiles:
                    blank.append(row)  # blank lines are rows, except those at the end
                    continue
                yield from blank
                blank.clear()
                yield row

    return columns, rows()


def _csv(path: str, first: str, lines: Iterable[str], smiles_column: str | None) -> tuple[list[str], Iterator[Record]]:
    delimiter = _delimiter(path, first, smiles_column)
    quotes = 0

    def counted() -> Iterator[str]:
        nonlocal quotes
        for line in lines:
            quotes += line.count('"')
            yield line

    reader = csv.reader(counted(), delimiter=delimiter)
    with reading(path):
        columns = next((cells for cells in reader if cells), [])
    if not any(map(str.strip, columns)):
        raise ExLMError(f"{name_of(path)} is empty; its first line should name the columns")

    def rows() -> Iterator[Record]:
        nonlocal quotes
        blank: list[Record] = []
        line, spans = reader.line_num + 1, 0
        last: Record | None = None
        quotes = 0
        with reading(path):
            for cells in reader:
                row, line = Record(line, cells), reader.line_num + 1
                if not cells:
                    row.cells = [""] * len(columns)
                    blank.append(row)  # blank lines are rows, except those at the end
                    continue
                _fit(row, len(columns))
                if last is not None:
                    yield last
                yield from blank
                blank.clear()
                last, spans, odd, quotes = row, line - row.line, quotes % 2, 0
        if last is not None:
            if spans > 1 and odd:
                last.error = f"open quote: never closed after line {last.line}, so {spans} lines became one row"
            yield last

    return columns, rows()


def _fit(row: Record, width: int) -> None:
    """Give a row as many cells as there are columns; cells with text that has no column go into its error."""
    count, beyond = len(row.cells), row.cells[width:]
    if count < width:
        row.cells += [""] * (width - count)
    del row.cells[width:]
    if count < width or any(beyond):
        left = f"; without a column: {', '.join(map(repr, beyond))}" if beyond else ""
        row.error = f"wrong number of cells: {count} in line {row.line}, {width} in the header{left}"


def _delimiter(path: str, header: str, smiles_column: str | None) -> str:
    if plain_suffix(path) in {".tsv", ".tab"}:
        return "\t"
    unquoted = "".join(header.split('"')[::2])
    known = _header_delimiter(header)
    if plain_suffix(path) != ".csv" and known is not None and smiles_column is None:
        return known
    # a .csv of a European Excel has semicolons, and some are written with tabs
    return next((delimiter for delimiter in ",;\t" if delimiter in unquoted), ",")


def _sdf(path: str) -> Table:
    columns = ["smiles", "name"]
    # the properties differ from molecule to molecule, and the columns have to be known before the first one
    with open_text(path) as lines, reading(path):
        columns += dict.fromkeys(_property(line) for line in lines if line.startswith(">"))
    stream = open_text(path)

    def rows() -> Iterator[Record]:
        number, record = 0, list[str]()
        with reading(path):
            for line in stream:
                if not line.startswith("$$$$"):
                    record.append(line.rstrip("\r\n"))
                    continue
                number += 1
                yield _sdf_row(number, record, columns)
                record = []
        if any(map(str.strip, record)):
            yield _sdf_row(number + 1, record, columns)

    return Table(columns, rows(), stream.close, smiles_index=0)


def _property(line: str) -> str:
    """Name the property of a line like ``>  <IC50>  (1)``."""
    return line[line.find("<") + 1 : line.rfind(">")] if "<" in line else line[1:].strip()


def _sdf_row(number: int, record: list[str], columns: list[str]) -> Record:
    start = next((i for i, line in enumerate(record) if line.startswith(">")), len(record))
    properties: dict[str, str] = {}
    name, value = "", list[str]()
    for line in [*record[start:], ""]:
        if line.startswith(">") and not value:
            name = _property(line)
        elif line:
            value.append(line)
        elif name:
            properties[name] = "\n".join(value)
            name, value = "", []
    smiles, error = read_mol_block("\n".join(record[:start]))
    title = record[0].strip() if record else ""
    return Record(number, [smiles, title, *(properties.get(column, "") for column in columns[2:])], error)


def _parquet(path: str) -> Table:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ExLMError("Parquet files need pyarrow; run: pip install 'exlm-chem[parquet]'") from error
    open_bytes(path).close()  # says what is wrong with the name
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ExLMError(f"{path} is no Parquet file, or is damaged: {str(error).splitlines()[0]}") from error

    def rows() -> Iterator[Record]:
        number = 0
        try:
            for batch in file.iter_batches(batch_size=1024):
                columns = [list(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield Record(number, list(cells))
        except (pa.ArrowException, OSError) as error:
            raise ExLMError(f"{path} is damaged after row {number}: {str(error).splitlines()[0]}") from error

    return Table(list(file.schema_arrow.names), rows(), file.close, types=list(file.schema_arrow.types))

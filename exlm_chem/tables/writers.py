"""Tables of results, written as a stream: to a temporary name first, so that a failed run leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Literal, Protocol, cast

import zstandard

from exlm_chem.errors import ExLMError
from exlm_chem.tables.streams import STDIN, plain_suffix

_FORMATS: Final = (".csv", ".tsv", ".jsonl", ".parquet")
_NEEDS_QUOTES: Final = re.compile(r'[,;\t"\r\n\ufeff]|^\s|\s$')
_ROWS_PER_GROUP: Final = 20_000


class TableWriter(Protocol):
    """What takes the rows of a result."""

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows: strings, numbers, None for nothing, or Arrow scalars."""


class OpenWriter(Protocol):
    """What opens a table for writing: path, columns, types and input as of `open_writer`."""

    def __call__(
        self, path: str | None, columns: Sequence[str], types: Sequence[Any] | None = None, source: str | None = None, /
    ) -> AbstractContextManager[TableWriter]:
        """Open it."""


@contextmanager
def open_writer(
    path: str | None,
    columns: Sequence[str],
    types: Sequence[Any] | None = None,
    source: str | None = None,
    *,
    stdout_format: Literal["csv", "jsonl"] = "csv",
) -> Iterator[TableWriter]:
    """Open a table for writing; it gets its name when all is written, and vanishes if anything fails.

    Parameters
    ----------
    path : str or None
        ``.csv``, ``.tsv``, ``.jsonl``, each with ``.gz`` or ``.zst`` too, or ``.parquet``; None or ``-`` is stdout.
    columns : sequence of str
        Names of the columns; the same name may occur twice.
    types : sequence, optional
        For Parquet, per column: an Arrow type, or ``float`` or ``str``. Default: all ``str``.
    source : str, optional
        The input, over which nothing is written.
    stdout_format : {"csv", "jsonl"}
        What stdout gets.

    Raises
    ------
    ExLMError
        If nothing can or may be written there.

    Examples
    --------
    >>> with open_writer(None, ["smiles", "logp"]) as writer:
    ...     writer.write([["CCO", -0.1234567891]])
    smiles,logp
    CCO,-0.12346
    """
    if path is None or path == STDIN:
        if isinstance(sys.stdout, io.TextIOWrapper):  # what is written does not depend on the system's settings
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
        yield _JsonWriter(sys.stdout, columns) if stdout_format == "jsonl" else CsvWriter(sys.stdout, columns, ",")
        sys.stdout.flush()
        return
    target = _checked_target(path, source)
    # /dev/null and pipes are written directly: renaming a file onto them would replace them
    special = target.exists() and not target.is_file()
    working = target if special else target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with working.open("wb") as file:
            with _open_format(target, file, columns, types) as writer:
                yield writer
            file.flush()
            if not special:
                os.fsync(file.fileno())
        if not special:
            working.replace(target)
    except BaseException as error:
        if not special:
            working.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ExLMError(f"{path} cannot be written: {error.strerror or error}") from error
        raise


def cell_text(cell: Any) -> str:
    """Write a cell as text: numbers with five digits, nothing for None and for what is not a number.

    Examples
    --------
    >>> cell_text(0.1 + 0.2), cell_text(None), cell_text(float("nan"))
    ('0.3', '', '')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return "" if math.isnan(cell) else f"{cell:.5g}"
    value = _plain(cell)
    return "" if value is None else str(value)


def _checked_target(path: str, source: str | None) -> Path:
    target = Path(os.path.realpath(path))  # a link stays a link, and what it points to is written
    if source is not None and target.exists() and target.samefile(source):
        raise ExLMError(f"{path} is the input, which is never written over; choose another name")
    if plain_suffix(path) not in _FORMATS and (target.is_file() or not target.exists()):
        raise ExLMError(f"{path} has no known ending; write to .csv, .tsv, .jsonl or .parquet")
    if target.is_dir():
        raise ExLMError(f"{path} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise ExLMError(f"there is no folder {Path(path).parent}; make it first")
    return target


@contextmanager
def _open_format(
    target: Path, file: BinaryIO, columns: Sequence[str], types: Sequence[Any] | None
) -> Iterator[TableWriter]:
    suffix = plain_suffix(target.name)
    if suffix == ".parquet":
        parquet = _ParquetWriter(file, columns, types or [str] * len(columns))
        yield parquet
        parquet.close()
        return
    packed = file
    if target.name.lower().endswith(".gz"):
        packed = cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0))
    elif target.name.lower().endswith(".zst"):
        packed = cast("BinaryIO", zstandard.ZstdCompressor().stream_writer(file, closefd=False))
    # text from the command line may hold bytes that are no UTF-8; they come out as they went in
    text = io.TextIOWrapper(packed, encoding="utf-8", errors="surrogateescape", newline="")
    yield (
        _JsonWriter(text, columns)
        if suffix == ".jsonl"
        else CsvWriter(text, columns, "\t" if suffix == ".tsv" else ",")
    )
    text.detach().flush() if packed is file else text.close()


class CsvWriter:
    """CSV or TSV. Python's own writer leaves a lone carriage return unquoted, which breaks the row in two."""

    def __init__(self, file: IO[str], columns: Sequence[str], delimiter: str) -> None:
        self._file = file
        self._delimiter = delimiter
        self.write([columns])

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, one line each."""
        self._file.writelines(self._line(row) for row in rows)

    def _line(self, row: Sequence[Any]) -> str:
        cells = [cell_text(cell) for cell in row]
        if cells == [""]:
            return '""\n'  # an empty line would be no row
        quoted = ('"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell for cell in cells)
        return self._delimiter.join(quoted) + "\n"


class _JsonWriter:
    """One JSON object per line; a name that occurs twice gets a number."""

    def __init__(self, file: IO[str], columns: Sequence[str]) -> None:
        self._file = file
        self._columns = unique_names(columns)

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            record = {name: _plain(cell) for name, cell in zip(self._columns, row, strict=True)}
            self._file.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")


class _ParquetWriter:
    def __init__(self, file: BinaryIO, columns: Sequence[str], types: Sequence[Any]) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise ExLMError("Parquet files need pyarrow; run: pip install 'exlm-chem[parquet]'") from error
        self._pa = pa
        arrow = {float: pa.float64(), str: pa.string()}
        self._schema = pa.schema([(name, arrow.get(t, t)) for name, t in zip(columns, types, strict=True)])
        self._writer = pq.ParquetWriter(file, self._schema)
        self._rows: list[Sequence[Any]] = []

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        self._rows += rows
        if len(self._rows) >= _ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [self._array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []

    def _array(self, cells: Sequence[Any], kind: Any) -> Any:
        # Arrow takes its own scalars back with their exact type, except nulls in lists
        return self._pa.array([None if getattr(cell, "is_valid", True) is False else cell for cell in cells], type=kind)


def unique_names(names: Iterable[str]) -> list[str]:
    """Number the second and later occurrences of a name.

    Examples
    --------
    >>> unique_names(["id", "id", "id_2"])
    ['id', 'id_2', 'id_2_2']
    """
    unique: dict[str, None] = {}
    for name in names:
        candidate, count = name, 1
        while candidate in unique:
            count += 1
            candidate = f"{name}_{count}"
        unique[candidate] = None
    return list(unique)


def _plain(cell: Any) -> Any:
    """Give the Python value of an Arrow scalar; text where Python has none (nanoseconds)."""
    if not hasattr(cell, "as_py"):
        return None if isinstance(cell, float) and math.isnan(cell) else cell
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return str(cell)

"""Tables of results, written as a stream: to a temporary name first, so that a failed run leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Literal, Protocol, cast

import numpy as np
import zstandard

from exlm_chem.errors import ExLMError
from exlm_chem.storage import is_special, json_text
from exlm_chem.tables.encodings import WRITTEN
from exlm_chem.tables.names import unique_names
from exlm_chem.tables.outputs import STDOUT, open_output, refuse_input
from exlm_chem.tables.parquet_writer import ParquetTableWriter, plain_value
from exlm_chem.tables.streams import plain_suffix

_FORMATS: Final = (".csv", ".tsv", ".jsonl", ".parquet")
_NEEDS_QUOTES: Final = re.compile(r'[,;\t"\r\n\ufeff]|^\s|\s$')
FLOAT32: Final = np.float32
"""Type of a column of 32-bit numbers."""

_EXACT: Final = (FLOAT32, np.float16)


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
        Per column: ``float`` (as text, five digits), `FLOAT32` or ``np.float16`` (all digits that such a number has),
        ``str``, or, for Parquet, an Arrow type. Default: all ``str``.
    source : str, optional
        The input, over which nothing is written: a path, or ``-`` for stdin.
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
    types = types or [str] * len(columns)
    if path is None or path == STDOUT:
        refuse_input(STDOUT, source)
        if sys.stdout is None:
            raise ExLMError("stdout is closed; name a file with -o")
        if isinstance(sys.stdout, io.TextIOWrapper):  # what is written does not depend on the system's settings
            sys.stdout.reconfigure(encoding="utf-8", errors=WRITTEN, newline="")
        if stdout_format == "jsonl":
            yield _JsonWriter(sys.stdout, columns, types)
        else:
            yield CsvWriter(sys.stdout, columns, ",", types)
        sys.stdout.flush()
        return
    if plain_suffix(path) not in _FORMATS and not is_special(path) and not Path(path).is_dir():
        raise ExLMError(f"{path} has no known ending; write to .csv, .tsv, .jsonl or .parquet")
    with open_output(path, source) as file, _open_format(path, file, columns, types) as writer:
        yield writer


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
        return "" if math.isnan(cell) else f"{cell + 0.0:.5g}"  # -0.0 + 0.0 is 0.0
    value = plain_value(cell)
    return "" if value is None else str(value)


@contextmanager
def _open_format(path: str, file: BinaryIO, columns: Sequence[str], types: Sequence[Any]) -> Iterator[TableWriter]:
    suffix = plain_suffix(path)
    if suffix == ".parquet":
        parquet = ParquetTableWriter(file, columns, types)
        with _closing(parquet, parquet.close):
            yield parquet
        return
    packed = file
    if path.lower().endswith(".gz"):
        packed = cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0))
    elif path.lower().endswith(".zst"):
        packed = cast("BinaryIO", zstandard.ZstdCompressor().stream_writer(file, closefd=False))
    # text from the command line may hold bytes that are no UTF-8; they come out as they went in
    text = io.TextIOWrapper(packed, encoding="utf-8", errors=WRITTEN, newline="")
    with _closing(text, text.detach if packed is file else text.close):
        if suffix == ".jsonl":
            yield _JsonWriter(text, columns, types)
        else:
            yield CsvWriter(text, columns, "\t" if suffix == ".tsv" else ",", types)


@contextmanager
def _closing(writer: io.TextIOWrapper | ParquetTableWriter, finish: Callable[[], object]) -> Iterator[None]:
    """Finish a writer; after a failure close it without a word, or it would complain when it is thrown away."""
    try:
        yield
        finish()
    except BaseException:
        with suppress(Exception):
            writer.close()
        raise


class CsvWriter:
    """CSV or TSV. Python's own writer leaves a lone carriage return unquoted, which breaks the row in two."""

    def __init__(
        self, file: IO[str], columns: Sequence[str], delimiter: str, types: Sequence[Any] | None = None
    ) -> None:
        self._file = file
        self._delimiter = delimiter
        self._texts = [
            partial(_all_digits, kind) if kind in _EXACT else cell_text for kind in types or [str] * len(columns)
        ]
        file.write(self._line(columns))

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, one line each."""
        self._file.writelines(
            self._line([text(cell) for text, cell in zip(self._texts, row, strict=True)]) for row in rows
        )

    def _line(self, cells: Sequence[str]) -> str:
        if list(cells) == [""]:
            return '""\n'  # an empty line would be no row
        quoted = ('"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell for cell in cells)
        return self._delimiter.join(quoted) + "\n"


class _JsonWriter:
    """One JSON object per line, numbers as numbers; a name that occurs twice gets a number."""

    def __init__(self, file: IO[str], columns: Sequence[str], types: Sequence[Any]) -> None:
        self._file = file
        self._columns = unique_names(columns)
        self._values = [partial(_shortest, kind) if kind in _EXACT else plain_value for kind in types]

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            values = (value(cell) for value, cell in zip(self._values, row, strict=True))
            self._file.write(json_text(dict(zip(self._columns, values, strict=True))) + "\n")


def _all_digits(kind: Any, cell: float) -> str:
    return "" if math.isnan(cell) else str(kind(cell + 0.0))


def _shortest(kind: Any, cell: float) -> float | None:
    """Give the number that needs the fewest digits among those that are the same in so many bits."""
    return float(str(kind(cell))) if math.isfinite(cell) else None

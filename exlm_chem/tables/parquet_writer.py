"""Parquet: rows written in groups, and the cells of such a file as Python values."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Final

import numpy as np

from exlm_chem.errors import ExLMError
from exlm_chem.tables.encodings import WRITTEN

_ROWS_PER_GROUP: Final = 20_000


class ParquetTableWriter:
    r"""Writes a Parquet file, which holds UTF-8 only: bytes that are none become escapes such as ``\xe9``.

    Parameters
    ----------
    file : BinaryIO
        Where it is written.
    columns : sequence of str
        Names of the columns.
    types : sequence
        Per column an Arrow type, or ``str``, ``float``, ``int``, ``bool``, ``np.float32`` or ``np.float16``.
    """

    def __init__(self, file: BinaryIO, columns: Sequence[str], types: Sequence[Any]) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise ExLMError("Parquet files need pyarrow; run: pip install 'exlm-chem[parquet]'") from error
        self._pa = pa
        arrow = {
            float: pa.float64(),
            np.float32: pa.float32(),
            np.float16: pa.float16(),
            str: pa.string(),
            int: pa.int64(),
            bool: pa.bool_(),
        }
        self._schema = pa.schema([(as_utf8(name), arrow.get(t, t)) for name, t in zip(columns, types, strict=True)])
        self._writer = pq.ParquetWriter(_Counted(file), self._schema)
        self._rows: list[Sequence[Any]] = []

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take rows; they are written when there are many."""
        self._rows += rows
        if len(self._rows) >= _ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and the end of the file."""
        try:
            if self._rows:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [self._array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []

    def _array(self, cells: Sequence[Any], kind: Any) -> Any:
        # Arrow takes its own scalars back with their exact type, except nulls in lists
        plain = [None if getattr(cell, "is_valid", True) is False else cell for cell in cells]
        try:
            return self._pa.array(plain, type=kind)
        except UnicodeEncodeError:
            return self._pa.array([as_utf8(cell) if isinstance(cell, str) else cell for cell in plain], type=kind)


class _Counted(io.RawIOBase):
    """A file that knows how far it is, which Arrow asks; a pipe does not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._written = file, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = self._file.write(data)
        self._written += count
        return count

    def tell(self) -> int:
        return self._written


def as_utf8(text: str) -> str:
    r"""Write bytes that are no UTF-8 as escapes, for formats that hold no such bytes.

    Examples
    --------
    >>> print(as_utf8("caf\udce9"))
    caf\xe9
    """
    return text.encode("utf-8", WRITTEN).decode("utf-8", "backslashreplace")


def plain_value(cell: Any) -> Any:
    """Give the Python value of an Arrow scalar; text where Python has none (nanoseconds); None for NaN.

    Examples
    --------
    >>> plain_value(float("nan")), plain_value("C")
    (None, 'C')
    """
    if not hasattr(cell, "as_py"):
        return None if isinstance(cell, float) and math.isnan(cell) else cell
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return str(cell)

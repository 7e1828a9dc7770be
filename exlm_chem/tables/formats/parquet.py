"""Parquet: a typed table; its cells stay Arrow scalars, so that they can be written back with their type."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from exlm_chem.errors import ExLMError
from exlm_chem.tables.columns import choose_smiles_column
from exlm_chem.tables.formats.table import Record, Table, as_text
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Source

MAGIC = b"PAR1"


def open_parquet(source: Source, options: ReadOptions, _wanted: Sequence[str] = ()) -> Table:
    """Open a Parquet file."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ExLMError("Parquet files need pyarrow; run: pip install 'exlm-chem[parquet]'") from error
    faults = (pa.ArrowException, OSError, ValueError, OverflowError)
    stream = source.file()
    try:
        file = pq.ParquetFile(stream)
        columns, types = list(file.schema_arrow.names), list(file.schema_arrow.types)
    except faults as error:
        stream.close()
        raise ExLMError(f"{source.name} is no Parquet file, or is damaged: {_first_line(error)}") from error

    def rows() -> Iterator[Record]:
        number = 0
        try:
            for batch in file.iter_batches(batch_size=1024):
                for cells in zip(*([*column] for column in batch.columns), strict=True):
                    number += 1
                    yield Record(number, list(cells))
        except faults as error:
            raise ExLMError(f"{source.name} is damaged after row {number}: {_first_line(error)}") from error

    def close() -> None:
        file.close()
        stream.close()
        source.close()

    try:
        records = rows()
        first = list(itertools.islice(records, 20))
        index = choose_smiles_column(
            columns,
            lambda place: [as_text(record.cells[place]) or "" for record in first],
            options.smiles_column,
            source.name,
            source.note,
        )
    except ExLMError:
        close()
        raise
    return Table(columns, itertools.chain(first, records), index, close, types)


def _first_line(error: Exception) -> Any:
    return next(iter(str(error).splitlines()), type(error).__name__)

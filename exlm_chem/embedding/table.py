"""Vectors for a whole file: a stream of rows, one for each row of the input, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.tables.arrays import ARRAY_SUFFIXES, open_arrays
from exlm_chem.tables.formats import Record
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.writers import FLOAT32, cell_text, open_writer
from exlm_chem.terms import OnInvalid, Pooling, Standardise

CHUNK_SIZE = 1000

Write = Callable[[list[list[Any]], NDArray[np.float32], list[str | None]], None]
"""Takes some rows: the input's cells, the vectors, and the reasons of those that are NaN."""


@dataclass(slots=True)
class Summary:
    """How many rows went through, and why some have no vector.

    Examples
    --------
    >>> print(Summary(rows=3, failed=1, reasons=Counter({"no SMILES in this row": 1})))
    3 rows, 2 with a vector, 1 without (1 no SMILES in this row)
    """

    rows: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    reading: list[str] = field(default_factory=list)
    """What was guessed about the file."""

    def __str__(self) -> str:
        text = f"{self.rows:,} rows, {self.rows - self.failed:,} with a vector"
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.most_common())
        return f"{text}, {self.failed:,} without ({reasons})" if self.failed else text


def embed_file(
    molecules: Path | Sequence[str],
    embedder: ExLM,
    output: str | Path,
    *,
    pooling: Pooling = "mean",
    standardise: Standardise = "none",
    reading: ReadOptions | str | None = None,
    on_invalid: OnInvalid = "flag",
    batch_tokens: int | None = None,
    chunk_size: int = CHUNK_SIZE,
    progress: Callable[[int], object] = lambda _: None,
) -> Summary:
    """Turn the molecules of a file into vectors, in constant memory.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    embedder : ExLM
        The model.
    output : path
        ``.npz`` (the array ``vectors``, one array of texts for each column of the input, and ``error``), ``.npy``
        (vectors only), or a table (see `open_writer`) with the columns of the input, ``exlm_0``, ``exlm_1``, ..., and
        ``error``. Where a name is taken, ours gets the prefix ``exlm_``.
    pooling, standardise, batch_tokens
        See `ExLM.embed`.
    reading : ReadOptions or str, optional
        Found by its name otherwise.
    on_invalid : {"flag", "skip", "raise"}
        A row without a molecule gets NaN and its reason, is left out, or ends the run.
    chunk_size : int
        Rows in memory at a time.
    progress : callable, optional
        Called with the number of rows done so far.

    Returns
    -------
    Summary

    Raises
    ------
    ExLMError
        In one sentence, and without an output file.
    """
    if on_invalid not in get_args(OnInvalid):
        raise ExLMError(f"on_invalid must be flag, skip or raise, not '{on_invalid}'")
    with (
        MoleculeReader(molecules, reading) as reader,
        _open(str(output), reader, embedder.width) as write,
    ):
        summary = Summary(reading=reader.notes)
        records = iter(reader)
        while chunk := list(islice(records, chunk_size)):
            inputs = [embedder.read(_text(record), standardise) for record in chunk]
            errors = [record.error or one.molecule.error for record, one in zip(chunk, inputs, strict=True)]
            vectors = np.full((len(chunk), embedder.width), np.nan, dtype=np.float32)
            good = [index for index, error in enumerate(errors) if error is None]
            vectors[good] = embedder.embed_tokens([inputs[i].token_ids for i in good], pooling, batch_tokens)
            for record, error in zip(chunk, errors, strict=True):
                if error is not None:
                    if on_invalid == "raise":
                        raise ExLMError(f"{reader.name}, line {record.line}: {error}")
                    summary.failed += 1
                    summary.reasons[error.partition(":")[0].partition(" at position")[0]] += 1
            kept = good if on_invalid == "skip" else range(len(chunk))
            write([chunk[i].cells for i in kept], vectors[kept], [errors[i] for i in kept])
            summary.rows += len(chunk)
            progress(summary.rows)
    return summary


def _text(record: Record) -> str | None:
    # A row that is wrong as a row has no molecule that could be trusted.
    return record.smiles if record.error is None else None


@contextmanager
def _open(output: str, reader: MoleculeReader, width: int) -> Iterator[Write]:
    """Open the output by its ending."""
    if Path(output).suffix.lower() in ARRAY_SUFFIXES:
        columns = [*reader.columns, _free("error", reader.columns)]
        with open_arrays(output, columns, width, reader.path) as arrays:
            yield lambda cells, vectors, errors: arrays.write(
                [[*map(cell_text, row), error or ""] for row, error in zip(cells, errors, strict=True)], vectors
            )
        return
    ours = [_free(name, reader.columns) for name in (*(f"exlm_{index}" for index in range(width)), "error")]
    types = [*(reader.types or [str] * len(reader.columns)), *[FLOAT32] * width, str]
    with open_writer(output, [*reader.columns, *ours], types, reader.path) as table:
        yield lambda cells, vectors, errors: table.write(
            [*row, *vector, error] for row, vector, error in zip(cells, vectors.tolist(), errors, strict=True)
        )


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"exlm_{name}"
    return name

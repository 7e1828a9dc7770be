"""What ``exlm-chem embed`` wrote, as a library of molecules that can be searched or drawn as a map."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.smiles.notation import converted_cell
from exlm_chem.tables.arrays import vectors_in
from exlm_chem.tables.columns import choose_smiles_column
from exlm_chem.tables.formats.table import Record
from exlm_chem.tables.numbers import number_in
from exlm_chem.tables.parquet_writer import plain_value
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import Summary

T = TypeVar("T")

_VECTOR: Final = re.compile(r"(?:exlm_)?exlm_\d+")
_CHUNK: Final = 1000
"""Molecules that are embedded together."""

_NEAR: Final = 0.98
"""Cosine of the vectors of one molecule that two precisions of a model stay above."""


@dataclass(frozen=True)
class Library:
    """Molecules with their vectors; one without a vector is left out.

    Attributes
    ----------
    name : str
        The file.
    columns : list of str
        Names of its columns, without the vectors.
    rows : list of lists
        The cells of each molecule.
    smiles_index : int
        The place of the SMILES among them.
    vectors : float32 array of shape (molecules, width)
        Of length 1.
    summary : Summary
        How many rows there were, and why some have no vector.
    types : list
        Types of the columns, for `open_writer`.
    """

    name: str
    columns: list[str]
    rows: list[list[Any]]
    smiles_index: int
    vectors: NDArray[np.float32]
    summary: Summary
    types: list[Any]

    @property
    def smiles(self) -> list[str]:
        """The SMILES as they were given, converted from another notation."""
        return [self.smiles_of(row) for row in range(len(self.rows))]

    def smiles_of(self, row: int) -> str:
        """Give the SMILES of one molecule as it was given; converted, since it has a vector, from another notation."""
        return converted_cell(str(plain_value(self.rows[row][self.smiles_index])))[0]

    def dim_of(self, encoder: ExLM) -> int | None:
        """Give the ``dim`` with which an encoder makes such vectors."""
        width = self.vectors.shape[1]
        return None if width == encoder.width else width

    def check_encoder(self, encoder: ExLM) -> None:
        """Refuse an encoder other than the one that made the vectors.

        Raises
        ------
        ExLMError
            If the vector of the first molecule is another one.
        """
        if not self.rows:
            return
        width = self.vectors.shape[1]
        if width <= encoder.width:
            again = unit(encoder.embed([self.smiles_of(0)], dim=self.dim_of(encoder)))
        else:
            again = np.zeros((1, width), np.float32)
        if not float(again[0] @ self.vectors[0]) > _NEAR:
            raise ExLMError(
                f"the vectors of {self.name} are not those of this model; name with --model the one that made them, "
                "and embed with mean pooling and without a rule of standardisation"
            )


def read_library(
    molecules: str | Path | Sequence[str],
    reading: ReadOptions | str | None = None,
    encoder: ExLM | None = None,
    *,
    most: int | None = None,
    seed: int = 0,
    progress: Callable[[int], object] = lambda _: None,
) -> Library:
    """Read a file that ``exlm-chem embed`` wrote, ``.npz`` or a table; or molecules, which are embedded now.

    Parameters
    ----------
    molecules : str, Path or sequence of str
        The file; or what `MoleculeReader` takes.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    encoder : ExLM, optional
        For molecules without vectors: what makes them.
    most : int, optional
        Of more rows, as many are drawn by lot.
    seed : int
        Of that.
    progress : callable, optional
        Called with the number of molecules embedded so far.

    Raises
    ------
    ExLMError
        If there are no vectors or no molecules in it.
    """
    given = [str(molecules)] if isinstance(molecules, str | Path) else molecules
    options, path = ReadOptions.of(reading), given[0] if len(given) == 1 else ""
    chosen = _Lot(most, seed)
    if path.lower().endswith(".npy"):
        raise ExLMError(f"{path} holds vectors without their molecules; embed into .npz, .parquet or .csv instead")
    if path.lower().endswith(".npz"):
        read = _read_arrays(path, options.smiles_column, chosen)
    else:
        read = _read_table(
            Path(path) if isinstance(molecules, str | Path) else given, options, encoder, chosen, progress
        )
    summary = Summary("with a vector", "without", rows=len(read.rows), reading=read.notes)
    if chosen.seen > len(read.rows):
        summary.reading.append(f"{len(read.rows):,} of {chosen.seen:,} rows were drawn by lot")
    bad = ~np.isfinite(read.vectors).all(1)
    for row in np.flatnonzero(bad):
        summary.fail(read.errors[row] or "no vector")
    rows = [read.rows[row] for row in np.flatnonzero(~bad)]
    return Library(read.name, read.columns, rows, read.smiles_index, unit(read.vectors[~bad]), summary, read.types)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors to length 1.

    Examples
    --------
    >>> unit(np.array([[3.0, 4.0]], np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    scaled: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled


@dataclass
class _Read:
    """What a file says, row by row."""

    name: str
    columns: list[str]
    rows: list[list[Any]]
    smiles_index: int
    vectors: NDArray[np.float32]
    errors: list[str | None]
    notes: list[str]
    types: list[Any]


class _Lot:
    """Which of the rows that come by are kept: all, or so many by lot, in their order.

    Examples
    --------
    >>> list(_Lot(None, 0)("abc")), len(_Lot(2, 0)("abc"))
    (['a', 'b', 'c'], 2)
    """

    def __init__(self, most: int | None, seed: int) -> None:
        self._most, self._random, self.seen = most, random.Random(seed), 0

    def __call__(self, rows: Iterable[T]) -> list[T]:
        kept: list[tuple[int, T]] = []
        for place, row in enumerate(rows):
            self.seen += 1
            if self._most is None or place < self._most:
                kept.append((place, row))
            elif (lot := self._random.randrange(place + 1)) < self._most:
                kept[lot] = place, row
        return [row for _, row in sorted(kept, key=itemgetter(0))]


def _read_arrays(path: str, smiles_column: str | None, chosen: _Lot) -> _Read:
    try:
        with np.load(path) as arrays:
            vectors = vectors_in(arrays)
            ours = ("vectors", "scale") if arrays["vectors"].dtype == np.int8 else ("vectors",)
            names = [name for name in arrays.files if name not in ours]
            columns: list[list[Any]] = [list(arrays[name].tolist()) for name in names]
    except FileNotFoundError:
        raise ExLMError(f"{path} does not exist; make it with: exlm-chem embed MOLECULES -o {path}") from None
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        raise ExLMError(f"{path} is no .npz that exlm-chem embed wrote; make it again") from None
    rows = [list(row) for row in zip(*columns, strict=True)] if columns else []
    if vectors.ndim != 2 or len(rows) != len(vectors):
        raise ExLMError(f"{path} holds vectors without their molecules; embed the molecules again")
    index = choose_smiles_column(names, lambda place: columns[place][:20], smiles_column, path, lambda _: None)
    kept = chosen(range(len(rows)))
    rows = [rows[row] for row in kept]
    return _Read(path, names, rows, index, vectors[kept], _errors(names, rows), [], [str] * len(names))


def _read_table(
    molecules: Path | Sequence[str],
    options: ReadOptions,
    encoder: ExLM | None,
    chosen: _Lot,
    progress: Callable[[int], object],
) -> _Read:
    with MoleculeReader(molecules, options) as reader:
        places = [place for place, name in enumerate(reader.columns) if _VECTOR.fullmatch(name)]
        if not places and encoder is None:
            raise ExLMError(
                f"{reader.name} has no columns exlm_0, exlm_1, ...; make it with: exlm-chem embed MOLECULES -o"
            )
        others = [place for place in range(len(reader.columns)) if place not in set(places)]
        names, index = [reader.columns[place] for place in others], others.index(reader.smiles_index)
        records = chosen(reader)
    rows = [[record.cells[place] for place in others] for record in records]
    if places or encoder is None:
        numbers = [_numbers(reader.name, record, places) for record in records]
        vectors, errors = np.array(numbers, np.float32).reshape(-1, len(places)), _errors(names, rows)
    else:
        vectors, errors = _embedded(records, encoder, progress)
    types = [reader.types[place] for place in others] if reader.types else [str] * len(names)
    return _Read(reader.name, names, rows, index, vectors, errors, reader.notes, types)


def _numbers(name: str, record: Record, places: Sequence[int]) -> list[float]:
    try:
        return [number_in(plain_value(record.cells[place])) for place in places]
    except ValueError as error:
        raise ExLMError(f"{name}, line {record.line}: no vector ({error}); embed the molecules again") from None


def _errors(names: list[str], rows: list[list[Any]]) -> list[str | None]:
    """Give what the last column that is called so says is wrong with each row."""
    places = [place for place, name in enumerate(names) if name.endswith("error")]
    return [str(plain_value(row[places[-1]]) or "") or None for row in rows] if places else [None] * len(rows)


def _embedded(
    records: list[Record], encoder: ExLM, progress: Callable[[int], object]
) -> tuple[NDArray[np.float32], list[str | None]]:
    vectors, errors = [np.empty((0, encoder.width), np.float32)], list[str | None]()
    for start in range(0, len(records), _CHUNK):
        part = records[start : start + _CHUNK]
        inputs = encoder.read_all([one.smiles if one.error is None else None for one in part])
        vectors.append(encoder.embed_inputs(inputs))
        errors += [one.error or read.molecule.error for one, read in zip(part, inputs, strict=True)]
        progress(start + len(part))
    return np.concatenate(vectors), errors

"""Files of molecules, read as a stream: one record per row, in order, with all its cells as they were."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, cast

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.cells import split_cell
from exlm_chem.tables.formats import SMILES_NAMES, SUFFIXES, Record, Table, normalised, open_table
from exlm_chem.tables.streams import STDIN, name_of, plain_suffix

_FILE_SUFFIXES: Final = frozenset([*SUFFIXES, *".gz .zst .txt .xls .xlsx .ods .zip .json .jsonl".split()])


class MoleculeReader:
    """The rows of a file, of stdin or of the command line, read one after the other.

    Parameters
    ----------
    molecules : Path or sequence of str
        A file; or a sequence with one file name, with ``-`` for stdin, or with any number of SMILES, as they come from
        the command line. What exists as a file is a file.
    smiles_column : str, optional
        The column of the SMILES; by default it is found by its name.

    Attributes
    ----------
    name : str
        The file as it is named in messages.
    path : str or None
        The file, if it is one.
    columns : list of str
        Names of the columns, duplicates kept.
    types : list or None
        Arrow types of the columns of a Parquet file.

    Raises
    ------
    ExLMError
        In one sentence if the file cannot be read, at once or at the row where it breaks.

    Examples
    --------
    >>> with MoleculeReader(["c1ccccc1", "CCO"]) as reader:
    ...     [record.smiles for record in reader]
    ['c1ccccc1', 'CCO']
    """

    def __init__(self, molecules: Path | Sequence[str], smiles_column: str | None = None) -> None:
        path = str(molecules) if isinstance(molecules, Path) else _file_among(molecules)
        if path is None:
            self.name, self.path = "the command line", None
            rows = (Record(number, [text]) for number, text in enumerate(cast("Sequence[str]", molecules), 1))
            self._table = Table(["smiles"], rows, lambda: None, smiles_index=0)
        else:
            self.name, self.path = name_of(path), None if path == STDIN else path
            self._table = open_table(path, smiles_column)
        self.columns, self.types = self._table.columns, self._table.types
        try:
            self._smiles_index = self._find(smiles_column)
        except ExLMError:
            self.close()
            raise

    def __iter__(self) -> Iterator[Record]:
        for record in self._table.rows:
            record.smiles = _as_text(record.cells[self._smiles_index])
            yield record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; stdin too."""
        self._table.close()

    def _find(self, wanted: str | None) -> int:
        names = [normalised(column) for column in self.columns]
        listed = ", ".join(self.columns)
        if wanted is not None:
            for candidates, name in ((self.columns, wanted), (names, normalised(wanted))):
                if name in candidates:
                    return candidates.index(name)
            raise ExLMError(f"{self.name} has no column '{wanted}'; its columns are: {listed}")
        if self._table.smiles_index is not None:
            return self._table.smiles_index
        for name in SMILES_NAMES:
            if name in names:
                return names.index(name)
        likely = [index for index, name in enumerate(names) if "smiles" in name]
        if len(likely) == 1:
            return likely[0]
        raise ExLMError(
            f"{self.name} has no column named smiles; its columns are: {listed}; choose one with --smiles-column"
        )


class SmilesRow(NamedTuple):
    """What pretraining needs of a row of a file."""

    path: str
    """The file."""
    line: int
    """The line in it, from 1."""
    smiles: str
    """The SMILES alone; of a cell that holds none, the whole cell."""
    error: str | None = None
    """Why the row has no SMILES that could be read."""


def iter_smiles(paths: Iterable[str | Path], smiles_column: str | None = None) -> Iterator[SmilesRow]:
    """Read only the SMILES of some files, for pretraining: fast, and without looking at them.

    Parameters
    ----------
    paths : iterable of str or Path
        Files of any format that :class:`MoleculeReader` reads.
    smiles_column : str, optional
        The column of the SMILES in tables; by default it is found by its name.

    Yields
    ------
    SmilesRow
        One for every row of the files, also for those that have no SMILES or cannot be read.

    Examples
    --------
    >>> from exlm_chem.data import data_path
    >>> next(iter_smiles([data_path("zinc_20k.smi.gz")]))
    SmilesRow(path=..., line=1, smiles=..., error=None)
    """
    for path in map(Path, paths):
        with MoleculeReader(path, smiles_column) as reader:
            for record in reader:
                cell = split_cell(record.smiles)
                smiles = cell.smiles or (record.smiles or "").strip()
                yield SmilesRow(str(path), record.line, smiles, record.error or cell.error)


def _file_among(molecules: Sequence[str]) -> str | None:
    """Give the one file, or nothing if all are SMILES."""
    # os.path.exists takes any text; Path.exists fails on a long SMILES
    files = [t for t in molecules if t == STDIN or os.path.exists(t) or plain_suffix(t) in _FILE_SUFFIXES]  # noqa: PTH110
    if not files:
        return None
    if len(molecules) > 1:
        raise ExLMError(f"{files[0]} is a file; give one file, or only SMILES")
    return files[0]


def _as_text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell
    value = cell.as_py()  # an Arrow scalar
    return value if value is None or isinstance(value, str) else str(value)

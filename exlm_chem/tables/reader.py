"""Files of molecules, read as a stream: one record per row, in order, with all its cells as they were."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, cast

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.cells import split_cell
from exlm_chem.smiles.notation import converted_cell
from exlm_chem.storage import is_special
from exlm_chem.tables.columns import find_column
from exlm_chem.tables.formats.registry import FILE_SUFFIXES, open_table
from exlm_chem.tables.formats.table import Record, Table, as_text
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Source
from exlm_chem.tables.streams import STDIN, plain_suffix


class MoleculeReader:
    """The rows of a file, of stdin or of the command line, read one after the other.

    Parameters
    ----------
    molecules : Path or sequence of str
        A file; or a sequence with one file name, with ``-`` for stdin, or with any number of SMILES, as they come from
        the command line. What exists as a file is a file.
    options : ReadOptions or str, optional
        What the user says about the file; a text is the name of the SMILES column. All is found out by default.
    wanted : sequence of str
        Other columns that are needed; they help to find the separator of a table of text.

    Attributes
    ----------
    name : str
        The file as it is named in messages.
    path : str or None
        The file, ``-`` for stdin; None for SMILES of the command line.
    columns : list of str
        Names of the columns, duplicates kept.
    types : list or None
        Arrow types of the columns of a Parquet file.
    smiles_index : int
        The place of the SMILES among them.
    form : dict
        How the file is understood: ``format``, and of text its ``encoding``, ``separator`` and ``header_line``.
    again : callable or None
        Opens the same once more, also in another process of this machine; None for what can be read once.
    notes : list of str
        What a user should be told about how the file is read; more may come while it is read.

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

    def __init__(
        self, molecules: Path | Sequence[str], options: ReadOptions | str | None = None, wanted: Sequence[str] = ()
    ) -> None:
        options = ReadOptions.of(options)
        self._convert = options.convert
        path = str(molecules) if isinstance(molecules, Path) else _file_among(molecules)
        self.notes: list[str] = []
        if path is None:
            self.name, self.path = "the command line", None
            texts = cast("Sequence[str]", molecules)
            self._table = Table(["smiles"], (Record(number, [text]) for number, text in enumerate(texts, 1)), 0)
        else:
            source = Source(path, options.encoding)
            self.name, self.path, self.notes = source.name, path, source.notes
            self._table = open_table(source, options, wanted)
        once = path is not None and (path == STDIN or is_special(path))
        same = molecules if path is None else Path(path).absolute()
        self.again = None if once else partial(MoleculeReader, same, options, tuple(wanted))
        self.columns, self.types = self._table.columns, self._table.types
        self.smiles_index, self.form = self._table.smiles_index, self._table.form

    def __iter__(self) -> Iterator[Record]:
        index = self.smiles_index
        for record in self._table.rows:
            record.smiles = as_text(record.cells[index])
            if self._convert and record.smiles is not None and record.error is None:
                record.smiles, record.note, record.error = converted_cell(record.smiles)
            yield record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; stdin too."""
        self._table.close()

    def column(self, name: str) -> int:
        """Give the place of the column that a user means; see `find_column`."""
        return find_column(self.columns, name, self.name)


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


def iter_smiles(
    paths: Iterable[str | Path], options: ReadOptions | str | None = None, notes: list[str] | None = None
) -> Iterator[SmilesRow]:
    """Read only the SMILES of some files, for pretraining: fast, and without looking at them.

    Parameters
    ----------
    paths : iterable of str or Path
        Files of any format that :class:`MoleculeReader` reads.
    options : ReadOptions or str, optional
        See :class:`MoleculeReader`.
    notes : list of str, optional
        Gets the notes of the readers, each when its file has been read.

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
        with MoleculeReader(path, options) as reader:
            for record in reader:
                cell = split_cell(record.smiles)
                smiles = cell.smiles or (record.smiles or "").strip()
                yield SmilesRow(str(path), record.line, smiles, record.error or cell.error)
            if notes is not None:
                notes += reader.notes


def iter_texts(
    paths: Iterable[str | Path], options: ReadOptions | None = None, notes: list[str] | None = None
) -> Iterator[SmilesRow]:
    """Read the lines of some files of text, without the space around them; empty lines are passed over.

    Parameters
    ----------
    paths : iterable of str or Path
        Plain text, compressed or not.
    options : ReadOptions, optional
        The encoding counts; nothing else may be said.
    notes : list of str, optional
        Gets what a user should be told about a file, when it has been read.

    Yields
    ------
    SmilesRow
        With the text in the place of the SMILES.
    """
    options = options or ReadOptions()
    if options != ReadOptions(encoding=options.encoding):
        raise ExLMError(
            "every line of a text is taken whole; leave --smiles-column, --header-line, --sheet and --convert away"
        )
    for path in map(str, paths):
        source = Source(path, options.encoding)
        try:
            lines = source.lines()
            for line in lines:
                if text := line.strip():
                    yield SmilesRow(path, lines.number, text)
        finally:
            source.close()
        if notes is not None:
            notes += source.notes


def _file_among(molecules: Sequence[str]) -> str | None:
    """Give the one file, or nothing if all are SMILES."""
    # os.path.exists takes any text; Path.exists fails on a long SMILES
    files = [t for t in molecules if t == STDIN or os.path.exists(t) or plain_suffix(t) in FILE_SUFFIXES]  # noqa: PTH110
    if not files:
        return None
    if len(molecules) > 1:
        raise ExLMError(f"{files[0]} is a file; give one file, or only SMILES")
    return files[0]

"""What is near each molecule of a file, as a table: one row for each molecule found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from exlm_chem.analysis.library import Library, read_library
from exlm_chem.analysis.search import Searcher, SearchOptions
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.prediction.report.both import PageText, with_page
from exlm_chem.tables.names import free_name
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import Rows, Summary
from exlm_chem.tables.writers import OpenWriter, open_writer

CHUNK: Final = 100
"""Molecules that are embedded together."""

MEANINGS: Final = {
    "rank": "Place among the molecules found, from 1.",
    "cosine": "Cosine of the embeddings, 1 for the same molecule.",
    "tanimoto": "Tanimoto similarity of ECFP4 (2,048 bits), 1 for the same substructures.",
    "error": "Why nothing was looked for.",
}


def search_file(
    molecules: Path | Sequence[str],
    library: Library | str | Path,
    encoder: ExLM | str | Path = "exlm-small",
    output: str | Path | None = None,
    options: SearchOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    progress: Callable[[int], object] = lambda _: None,
    open_output: OpenWriter = open_writer,
) -> Summary:
    """Find what is near each molecule of a file.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    library : Library, str or Path
        What is searched; see `read_library`.
    encoder : ExLM, str or Path
        The model that made its vectors, or the name or directory to load it from.
    output : str or Path, optional
        See `open_writer`; CSV on stdout by default. One row for each molecule that was found: the columns of the
        molecule that was asked for, ``rank``, ``cosine``, ``tanimoto``, those of the library with ``found_`` before
        their names, and ``error``.
    options : SearchOptions, optional
        What is near, and how many are wanted.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    progress : callable, optional
        Called with the number of molecules done so far.
    open_output : callable
        Opens something else than `open_writer` does, with the same parameters.

    Returns
    -------
    Summary
        The numbers of molecules that could and could not be asked for.

    Raises
    ------
    ExLMError
        In one sentence, and without an output file.
    """
    options = options or SearchOptions()
    with MoleculeReader(molecules, reading) as reader:
        if not isinstance(encoder, ExLM):
            encoder = ExLM.from_pretrained(encoder, options.device, options.backend, options.precision)
        if not isinstance(library, Library):
            library = read_library(library, options.library_column, encoder)
        found = _FoundRows(reader, Searcher(library, encoder, options), options)
        path = None if output is None else str(output)
        text = PageText(f"Nearest molecules in {Path(library.name).name}", found.described, len(reader.columns))
        open_output = with_page(open_output, options.report, lambda *_: text, found.summary)
        with open_output(path, found.columns, found.types, reader.path) as writer:
            for rows in found:
                writer.write(rows)
                progress(found.summary.rows)
    return found.summary


class _FoundRows:
    """The rows of a result, some molecules after the others."""

    def __init__(self, reader: MoleculeReader, searcher: Searcher, options: SearchOptions) -> None:
        self._reader, self._searcher, self._options = reader, searcher, options
        library = searcher.library
        self.columns = list(reader.columns)
        for name in ("rank", "cosine", "tanimoto", *(f"found_{name}" for name in library.columns), "error"):
            self.columns.append(free_name(name, self.columns, "search_"))
        given: list[Any] = list(reader.types or [str] * len(reader.columns))
        self.types = [*given, int, float, float, *library.types, str]
        own = self.columns[len(given) :]
        words = ["rank", "cosine", "tanimoto", *[""] * len(library.columns), "error"]
        kinds = ["int", "float", "float", *["str"] * (len(own) - 3)]
        self.described = [
            {"name": name, "type": "str", "unit": "", "meaning": "As it was given."} for name in reader.columns
        ] + [
            {"name": name, "type": kind, "unit": "", "meaning": MEANINGS.get(word, "As the library has it.")}
            for name, word, kind in zip(own, words, kinds, strict=True)
        ]
        self.summary = Summary("searched", "not searched", reading=reader.notes)

    def __iter__(self) -> Iterator[Rows]:
        records = iter(self._reader)
        while chunk := list(islice(records, CHUNK)):
            smiles = [one.smiles if one.error is None else None for one in chunk]
            for record, hits in zip(chunk, self._searcher.search(smiles), strict=True):
                self.summary.rows += 1
                error = record.error or (hits if isinstance(hits, str) else None)
                if error is not None:
                    self._count(record.line, error)
                if error is None or self._options.on_invalid == "flag":
                    yield self._rows(record.cells, hits, error)

    def _count(self, line: int, error: str) -> None:
        if self._options.on_invalid == "raise":
            raise ExLMError(f"{self._reader.name}, line {line}: {error}")
        self.summary.fail(error)

    def _rows(self, cells: list[Any], hits: Any, error: str | None) -> Rows:
        library = self._searcher.library
        if error is not None:
            nothing = [None, None, None, *[None] * len(library.columns)]
            return Rows([cells], np.zeros((1, 0), np.float32), [nothing], [[error]], [""])
        others = [
            [place, round(hit.cosine, 4), _rounded(hit.tanimoto), *library.rows[hit.row]]
            for place, hit in enumerate(hits, 1)
        ]
        drawn = [library.smiles_of(hit.row) for hit in hits]
        return Rows([cells] * len(hits), np.zeros((len(hits), 0), np.float32), others, [[None]] * len(hits), drawn)


def _rounded(number: float) -> float | None:
    return None if math.isnan(number) else round(number, 4)

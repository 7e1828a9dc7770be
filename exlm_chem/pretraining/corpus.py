"""The corpus: token ids of many molecules in memory-mapped files, so that training never waits for text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exlm_chem.storage import read_json

CHUNK = 1 << 20  # rows that are looked at together: what is needed of a corpus fits into memory, the corpus need not
SUMMARY = "corpus.json"


@dataclass(frozen=True)
class CorpusSummary:
    """What a corpus holds, kept beside it as ``corpus.json``.

    Attributes
    ----------
    key : str
        Hash of the files' content and of everything that decides about the tokens.
    files : list of str
        Where the molecules came from.
    molecules, tokens : int
        What is in the corpus, ``<s>`` and ``</s>`` counted as tokens.
    rejected : int
        Lines left out; ``rejected.csv`` says which and why.
    duplicates : int
        Molecules that are in the corpus but not used, because the same text came before; 0 unless asked for.
    reading : list of str
        What was guessed about the files.
    """

    key: str
    files: list[str]
    molecules: int
    tokens: int
    rejected: int
    duplicates: int = 0
    reading: list[str] = field(default_factory=list)


class Corpus:
    """Token ids of many molecules, memory-mapped.

    Parameters
    ----------
    directory : path
        What `build_corpus` made.
    validation : float
        Share of the molecules that is kept for validation. The hash of a molecule's text decides, so the parts do not
        change when the file grows or is shuffled. Molecules of validation files are always in that part.
    max_tokens : int, optional
        Longer molecules belong to no part.

    Attributes
    ----------
    summary : CorpusSummary
    tokens : array of uint16, shape (tokens,)
        All molecules, one after the other.
    """

    def __init__(self, directory: str | Path, validation: float = 0.0, max_tokens: int | None = None) -> None:
        self.directory = directory = Path(directory)
        self.summary = CorpusSummary(**read_json(directory / SUMMARY, f"remove {directory}, which is made again"))
        self.validation, self.max_tokens = validation, max_tokens
        self.tokens: NDArray[np.uint16] = np.memmap(directory / "tokens.bin", np.uint16, mode="r")
        self._offsets: NDArray[np.int64] = np.memmap(directory / "offsets.bin", np.int64, mode="r")
        self._hashes: NDArray[np.uint64] = np.memmap(directory / "hashes.bin", np.uint64, mode="r")
        repeated = directory / "duplicates.bin"
        self._duplicates = np.memmap(repeated, np.bool_, mode="r") if repeated.exists() else None
        # Molecules of validation files have the hash 0, and no other molecule has.
        self._threshold = max(1, int(validation * 2**64))

    def __reduce__(self) -> tuple[type[Corpus], tuple[Path, float, int | None]]:
        # A worker process opens the files again; pickled memory maps would be sent as a whole.
        return Corpus, (self.directory, self.validation, self.max_tokens)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> NDArray[np.uint16]:
        """Token ids of one molecule."""
        return self.tokens[self._offsets[row] : self._offsets[row + 1]]

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tokens of some molecules."""
        lengths: NDArray[np.int64] = self._offsets[rows + 1] - self._offsets[rows]
        return lengths

    def padded(self, rows: NDArray[np.int64], padding: int) -> NDArray[np.int64]:
        """Token ids of some molecules, shape (rows, longest), padded on the right."""
        starts, lengths = self._offsets[rows], self.lengths(rows)
        column = np.arange(lengths.max(initial=0))
        index = np.minimum(starts[:, None] + column, len(self.tokens) - 1)
        return np.where(column < lengths[:, None], self.tokens[index], padding).astype(np.int64)

    def usable(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether molecules belong to a part at all: no repetition, and not too long."""
        usable = np.ones(len(rows), dtype=bool) if self._duplicates is None else ~self._duplicates[rows]
        return usable if self.max_tokens is None else usable & (self.lengths(rows) <= self.max_tokens)

    def in_validation(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether molecules are kept for validation."""
        return np.asarray(self._hashes[rows] < np.uint64(min(self._threshold, 2**64 - 1)))

    def training_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some molecules that are learnt from."""
        return rows[self.usable(rows) & ~self.in_validation(rows)]

    def validation_rows(self, most: int | None = None) -> NDArray[np.int64]:
        """The first molecules that are kept for validation."""
        found = [np.empty(0, np.int64)]
        for rows in self._chunks():
            found.append(rows[self.usable(rows) & self.in_validation(rows)])
            if most is not None and sum(map(len, found)) >= most:
                break
        return np.concatenate(found)[:most]

    @cached_property
    def counts(self) -> tuple[int, int, int]:
        """Molecules to learn from, molecules for validation, and molecules that are too long for either."""
        training = validation = usable = 0
        for rows in self._chunks():
            learnt = len(self.training_rows(rows))
            fit = int(self.usable(rows).sum())
            training, validation, usable = training + learnt, validation + fit - learnt, usable + fit
        return training, validation, len(self) - self.summary.duplicates - usable

    def _chunks(self) -> Iterator[NDArray[np.int64]]:
        for start in range(0, len(self), CHUNK):
            yield np.arange(start, min(start + CHUNK, len(self)))

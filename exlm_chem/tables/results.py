"""The rows of a result: those of a file with new columns behind them, one for each, in order, as a stream.

What is wrong with a row, what is noted about it, what then happens to it and how all this is counted is decided here,
for every command that answers a file of molecules with a table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.tables.addition import Addition
from exlm_chem.tables.answer_store import AnswerStore
from exlm_chem.tables.answers import Answers
from exlm_chem.tables.chunks import Chunk
from exlm_chem.tables.engines.local import answered_here
from exlm_chem.tables.formats.table import Record
from exlm_chem.tables.names import free_name
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.result_options import ResultOptions

_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


@dataclass(slots=True)
class Summary:
    """How many rows went through, and why some have no answer.

    Examples
    --------
    >>> print(Summary("predicted", "without a value", rows=3, failed=1, reasons=Counter({"no SMILES in this row": 1})))
    3 rows, 2 predicted, 1 without a value (1 no SMILES in this row)
    """

    answered: str
    unanswered: str
    rows: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    reading: list[str] = field(default_factory=list)
    """What was guessed about the file."""
    notes: Counter[str] = field(default_factory=Counter)

    def fail(self, reason: str) -> None:
        """Count a row without an answer."""
        self.failed += 1
        self.reasons[_kind(reason)] += 1

    def __str__(self) -> str:
        text = f"{_rows(self.rows)}, {self.rows - self.failed:,} {self.answered}"
        if self.failed:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.most_common())
            text += f", {self.failed:,} {self.unanswered} ({reasons})"
        return text + "".join(f"; in {_rows(count)}, {note}" for note, count in self.notes.most_common())


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a result; iterating over them gives each as one list.

    Attributes
    ----------
    cells : list of lists
        Those of the input.
    values : array of shape (rows, columns)
        Our numbers.
    others : list of lists
        What else we say.
    texts : list of lists
        Our texts, with the note and the error at the end.
    molecules : list of str
        *The* text of each molecule as the first reader has it; empty where there is none.
    """

    cells: list[list[Any]]
    values: NDArray[np.float32]
    others: list[list[Any]]
    texts: list[list[str | None]]
    molecules: list[str]

    def __iter__(self) -> Iterator[list[Any]]:
        for cells, values, others, texts in zip(self.cells, self.values.tolist(), self.others, self.texts, strict=True):
            yield [*cells, *values, *others, *texts]


class ResultTable:
    """The rows of a file with new columns behind them, in chunks.

    Parameters
    ----------
    reader : MoleculeReader
        The file.
    addition : Addition
        The new columns.
    options : ResultOptions
        Size of the chunks, and what happens to a row without an answer.

    Attributes
    ----------
    columns : list of str
        The input's columns, and ours. Where a name of ours is taken, it gets a prefix.
    types : list
        Types of the columns, for `open_writer`.
    summary : Summary
        Complete when all rows have been taken.
    """

    def __init__(self, reader: MoleculeReader, addition: Addition, options: ResultOptions) -> None:
        self._reader, self._addition, self._options = reader, addition, options
        self._store: AnswerStore | None = None
        self._needed = {name: _needed(reader, name) for name in addition.needs}
        self._rules = [rule for rule in dict.fromkeys(addition.rules) if rule != "none"]
        used = [f"smiles_used_{rule}" for rule in self._rules] if len(self._rules) > 1 else ["smiles_used"]
        texts = (*used[: len(self._rules)], "note", "error")
        names = dict.fromkeys(reader.columns)
        self.columns = list(reader.columns)
        self.types: list[Any] = list(reader.types or [str] * len(reader.columns))
        for name, prefix, kind in (*addition.columns, *((text, addition.name, str) for text in texts)):
            self.columns.append(free_name(name, names, f"{prefix}_"))
            self.types.append(kind)
            names[self.columns[-1]] = None
        self.summary = Summary(addition.answered, addition.unanswered, reading=reader.notes)

    def __iter__(self) -> Iterator[Rows]:
        for chunk, answers in self._answered():
            yield self._rows(chunk, answers)

    def write(self, output: str | None, open_output: Any, progress: Callable[[int], object]) -> Summary:
        """Write all rows.

        Parameters
        ----------
        output : str or None
            Where; see `open_writer`.
        open_output : callable
            `open_writer`, or another that takes output, columns, types and input, and gives what takes `Rows`.
        progress : callable
            Called with the number of rows done so far, after every chunk.
        """
        if self._options.resume:
            self._store = AnswerStore.of_run(output, self._reader, self._options, self._addition.depends_on())
        with open_output(output, self.columns, self.types, self._reader.path) as writer:
            for rows in self:
                writer.write(rows)
                progress(self.summary.rows)
        if self._store is not None:
            self._store.remove()
        return self.summary

    def _answered(self) -> Iterator[tuple[Chunk, Answers]]:
        given = self._reader, self._addition, self._needed, self._options
        if self._options.engine == "local":
            return answered_here(*given, self._store)
        if self._reader.again is None:
            raise ExLMError("--engine ray reads its input twice, which stdin and pipes cannot; write it to a file")
        if self._addition.again is None:
            raise ExLMError("--engine ray needs a model by its name or directory, which every worker loads")
        try:
            from exlm_chem.tables.engines.ray import answered_by_ray
        except ImportError:
            raise ExLMError("--engine ray needs Ray Data; run: pip install 'exlm-chem[ray]'") from None
        return answered_by_ray(*given)

    def _rows(self, chunk: Chunk, answers: Answers) -> Rows:
        kept, texts = [], []
        for row, record in enumerate(chunk):
            errors = [record.error] if record.error is not None else answers.errors(row)
            notes = answers.notes(row) if record.note is None else [record.note, *answers.notes(row)]
            note, error = "; ".join(notes) or None, "; ".join(errors) or None
            self._count(record, note, error)
            if error is None or self._options.on_invalid == "flag":
                kept.append(row)
                texts.append([*(answers.used(row, rule) for rule in self._rules), note, error])
        others = [[column[row] for column in answers.cells] for row in kept]
        molecules = [answers.readings[0].molecules[row].smiles for row in kept]
        return Rows([chunk[row].cells for row in kept], answers.values[kept], others, texts, molecules)

    def _count(self, record: Record, note: str | None, error: str | None) -> None:
        if error is not None and self._options.on_invalid == "raise":
            raise ExLMError(f"{self._reader.name}, line {record.line}: {error}")
        self.summary.rows += 1
        self.summary.notes.update([] if note is None else map(_kind, _QUOTED.sub("''", note).split("; ")))
        if error is not None:
            self.summary.fail(error)


def _needed(reader: MoleculeReader, name: str) -> int:
    try:
        return reader.column(name)
    except ExLMError as error:
        raise ExLMError(
            f"{error}; the predictor reads it besides the molecules, and --extra {quoted(f'{name}=VALUE')} gives all "
            "rows the same"
        ) from None


def _kind(text: str) -> str:
    """Give the kind of a reason or note, without what is only true of its row.

    Examples
    --------
    >>> _kind("not SMILES at position 1: ring closure 1 is never closed")
    'not SMILES'
    """
    return re.sub(r" at position \d+", "", text.partition(":")[0])


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"

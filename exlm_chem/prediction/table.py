"""Predictions for a whole file: a stream of tables, one output row per input row, in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from exlm_chem.errors import ExLMError
from exlm_chem.predictors.predictor import Predictor, load_predictors, predict_all
from exlm_chem.tables.formats import Record
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.writers import OpenWriter, open_writer
from exlm_chem.terms import OnInvalid

CHUNK_SIZE = 1000


@dataclass(slots=True)
class Summary:
    """How many rows went through, and why some have no answer.

    Examples
    --------
    >>> print(Summary(rows=3, failed=1, reasons=Counter({"no SMILES in this row": 1})))
    3 rows, 2 predicted, 1 without a value (1 no SMILES in this row)
    """

    rows: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    reading: list[str] = field(default_factory=list)
    """What was guessed about the file."""
    notes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        text = f"{_rows(self.rows)}, {self.rows - self.failed:,} predicted"
        if self.failed:
            text += f", {self.failed:,} without a value ({_listed(self.reasons)})"
        return text + "".join(f"; in {_rows(count)}, {note}" for note, count in self.notes.most_common())


class PredictionTable:
    """The rows of a file with the columns of some predictors behind them, in chunks.

    Parameters
    ----------
    reader : MoleculeReader
        The input.
    predictors : sequence of Predictor
        Those with the same encoder share its pass.
    on_invalid : {"flag", "skip", "raise"}
        See `OnInvalid`.
    chunk_size : int
        Rows that are in memory at a time.

    Attributes
    ----------
    columns : list of str
        The input's columns, and ours. Where a name of ours is taken, it gets the predictor's name as prefix.
    types : list
        Types of the columns, for `open_writer`.
    summary : Summary
        Complete when all rows have been taken.
    """

    def __init__(
        self,
        reader: MoleculeReader,
        predictors: Sequence[Predictor],
        on_invalid: OnInvalid = "flag",
        chunk_size: int = CHUNK_SIZE,
    ) -> None:
        if on_invalid not in get_args(OnInvalid):
            raise ExLMError(f"on_invalid must be flag, skip or raise, not '{on_invalid}'")
        if chunk_size < 1:
            raise ExLMError(f"a chunk must have at least one row, not {chunk_size}")
        self._reader, self._predictors = reader, predictors
        self._on_invalid, self._chunk_size = on_invalid, chunk_size
        self._rules = list(dict.fromkeys(p.task.standardise for p in predictors if p.task.standardise != "none"))
        self.summary = Summary(reading=reader.notes)
        self.columns = list(reader.columns)
        self.types: list[Any] = list(reader.types or [str] * len(reader.columns))
        for predictor in predictors:
            for name in predictor.columns:
                self._add(name, predictor.task.name, float)
        everyone = predictors[0].task.name if len(predictors) == 1 else "exlm"
        for rule in self._rules:
            self._add("smiles_used" if len(self._rules) == 1 else f"smiles_used_{rule}", everyone, str)
        self._add("error", everyone, str)

    def _add(self, name: str, prefix: str, kind: type) -> None:
        free, count = name, 1
        while free in self.columns:
            free = f"{prefix}_{name}" if count == 1 else f"{prefix}_{name}_{count}"
            count += 1
        self.columns.append(free)
        self.types.append(kind)

    def __iter__(self) -> Iterator[list[list[Any]]]:
        records = iter(self._reader)
        while chunk := list(islice(records, self._chunk_size)):
            yield self._predict(chunk)

    def _predict(self, chunk: list[Record]) -> list[list[Any]]:
        # a row that is wrong as a row has no molecule that could be trusted
        texts = [record.smiles if record.error is None else None for record in chunk]
        predictions = predict_all(self._predictors, texts)
        columns = [
            prediction.values[:, i].tolist() for prediction in predictions for i in range(prediction.values.shape[1])
        ]
        by_rule = {p.task.standardise: prediction for p, prediction in zip(self._predictors, predictions, strict=True)}
        rows = []
        for index, record in enumerate(chunk):
            molecules = [prediction.molecules[index] for prediction in predictions]
            error = record.error or self._reason([molecule.error for molecule in molecules])
            self.summary.rows += 1
            if error is None:
                self.summary.notes.update({_category(m.note) for m in molecules if m.note is not None})
            else:
                if self._on_invalid == "raise":
                    raise ExLMError(f"{self._reader.name}, line {record.line}: {error}")
                self.summary.failed += 1
                self.summary.reasons[_category(error)] += 1
                if self._on_invalid == "skip":
                    continue
            used = [by_rule[rule].molecules[index] for rule in self._rules]
            rows.append(
                [
                    *record.cells,
                    *(column[index] for column in columns),
                    *(molecule.smiles if molecule.changed else None for molecule in used),
                    error,
                ]
            )
        return rows

    def _reason(self, errors: list[str | None]) -> str | None:
        """Join the reasons of the predictors; mostly it is one, because all read the same molecule."""
        if len(set(errors)) == 1:
            return errors[0]
        named = zip(self._predictors, errors, strict=True)
        return "; ".join(f"{predictor.task.name}: {error}" for predictor, error in named if error is not None)


def predict_file(
    molecules: Path | Sequence[str],
    predictors: Sequence[Predictor | str | Path],
    output: str | Path | None = None,
    *,
    reading: ReadOptions | str | None = None,
    on_invalid: OnInvalid = "flag",
    chunk_size: int = CHUNK_SIZE,
    device: str = "auto",
    progress: Callable[[int], object] | None = None,
    open_output: OpenWriter = open_writer,
) -> Summary:
    """Predict the properties of the molecules of a file, in constant memory.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    predictors : sequence of Predictor, str or Path
        Predictors, or names or directories to load them from.
    output : str or Path, optional
        See `open_writer`; CSV on stdout by default. Never the input.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    on_invalid, chunk_size
        See `PredictionTable`.
    device : str
        Where predictors that are loaded here run; see `ExLM`.
    progress : callable, optional
        Called with the number of rows done so far, after every chunk.
    open_output : callable
        Opens something else than `open_writer` does, with the same parameters.

    Returns
    -------
    Summary
        The numbers of rows with and without an answer.

    Raises
    ------
    ExLMError
        In one sentence, and without an output file.
    """
    with MoleculeReader(molecules, reading) as reader:
        table = PredictionTable(reader, _loaded(predictors, device), on_invalid, chunk_size)
        target = None if output is None else str(output)
        with open_output(target, table.columns, table.types, reader.path) as writer:
            for rows in table:
                writer.write(rows)
                if progress is not None:
                    progress(table.summary.rows)
    return table.summary


def _loaded(predictors: Sequence[Predictor | str | Path], device: str) -> list[Predictor]:
    if not predictors:
        raise ExLMError("no predictor is given; name at least one task or directory")
    loaded = load_predictors([one for one in predictors if not isinstance(one, Predictor)], device)
    return [one if isinstance(one, Predictor) else loaded.pop(0) for one in predictors]


def _category(reason: str) -> str:
    """Give the kind of a reason, without the numbers of its row: what stands before the colon and the position."""
    return re.sub(r" at position \d+", "", reason.partition(":")[0])


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"

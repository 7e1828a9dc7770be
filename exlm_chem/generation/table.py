"""Proposals for a whole file: a stream of tables, one row for each proposal, in the order of the molecules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from exlm_chem.errors import ExLMError
from exlm_chem.features.processes import killed_on_failure
from exlm_chem.generation.infill import Infiller, Proposal
from exlm_chem.generation.options import FillFileOptions
from exlm_chem.generation.report import marked_text
from exlm_chem.generation.template import pattern_of
from exlm_chem.prediction.report.both import PageText, with_page
from exlm_chem.predictors.loading import load_predictors
from exlm_chem.predictors.predictor import Predictor, predict_all
from exlm_chem.smiles.cells import EMPTY
from exlm_chem.smiles.molecule import Molecule
from exlm_chem.tables.answer_store import AnswerStore
from exlm_chem.tables.answers import Answers, Reading
from exlm_chem.tables.chunks import chunks_of
from exlm_chem.tables.formats.table import Record
from exlm_chem.tables.names import free_name
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import Rows, Summary
from exlm_chem.tables.writers import OpenWriter, open_writer

MEANINGS: Final = {
    "parent": "The molecule as it was given, with its masks or without.",
    "proposal": "The molecule with its masks filled.",
    "filled": "What stands in each mask.",
    "log_likelihood": "Log-probability of what stands in the masks, summed over all paths, in nats.",
    "valid": "Whether RDKit takes the proposal for a molecule.",
    "note": "What should be known about the row.",
    "error": "Why there is no proposal.",
}
"""Our columns, besides those of the predictors, which stand before "valid"."""

MOLECULES_AT_A_TIME: Final = 32
"""Molecules whose proposals go through the predictors together, and are kept together for `--resume`."""


def fill_file(
    molecules: Path | Sequence[str],
    infiller: Infiller | str | Path = "exlm-small",
    output: str | Path | None = None,
    options: FillFileOptions | None = None,
    *,
    predictors: Sequence[Predictor | str | Path] = (),
    reading: ReadOptions | str | None = None,
    progress: Callable[[int], object] = lambda _: None,
    open_output: OpenWriter = open_writer,
) -> Summary:
    """Fill the masks of the molecules of a file, in constant memory.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`; the column of the SMILES holds texts with ``[MASK]``, or molecules whose atoms the options
        name.
    infiller : Infiller, str or Path
        The model, or the name or directory to load it from.
    output : str or Path, optional
        See `open_writer`; CSV on stdout by default. The columns are those of the input, ``parent``, ``proposal``,
        ``filled``, ``log_likelihood``, those of the predictors, ``valid``, ``note`` and ``error``. Where a name is
        taken, ours gets the prefix ``fill_``. A molecule without a proposal has one row, with its reason.
    options : FillFileOptions, optional
        What is masked, how it is filled, and what happens to rows without a proposal.
    predictors : sequence of Predictor, str or Path
        What is predicted of valid proposals.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    progress : callable, optional
        Called with the number of molecules done so far.
    open_output : callable
        Opens something else than `open_writer` does, with the same parameters.

    Returns
    -------
    Summary
        The numbers of molecules with and without a proposal.

    Raises
    ------
    ExLMError
        In one sentence, and without an output file.
    """
    options = options or FillFileOptions()
    with MoleculeReader(molecules, reading) as reader, killed_on_failure():
        if not isinstance(infiller, Infiller):
            infiller = Infiller.from_pretrained(infiller, options.device)
        table = _FilledRows(reader, infiller, load_predictors(predictors, options.device), options)
        path = None if output is None else str(output)
        if options.resume:
            table.store = AnswerStore.of_run(path, reader, options, table.made_by)
        text = PageText("Proposals for masked places", table.described, table.given)
        open_output = with_page(open_output, options.report, lambda *_: text, table.summary)
        with open_output(path, table.columns, table.types, reader.path) as writer:
            for rows in table:
                writer.write(rows)
                progress(table.summary.rows)
        if table.store is not None:
            table.store.remove()
    return table.summary


@dataclass(frozen=True, slots=True)
class _Line:
    """What is told of a proposal."""

    smiles: str
    filled: str
    log_likelihood: float
    valid: bool
    marked: str
    predicted: list[float]

    @classmethod
    def of(cls, one: Proposal, predicted: list[float], report: str | None) -> Self:
        marked = marked_text(one) if report else ""
        return cls(one.smiles, " ".join(one.filled), one.log_likelihood, one.valid, marked, predicted)


class _FilledRows:
    """The rows of a result, for one molecule after the other."""

    store: AnswerStore | None = None
    """What an earlier run has finished."""

    def __init__(
        self, reader: MoleculeReader, infiller: Infiller, predictors: list[Predictor], options: FillFileOptions
    ) -> None:
        self._reader, self._infiller, self._predictors, self._options = reader, infiller, predictors, options
        if options.smarts is not None:
            pattern_of(options.smarts)  # what is wrong with it is no fault of a row
        # SMILES of the command line have no columns of their own: "parent" says what they are.
        given = [] if reader.path is None else list(reader.columns)
        predicted = [column for one in predictors for column in one.task.columns]
        own = [*list(MEANINGS)[:4], *(column.name for column in predicted), *list(MEANINGS)[4:]]
        self.given = len(given)
        self.columns = given.copy()
        for name in own:
            self.columns.append(free_name(name, self.columns, "fill_"))
        given_types: list[Any] = (reader.types or [str] * len(given)) if given else []
        own_types = [str] * 3 + [float] * (1 + len(predicted)) + [str] * 3
        self.types = [*given_types, *own_types]
        meanings = {column.name: column.meaning for column in predicted} | MEANINGS
        units = {column.name: column.unit for column in predicted}
        self.described = [
            {"name": name, "type": "str", "unit": "", "meaning": "As it was given."} for name in given
        ] + [
            {"name": name, "type": kind.__name__, "unit": units.get(word, ""), "meaning": meanings[word]}
            for name, word, kind in zip(self.columns[len(given) :], own, own_types, strict=True)
        ]
        self.summary = Summary("filled", "without a proposal", reading=reader.notes)

    def __iter__(self) -> Iterator[Rows]:
        made = valid = 0
        for number, chunk in enumerate(chunks_of(self._reader, MOLECULES_AT_A_TIME)):
            begin = partial(partial, self._answers, chunk)  # nothing is begun that is not finished at once
            answers = (begin() if self.store is None else self.store.begin(number, begin))()
            for row, record in enumerate(chunk):
                lines = [_Line(*line) for line in answers.cells[0][row]]
                made, valid = made + len(lines), valid + sum(line.valid for line in lines)
                self.summary.rows += 1
                self.summary.answered = f"filled by {made:,} proposals, {valid:,} of them valid"
                error = next(iter(answers.errors(row)), None)
                if error is not None:
                    self._count(record, error)
                if error is None or self._options.on_invalid == "flag":
                    yield self._rows(record, lines, next(iter(answers.notes(row)), None), error)

    def _answers(self, chunk: Sequence[Record]) -> Answers:
        """Fill some molecules: for each of them the lines of its proposals, a note, and why there are none."""
        filled = [self._filled(record) for record in chunk]
        proposals = [one for some, _ in filled for one in some]
        # Valid proposals of all these molecules go through the predictors together.
        valid = [one.canonical if one.valid else None for one in proposals]
        predicted = [one.values for one in predict_all(self._predictors, valid)] if proposals else []
        values = iter(np.concatenate([np.empty((len(proposals), 0)), *predicted], axis=1).tolist())
        lines = [[astuple(_Line.of(one, next(values), self._options.report)) for one in some] for some, _ in filled]
        return Answers(
            np.empty((len(chunk), 0), np.float32), [Reading("", "none", [one for _, one in filled])], [lines]
        )

    def _filled(self, record: Record) -> tuple[list[Proposal], Molecule]:
        """Give the proposals of a row, and with a note why there are no more or none."""
        if record.error is not None or not (record.smiles or "").strip():
            return [], Molecule("", record.error or EMPTY, record.note)
        try:
            proposals = self._infiller.fill(record.smiles or "", self._options)
        except ExLMError as failure:
            return [], Molecule("", str(failure), record.note)
        kind = "valid proposals" if self._options.valid_only else "proposals"
        note = record.note
        if len(proposals) < self._options.number:
            note = "; ".join(filter(None, (note, f"no more than {len(proposals)} {kind} were found")))
        return proposals, Molecule("", None if proposals else f"no {kind} were found", note)

    def _rows(self, record: Record, lines: list[_Line], note: str | None, error: str | None) -> Rows:
        cells = record.cells if self.given else []
        values = np.full((max(len(lines), 1), self._width), np.nan, np.float32)
        for row, line in zip(values, lines, strict=False):
            row[:] = line.log_likelihood, *line.predicted
        return Rows(
            [[*cells, record.smiles, line.smiles, line.filled] for line in lines]
            or [[*cells, record.smiles, None, None]],
            values,
            [[]] * len(values),
            [["yes" if line.valid else "no", note, error] for line in lines] or [[None, note, error]],
            [line.marked for line in lines] or [""],
        )

    @property
    def made_by(self) -> list[Any]:
        """What the proposals and what stands beside them come from."""
        predictors = [[one.encoder.fingerprint, one.task.to_json()] for one in self._predictors]
        return [self._infiller.fingerprint, predictors]

    @property
    def _width(self) -> int:
        return 1 + sum(len(one.columns) for one in self._predictors)

    def _count(self, record: Record, error: str) -> None:
        if self._options.on_invalid == "raise":
            raise ExLMError(f"{self._reader.name}, line {record.line}: {error}")
        self.summary.fail(error)

"""Predictions for a whole file: a stream of tables, one output row per input row, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exlm_chem.errors import ExLMError
from exlm_chem.features.processes import killed_on_failure
from exlm_chem.prediction.columns import PredictionColumns, write_descriptions
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.predictors.loading import load_predictors
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.storage import is_special
from exlm_chem.tables.outputs import refuse_input
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import ResultTable, Summary
from exlm_chem.tables.writers import OpenWriter, TableWriter, open_writer

if TYPE_CHECKING:  # templates and drawings, which only a report needs
    from exlm_chem.prediction.report.page import Report


def predict_file(
    molecules: Path | Sequence[str],
    predictors: Sequence[Predictor | str | Path],
    output: str | Path | None = None,
    options: PredictionOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    progress: Callable[[int], object] = lambda _: None,
    open_output: OpenWriter = open_writer,
) -> Summary:
    """Predict the properties of the molecules of a file, in constant memory.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    predictors : sequence of Predictor, str or Path
        Predictors, or names or directories to load them from. Those with the same encoder share its pass.
    output : str or Path, optional
        See `open_writer`; CSV on stdout by default. Never the input. The columns are those of the input, for every
        predictor its numbers and what stands beside them, ``smiles_used`` if one has a rule of standardisation,
        ``note`` and ``error``. Where a name is taken, ours gets the predictor's name as prefix. What each column means
        is written into a file of that name with ``.columns.json`` behind it.
    options : PredictionOptions, optional
        What stands beside the numbers, what happens to rows without an answer, and where predictors that are loaded
        here run.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
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
    options = options or PredictionOptions()
    if not predictors:
        raise ExLMError("no predictor is given; name at least one task or directory")
    with MoleculeReader(molecules, reading) as reader, killed_on_failure():
        loaded = load_predictors(predictors, options.device, options.backend, options.precision)
        columns = PredictionColumns(loaded, options)
        table = ResultTable(reader, columns.addition(), options)
        if options.report is not None:
            open_output = _with_report(open_output, options.report, columns, table)
        summary = table.write(None if output is None else str(output), open_output, progress)
        if output is not None and not is_special(output):
            write_descriptions(str(output), columns.describe(table.columns))
        return summary


def _with_report(opened: OpenWriter, path: str, columns: PredictionColumns, table: ResultTable) -> OpenWriter:
    """Let the rows of a table make a page too."""
    from exlm_chem.prediction.report.page import open_report

    @contextmanager
    def open_both(
        output: str | None, names: Sequence[str], types: Sequence[Any] | None = None, source: str | None = None, /
    ) -> Iterator[TableWriter]:
        refuse_input(path, source)
        given = len(names) - columns.count
        described, measured = columns.describe(names), columns.measured(names)
        with opened(output, names, types, source) as writer, open_report(described, given, measured) as report:
            yield _Both(writer, report)
            names_of = ", ".join(dict.fromkeys(name for _, name in columns.columns))
            where = f" for {Path(source).name}" if source else ""
            report.finish(path, f"Predictions of {names_of}{where}", str(table.summary))

    return open_both


@dataclass(frozen=True)
class _Both:
    """What takes the rows of a table twice."""

    first: TableWriter
    second: Report

    def write(self, rows: Any) -> None:
        self.first.write(rows)
        self.second.write(rows)

"""Predictions for a whole file: a stream of tables, one output row per input row, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from exlm_chem.errors import ExLMError
from exlm_chem.features.processes import killed_on_failure
from exlm_chem.locations import portable
from exlm_chem.prediction.columns import PredictionColumns, write_descriptions
from exlm_chem.prediction.options import DRUGS, PredictionOptions
from exlm_chem.prediction.report.both import PageText, with_page
from exlm_chem.predictors.loading import load_predictors
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.storage import is_special
from exlm_chem.tables.addition import Addition
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import ResultTable, Summary
from exlm_chem.tables.writers import OpenWriter, open_writer


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
        columns = _columns(predictors, options)
        addition = replace(columns.addition(), again=_again(predictors, options))
        table = ResultTable(reader, addition, options)
        table.summary.reading += columns.notes
        open_output = with_page(open_output, options.report, partial(_page_text, columns), table.summary)
        summary = table.write(None if output is None else str(output), open_output, progress)
        if output is not None and not is_special(output):
            write_descriptions(str(output), columns.describe(table.columns))
        return summary


def _columns(predictors: Sequence[Predictor | str | Path], options: PredictionOptions) -> PredictionColumns:
    loaded = load_predictors(predictors, options.device, options.backend, options.precision)
    return PredictionColumns(loaded, options)


def _again(predictors: Sequence[Predictor | str | Path], options: PredictionOptions) -> Callable[[], Addition] | None:
    """Give what another process makes the columns by; nothing if a predictor has no name."""
    names = [one for one in predictors if not isinstance(one, Predictor)]
    if len(names) < len(predictors):
        return None
    if options.reference not in (None, DRUGS):
        options = replace(options, reference=str(Path(str(options.reference)).absolute()))
    return partial(_addition, [portable(name) for name in names], options)


def _addition(names: Sequence[str | Path], options: PredictionOptions) -> Addition:
    return _columns(names, options).addition()


def _page_text(columns: PredictionColumns, names: Sequence[str], source: str | None) -> PageText:
    predicted = ", ".join(dict.fromkeys(name for _, name in columns.columns))
    title = f"Predictions of {predicted}" + (f" for {Path(source).name}" if source else "")
    return PageText(title, columns.describe(names), len(names) - columns.count, columns.measured(names))

"""Predictions for a whole file: a stream of tables, one output row per input row, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from exlm_chem.errors import ExLMError
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.predictors.predictor import Predictor, load_predictors, predict_all
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import Addition, Answers, Reading, ResultTable, Summary
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
        See `open_writer`; CSV on stdout by default. Never the input. The columns are those of the input and of the
        predictors, ``smiles_used`` if one has a rule of standardisation, ``note`` and ``error``. Where a name is
        taken, ours gets the predictor's name as prefix.
    options : PredictionOptions, optional
        What happens to rows without an answer, and where predictors that are loaded here run.
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
    with MoleculeReader(molecules, reading) as reader:
        table = ResultTable(reader, predictions(_loaded(predictors, options.device)), options)
        return table.write(None if output is None else str(output), open_output, progress)


def predictions(predictors: Sequence[Predictor]) -> Addition:
    """Say what some predictors add to the rows of a file.

    Examples
    --------
    >>> predictions([Predictor.from_pretrained("bbbp", device="cpu")]).columns
    [('bbbp', 'bbbp', <class 'float'>)]
    """

    def answer(smiles: Sequence[str | None]) -> Answers:
        made = list(zip(predictors, predict_all(predictors, smiles), strict=True))
        readings = [Reading(one.task.name, one.task.standardise, prediction.molecules) for one, prediction in made]
        return Answers(np.hstack([prediction.values for _, prediction in made]), readings)

    return Addition(
        name=predictors[0].task.name if len(predictors) == 1 else "exlm",
        columns=[(column, one.task.name, float) for one in predictors for column in one.columns],
        rules=[one.task.standardise for one in predictors],
        answer=answer,
        answered="predicted",
        unanswered="without a value",
    )


def _loaded(predictors: Sequence[Predictor | str | Path], device: str) -> list[Predictor]:
    if not predictors:
        raise ExLMError("no predictor is given; name at least one task or directory")
    loaded = load_predictors([one for one in predictors if not isinstance(one, Predictor)], device)
    return [one if isinstance(one, Predictor) else loaded.pop(0) for one in predictors]

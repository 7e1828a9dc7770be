"""The compounds of a file that are worth measuring next, by what a predictor says and how sure it is."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.bit_vectors import bit_vectors
from exlm_chem.features.processes import killed_on_failure
from exlm_chem.heads.conformal import interval_radius
from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option
from exlm_chem.prediction.acquisition import expected_improvement, upper_bound
from exlm_chem.prediction.columns import PredictionColumns
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.tables.names import free_name
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.results import ResultTable, Summary
from exlm_chem.tables.writers import OpenWriter, open_writer

POOL: Final = 20
"""Among how many times as many of the best ones different ones are looked for."""

_ONE_SIGMA: Final = 0.6827


@documented
@dataclass(frozen=True, kw_only=True)
class RankingOptions:
    """Which compounds come first."""

    by: Literal["mean", "ucb", "ei"] = option(
        "mean", "The prediction; what it may well be (ucb, mean + kappa spreads); or the expected improvement (ei)."
    )
    number: int = option(96, "How many compounds.", short="-n", least=1, most=100_000)
    diverse: bool = option(False, "Take none that is like one before it.")
    distance: float = option(0.6, "What --diverse calls unlike: a Tanimoto distance of ECFP4.", above=0, below=1)
    kappa: float = option(1.0, "How many spreads ucb adds.", least=0, most=100)
    column: str | None = option(None, "Which column of the predictor, if it has several.", metavar="NAME")
    maximize: bool = option(False, "More is better, whatever the task says.")
    minimize: bool = option(False, "Less is better, whatever the task says.")
    skip_known: bool = option(False, "Leave out what the predictor was trained on.")
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")

    def __post_init__(self) -> None:
        check_options(self)
        checked_device(self.device)
        if self.maximize and self.minimize:
            raise ExLMError("--maximize and --minimize exclude each other; give one of them")


def rank_file(
    molecules: Path | Sequence[str],
    predictor: Predictor | str | Path,
    output: str | Path | None = None,
    options: RankingOptions | None = None,
    *,
    reading: ReadOptions | str | None = None,
    progress: Callable[[int], object] = lambda _: None,
    open_output: OpenWriter = open_writer,
) -> Summary:
    """Choose the compounds of a file that are worth measuring next.

    Only the best ones are kept in memory, however long the file is. A molecule that occurs several times counts once,
    by its best row.

    Parameters
    ----------
    molecules : Path or sequence of str
        See `MoleculeReader`.
    predictor : Predictor, str or Path
        A predictor, or its name or directory.
    output : str or Path, optional
        See `open_writer`; CSV on stdout by default. The best row first: ``rank`` and ``score`` before the columns of
        the input and of the prediction.
    options : RankingOptions, optional
        What is best.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    progress : callable, optional
        Called with the number of rows done so far.
    open_output : callable
        Opens something else than `open_writer` does, with the same parameters.

    Returns
    -------
    Summary
        Of all rows; its `reading` says what should be known about the choice.

    Raises
    ------
    ExLMError
        In one sentence, and without an output file.
    """
    options = options or RankingOptions()
    if not isinstance(predictor, Predictor):
        predictor = Predictor.from_pretrained(predictor, options.device)
    with MoleculeReader(molecules, reading) as reader, killed_on_failure():
        shown = ("spread", "novelty") if options.skip_known else ("spread",)
        settings = PredictionOptions(columns=shown, on_invalid="skip", device=options.device)
        columns = PredictionColumns([predictor], settings)
        table = ResultTable(reader, columns.addition(), settings)
        places = {column.name: len(reader.columns) + place for place, (column, _) in enumerate(columns.columns)}
        scoring = _Scoring(predictor, options, places)
        best = _Best(options.number * (POOL if options.diverse else 1))
        for rows in table:
            for row, score, molecule in zip(rows, scoring.scores(list(rows)), rows.molecules, strict=True):
                if not math.isnan(score):
                    best.offer(score, molecule, row)
            progress(table.summary.rows)
        chosen = _unlike(best.ordered(), options) if options.diverse else best.ordered()
        summary = table.summary
        summary.reading += scoring.notes
        if options.diverse and len(chosen) < options.number:
            summary.reading.append(
                f"{len(chosen):,} compounds are {options.distance:g} apart among the {len(best.ordered()):,} best; "
                "for more, give a smaller --distance"
            )
        names = [free_name(name, table.columns, f"{predictor.task.name}_") for name in ("rank", "score")]
        path = None if output is None else str(output)
        with open_output(path, [*names, *table.columns], [int, float, *table.types], reader.path) as writer:
            writer.write([[place, score, *row] for place, (score, _, row) in enumerate(chosen, 1)])
    return summary


class _Scoring:
    """Turns rows of a prediction into scores, more is better."""

    def __init__(self, predictor: Predictor, options: RankingOptions, places: dict[str, int]) -> None:
        task = predictor.task
        if options.column is None and len(task.columns) > 1:
            raise ExLMError(
                f"'{task.name}' has several columns; name one with --column: {', '.join(predictor.columns)}"
            )
        name = options.column or predictor.columns[0]
        if name not in predictor.columns:
            raise ExLMError(f"'{task.name}' has no column {quoted(name)}; it has {', '.join(predictor.columns)}")
        index = predictor.columns.index(name)
        direction = "higher" if options.maximize else "lower" if options.minimize else task.columns[index].direction
        if direction == "none":
            raise ExLMError(
                f"'{task.name}' does not say whether more of {name} is better; give --maximize or --minimize"
            )
        self.notes: list[str] = []
        self._options, self._sign = options, 1 if direction == "higher" else -1
        self._value, self._spread = places[name], places.get(f"{name}_spread")
        self._known = places.get(f"{task.name}_in_training")
        self._constant, self._best = 0.0, 0.0
        if options.by == "mean":
            return
        training = predictor.training
        if options.by == "ei":
            if task.kind == "classification" or training is None:
                raise ExLMError("ei needs the best measured number of the training molecules; rank by ucb or mean")
            self._best = float(np.nanmax(self._sign * training.values[:, index].astype(np.float64)))
        if self._spread is None:
            if task.kind == "classification" or training is None:
                raise ExLMError(f"'{task.name}' has no members whose spread would say how sure it is; rank by mean")
            known, guessed = (one[:, index].astype(np.float64) for one in (training.values, training.out_of_fold))
            self._constant = interval_radius(known, guessed, _ONE_SIGMA)
            self.notes.append(
                f"'{task.name}' has no members whose spread would say how sure it is of a molecule: all have the same "
                f"uncertainty ({self._constant:.3g}, half of its interval of 68 %), and the order is that of the mean"
            )

    def scores(self, rows: list[list[Any]]) -> list[float]:
        """Give one score for each row; NaN for one that cannot be chosen."""
        left_out = [self._options.skip_known and row[self._known or 0] == "yes" for row in rows]
        mean = self._sign * self._numbers(rows, self._value)
        spread = np.full(len(rows), self._constant) if self._spread is None else self._numbers(rows, self._spread)
        if self._options.by == "ucb":
            mean = upper_bound(mean, spread, self._options.kappa)
        elif self._options.by == "ei":
            mean = expected_improvement(mean, spread, self._best)
        scores: list[float] = np.where(left_out, np.nan, mean).tolist()
        return scores

    def _numbers(self, rows: list[list[Any]], place: int) -> Any:
        return np.array([np.nan if row[place] is None else row[place] for row in rows], np.float64)


_Item = tuple[float, int, str, list[Any]]


class _Best:
    """The best rows so far, each molecule once, with its best row; of equal ones the first.

    Examples
    --------
    >>> best = _Best(2)
    >>> for score, molecule in ((1.0, "C"), (3.0, "CC"), (1.0, "C"), (2.0, "CCC")):
    ...     best.offer(score, molecule, [molecule])
    >>> [row for _, _, row in best.ordered()]
    [['CC'], ['CCC']]
    """

    def __init__(self, most: int) -> None:
        self._most, self._offered = most, 0
        self._heap: list[_Item] = []  # with those in whose place a better row of the molecule has come
        self._inside: dict[str, _Item] = {}

    def offer(self, score: float, molecule: str, row: list[Any]) -> None:
        """Take a row if it is among the best."""
        self._offered += 1
        item, old = (score, -self._offered, molecule, row), self._inside.get(molecule)
        if old is not None:  # a hair is no difference: it comes from the company in which a molecule is computed
            if score <= old[0] or math.isclose(score, old[0], rel_tol=1e-5):
                return
        elif len(self._inside) == self._most:
            while self._inside.get(self._heap[0][2]) is not self._heap[0]:
                heapq.heappop(self._heap)
            if item < self._heap[0]:
                return
            del self._inside[heapq.heappop(self._heap)[2]]
        self._inside[molecule] = item
        heapq.heappush(self._heap, item)
        if len(self._heap) > 2 * self._most:
            self._heap = sorted(self._inside.values())

    def ordered(self) -> list[tuple[float, str, list[Any]]]:
        """Give score, molecule and row of all, the best first."""
        return [(score, molecule, row) for score, _, molecule, row in sorted(self._inside.values(), reverse=True)]


def _unlike(ordered: list[tuple[float, str, list[Any]]], options: RankingOptions) -> list[tuple[float, str, list[Any]]]:
    """Take from the top what is so far from all that was taken before, with RDKit's leader picker."""
    from rdkit.SimDivFilters.rdSimDivPickers import LeaderPicker

    vectors = bit_vectors([molecule for _, molecule, _ in ordered])
    places = [place for place, one in enumerate(vectors) if one is not None]
    if not places:
        return []
    prints = [vectors[place] for place in places]
    most = min(options.number, len(prints))
    picked = LeaderPicker().LazyBitVectorPick(prints, len(prints), options.distance, most)
    return [ordered[places[place]] for place in picked]

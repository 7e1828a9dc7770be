"""The columns of a prediction: for each predictor its numbers, and behind them what its stages add."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.features.columns import ColumnsBlock
from exlm_chem.features.compute import FeatureCache, compute_blocks
from exlm_chem.features.exlm import ExlmBlock
from exlm_chem.prediction.explanation.attribution import ExplainedModel
from exlm_chem.prediction.options import DRUGS, PredictionOptions
from exlm_chem.prediction.report.figures import Measured
from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.registry import make_stages
from exlm_chem.prediction.stages.stage import Column, Molecules, Rows, Stage
from exlm_chem.predictors.predictor import (
    NO_COLUMNS,
    Prediction,
    Predictor,
    members_of,
    predict_all,
    start_predictions,
)
from exlm_chem.storage import write_json
from exlm_chem.tables.addition import Addition
from exlm_chem.tables.answers import Answers, Reading
from exlm_chem.tables.columns import listed
from exlm_chem.tables.reader import MoleculeReader

_CHUNK: Final = 1000

LAST: Final = (
    Column("note", "What was left aside or guessed in this row, without harm to the answer.", type=str),
    Column("error", "Why there is no answer for this row.", type=str),
)
USED: Final = "The molecule that was predicted, where the predictor's rule made another one of the row's."


class PredictionColumns:
    """What some predictors and their stages say about molecules.

    Parameters
    ----------
    predictors : sequence of Predictor
        Those with the same encoder share its pass.
    options : PredictionOptions, optional
        Which stages, and what they promise.

    Attributes
    ----------
    columns : list of (Column, str)
        All of them, each with the name of its predictor.
    needs : list of str
        The columns of a table that are read besides the molecules.
    notes : list of str
        What was guessed about the file of molecules to compare with.

    Examples
    --------
    >>> columns = PredictionColumns([Predictor.from_pretrained("bbbp", device="cpu")])
    >>> [column.name for column, _ in columns.columns]
    ['bbbp', 'bbbp_class', 'bbbp_in_domain']
    """

    def __init__(self, predictors: Sequence[Predictor], options: PredictionOptions | None = None) -> None:
        options = options or PredictionOptions()
        settings = _settings(options)
        self._predictors, self.notes = predictors, list(settings.reference_notes)
        needed = [column.name for predictor in predictors for column in predictor.task.extra_columns]
        self._given = options.given
        self.needs = [name for name in dict.fromkeys(needed) if name not in self._given]
        for name in self._given:
            if name not in needed:
                known = f"those that are read are {listed(needed)}" if needed else "no predictor here reads any"
                raise ExLMError(f"--extra: no predictor reads a column {quoted(name)} besides the molecules; {known}")
        self._cache = FeatureCache()
        self._stages: list[list[Stage]] = []
        self.columns: list[tuple[Column, str]] = []
        for index, (predictor, predict) in enumerate(zip(predictors, _together(predictors), strict=True)):
            background = background_of(predictor, predict)
            stages = make_stages(options.chosen, background, settings, options.added, first=index == 0)
            self._stages.append(stages)
            own = [Column(one.name, one.meaning, one.unit) for one in predictor.task.columns]
            added = [column for stage in stages for column in stage.columns]
            self.columns += [(column, predictor.task.name) for column in (*own, *added)]

    def begin(
        self, smiles: Sequence[str | None], cells: Mapping[str, Sequence[Any]] = NO_COLUMNS
    ) -> Callable[[], Answers]:
        """Begin to predict some molecules; what this gives waits for that, and gives their cells.

        `cells` are those of the columns in `needs`.
        """
        extra = {**cells, **{name: [value] * len(smiles) for name, value in self._given.items()}}
        return partial(self._answer, start_predictions(self._predictors, smiles, extra, self._cache))

    def _answer(self, started: Callable[[], list[Prediction]]) -> Answers:
        predictions = started()
        molecules: dict[tuple[str, str], Molecules] = {}
        cells: list[list[Any]] = []
        for predictor, prediction, stages in zip(self._predictors, predictions, self._stages, strict=True):
            cells += prediction.values.T.tolist()
            if stages:
                key = predictor.encoder.fingerprint, predictor.task.standardise
                texts = [one.smiles for one in prediction.molecules]
                read = molecules.setdefault(key, Molecules(texts, cache=self._cache))
                read.learn(prediction.features)
                asked = any(stage.asks_members for stage in stages)
                rows = Rows(read, prediction.values, members_of(predictor, prediction) if asked else None)
                cells += [_without_failed(column, prediction) for stage in stages for column in stage.compute(rows)]
        readings = [
            Reading(one.task.name, one.task.standardise, prediction.molecules)
            for one, prediction in zip(self._predictors, predictions, strict=True)
        ]
        return Answers(np.empty((len(readings[0].molecules), 0), np.float32), readings, cells)

    def addition(self) -> Addition:
        """Say it for a table of results."""
        predictors = self._predictors
        return Addition(
            name=predictors[0].task.name if len(predictors) == 1 else "exlm",
            columns=[(column.name, prefix, column.type) for column, prefix in self.columns],
            rules=[one.task.standardise for one in predictors],
            begin=self.begin,
            answered="predicted",
            unanswered="without a value",
            needs=self.needs,
            depends_on=lambda: [[one.encoder.fingerprint, one.task.to_json()] for one in predictors],
        )

    def describe(self, names: Sequence[str]) -> list[dict[str, str]]:
        """Say what the columns of a table mean.

        Parameters
        ----------
        names : sequence of str
            All of the table, those of the input first and ours last, as they are called there.

        Returns
        -------
        list of dict
            For every column its name, type, unit and meaning.
        """
        given = [Column("", "As it was given.", type=str)] * (len(names) - self.count)
        own = [column for column, _ in self.columns]
        used = [Column("", USED, type=str)] * self._rules
        return [
            {"name": name, "type": column.type.__name__, "unit": column.unit, "meaning": column.meaning}
            for name, column in zip(names, (*given, *own, *used, *LAST), strict=True)
        ]

    @property
    def count(self) -> int:
        """How many columns of a table are not those of the input."""
        return len(self.columns) + self._rules + len(LAST)

    @property
    def _rules(self) -> int:
        return len({one.task.standardise for one in self._predictors} - {"none"})

    def measured(self, names: Sequence[str]) -> list[Measured]:
        """Find the predictions whose measured values stand in the same table, under the name of the training label.

        Parameters
        ----------
        names : sequence of str
            See `describe`.
        """
        given = list(names[: len(names) - self.count])
        places = iter(range(len(given), len(names)))
        found = []
        for predictor, stages in zip(self._predictors, self._stages, strict=True):
            for column in predictor.task.columns:
                place = next(places)
                if column.target in given:
                    found.append(
                        Measured(predictor.task.kind, column.name, given.index(column.target), place, column.transform)
                    )
            for stage in stages:
                for _ in stage.columns:
                    next(places)
        return found


def background_of(predictor: Predictor, predict: Callable[[Sequence[str]], Any]) -> Background:
    """Give what stages may know about a predictor; `predict` gives its numbers of other molecules."""
    task = predictor.task

    def outputs(text: str, vectors: Any, beside: Any = None) -> Any:
        others = [block for block in predictor.molecule_blocks if block.name != ExlmBlock.name]
        features = {name: np.repeat(row, len(vectors), axis=0) for name, row in compute_blocks([text], others).items()}
        if beside is not None:
            features[ColumnsBlock.name] = np.repeat(beside[None], len(vectors), axis=0)
        return predictor.head.scores({**features, ExlmBlock.name: vectors})

    beside = None if predictor.extra is None else predictor.extra.fingerprint
    reads_vectors = ExlmBlock.name in predictor.head.blocks
    model = ExplainedModel(predictor.encoder, task.pooling, outputs, beside, task.layer) if reads_vectors else None
    return Background(
        task.name,
        task.kind,
        task.columns,
        training=lambda: predictor.training,
        predict=None if predictor.extra is not None else predict,
        vectors=ExlmBlock(predictor.encoder, task.pooling, task.layer),
        explained=model,
        shares=predictor.head.member_shares,
    )


def _settings(options: PredictionOptions) -> StageSettings:
    alerts = options.alerts or StageSettings.alerts
    settings = StageSettings(options.coverage, options.conformal, alerts, options.explain)
    if options.reference is None:
        return settings
    path, name = Path(options.reference), f"of the molecules of {Path(options.reference).name}"
    if options.reference == DRUGS:
        path, name = data_path("drugs.smi.gz"), "of the approved drugs"
    with MoleculeReader(path) as reader:
        molecules = [record.smiles or "" for record in reader]
    return replace(settings, reference=molecules, reference_name=name, reference_notes=reader.notes)


def _together(predictors: Sequence[Predictor]) -> list[Callable[[Sequence[str]], Any]]:
    """Give what predicts other molecules by each predictor; by all of them as soon as one is asked."""

    @cache
    def values(texts: tuple[str, ...]) -> list[Any]:
        parts = [predict_all(predictors, texts[start : start + _CHUNK]) for start in range(0, len(texts), _CHUNK)]
        return [
            np.concatenate([np.empty((0, len(one.columns))), *(part[index].values for part in parts)])
            for index, one in enumerate(predictors)
        ]

    return [lambda texts, place=place: values(tuple(texts))[place] for place in range(len(predictors))]  # type: ignore[misc]


def write_descriptions(output: str, descriptions: list[dict[str, str]]) -> None:
    """Write what the columns of a table mean into ``OUTPUT.columns.json``."""
    write_json(f"{output}.columns.json", {"columns": descriptions})


def _without_failed(cells: list[Any], prediction: Prediction) -> list[Any]:
    """Leave the cells of rows without an answer empty, whatever a stage could say about the molecule."""
    return [None if one.error else cell for cell, one in zip(cells, prediction.molecules, strict=True)]

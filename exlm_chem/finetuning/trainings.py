"""The trainings of a run: one for every seed, each judged on the parts that it has not learnt from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.messages import Log
from exlm_chem.finetuning.methods.method import Fitted, Material, Report
from exlm_chem.finetuning.methods.registry import METHODS
from exlm_chem.finetuning.metrics import MAIN_METRIC, METRICS, BoundedLabels, evaluate, label_units
from exlm_chem.finetuning.predictions import predictions_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Training:
    """What one seed gave.

    Attributes
    ----------
    fitted : Fitted
        Encoder and head.
    outputs : array of shape (molecules, columns)
        What it predicts for all molecules of the dataset.
    facts : dict
        Its seed, its metrics and how it was trained, for ``run.json``.
    """

    fitted: Fitted
    outputs: NDArray[Any]
    facts: dict[str, Any]


def train(material: Material, seed: int, log: Log, report: Report) -> Training:
    """Train with one seed, and judge what comes of it."""
    started = time.monotonic()
    fitted = METHODS[material.options.method].train(material, seed, report)
    for sentence in fitted.said:
        log(sentence)
    return _judged(material, fitted, seed, started)


def train_seeds(material: Material, log: Log, report: Report) -> list[Training]:
    """Train with every seed that the options name."""
    options = material.options
    return [train(material, options.seed + number, log, report) for number in range(options.seeds)]


def combine(material: Material, trainings: Sequence[Training]) -> Training:
    """Make one of the trainings of several seeds, and judge it."""
    started = time.monotonic()
    fitted = METHODS[material.options.method].combine(material, [one.fitted for one in trainings])
    return _judged(material, fitted, material.options.seed, started)


def _judged(material: Material, fitted: Fitted, seed: int, started: float) -> Training:
    outputs = fitted.head.predict({**material.features, "exlm": fitted.vectors})
    seconds = round(time.monotonic() - started, 2)
    facts = {"seed": seed, **fitted.facts, "metrics": judge(material, outputs, seed), "seconds": seconds}
    return Training(fitted, outputs, facts)


def judge(material: Material, outputs: NDArray[Any], seed: int) -> dict[str, Any]:
    """Give the metrics of what is predicted for the validation and test parts."""
    task, labels, names = material.task, material.dataset.labels, [column.name for column in material.task.columns]
    judged = BoundedLabels(labels, material.dataset.bounds).meet(outputs.astype(np.float64))
    parts = (("valid", material.split.valid), ("test", material.split.test))
    return {part: evaluate(judged[members], labels[members], task.kind, names, seed) for part, members in parts}


def best_training(trainings: Sequence[Training], material: Material) -> Training:
    """Choose by the validation part, never by the test, and errors of several columns in their units.

    The first of equals is taken.
    """
    metric, split = MAIN_METRIC[material.task.kind], material.split
    sign = -1 if METRICS[metric].higher_is_better else 1
    units = label_units(material.dataset.labels[[*split.train, *split.valid]], material.task.kind)

    def badness(training: Training) -> float:
        valid = training.facts["metrics"]["valid"]
        if valid is None:
            return np.inf
        scores = [column[metric] for column in valid["columns"].values()]
        known = [score / unit for score, unit in zip(scores, units, strict=True) if score is not None]
        return sign * float(np.mean(known)) if known else np.inf

    return min(trainings, key=badness)


def predictions_of(material: Material, trainings: Sequence[Training], fold: int = 0) -> pd.DataFrame:
    """Give what trainings predict for the known labels of all parts, for ``predictions.csv``."""
    import pandas as pd

    dataset, targets = material.dataset, [column.target for column in material.task.columns]
    tables = [
        predictions_table(
            [dataset.rows[index] for index in members],
            targets,
            dataset.labels[members],
            training.outputs[members],
            part=part,
            fold=fold,
            seed=training.facts["seed"],
            bounds=dataset.bounds[members],
        )
        for training in trainings
        for part, members in material.split.parts().items()
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[table["y"].notna()]

"""What models say of training molecules that they have not seen: by that probabilities and thresholds are judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.methods.method import Material
from exlm_chem.finetuning.methods.registry import METHODS
from exlm_chem.finetuning.metrics.classes import Confusion, weighted_ece
from exlm_chem.finetuning.trainings import Training, judge
from exlm_chem.heads.calibrated import CalibratedHead
from exlm_chem.heads.calibration import Calibration
from exlm_chem.predictors.task import OutputColumn


def finish(material: Material, training: Training) -> tuple[Training, NDArray[Any]]:
    """Let models predict the training molecules that they have not seen, calibrate by that, and judge the threshold.

    Parameters
    ----------
    material : Material
        What was learnt from.
    training : Training
        The one that is kept; its metrics are put in order.

    Returns
    -------
    training : Training
        With calibrated probabilities.
    held_out : array of shape (molecules, columns)
        What is said of training molecules by models that have not seen them; NaN for all others.
    """
    options, task = material.options, material.task
    labels, _, _ = material.labels(np.arange(len(material.dataset)))  # without those that do not count
    if task.kind == "regression" and not options.keep_training:
        return training, np.full(labels.shape, np.nan)
    facts, head, outputs = training.facts, training.fitted.head, training.outputs
    held_out = METHODS[options.method].out_of_fold(material, head, facts["seed"])
    held_out = np.where(np.isnan(labels), np.nan, held_out)
    if task.kind == "regression" or np.isnan(held_out).all():
        return training, held_out
    if options.calibrate and not options.balance:  # which wants other probabilities than the right ones
        calibration = Calibration.fit(held_out, labels)
        head, held_out, outputs = (
            CalibratedHead.of(head, calibration),
            calibration.apply(held_out),
            calibration.apply(outputs),
        )
        facts["metrics"] = judge(material, outputs, facts["seed"])
    facts["metrics"]["out_of_fold"] = judge_threshold(held_out, labels, task.columns)
    return replace(training, fitted=replace(training.fitted, head=head), outputs=outputs), held_out


def judge_threshold(held_out: NDArray[Any], labels: NDArray[Any], columns: tuple[OutputColumn, ...]) -> dict[str, Any]:
    """Say how often a yes is right, how many of class 1 get one, and how far off the probabilities are.

    Parameters
    ----------
    held_out, labels
        Probabilities from models that have not seen the molecule, and its classes; NaN where there is none. Both of
        shape (molecules, columns).
    columns : tuple of OutputColumn
        With their thresholds.

    Examples
    --------
    >>> held_out, labels = np.array([[0.9], [0.8], [0.6], [0.1]]), np.array([[1.0], [0.0], [1.0], [1.0]])
    >>> judge_threshold(held_out, labels, (OutputColumn("a", "a", threshold=0.5),))["a"]
    {'known': 4, 'threshold': 0.5, 'precision': 0.6667, 'recall': 0.6667, 'ece': 0.55}
    """
    judged = {}
    for column, outputs, label in zip(columns, held_out.T, labels.T, strict=True):
        known = ~np.isnan(outputs) & ~np.isnan(label)
        threshold, weights = 0.5 if column.threshold is None else column.threshold, np.ones((1, int(known.sum())))
        classes = Confusion(outputs[known], label[known], weights, threshold)
        judged[column.name] = {
            "known": int(known.sum()),
            "threshold": threshold,
            "precision": _number(classes.precision()),
            "recall": _number(classes.recall()),
            "ece": _number(weighted_ece(outputs[known], label[known], weights)),
        }
    return judged


def _number(values: NDArray[Any]) -> float | None:
    return None if np.isnan(values[0]) else round(float(values[0]), 4)

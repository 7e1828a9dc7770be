"""One rule for which of several heads it is: cross-validation over whole groups inside training and validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.methods.method import Material
from exlm_chem.finetuning.metrics import (
    MAIN_METRIC,
    METRICS,
    BoundedLabels,
    label_units,
    may_differ_in_units,
    mean_score,
)
from exlm_chem.finetuning.out_of_fold import out_of_fold
from exlm_chem.heads.head import Head
from exlm_chem.heads.registry import make_head
from exlm_chem.heads.space import USUAL, Parameters

Predict = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], NDArray[Any]]
"""Learns columns (third) from molecules of the dataset (first), and predicts them for other ones (second)."""


def held_out_score(predict: Predict, material: Material, seed: int) -> float | None:
    """Judge a way of learning by molecules of training and validation that are held out, whole groups at a time.

    The test part is not looked at.

    Parameters
    ----------
    predict : callable
        See `Predict`.
    material : Material
        Of whose training and validation parts is learnt.
    seed : int
        Decides the folds.

    Returns
    -------
    float or None
        The main metric of all held-out molecules together, its mean over the columns (errors of several columns in
        their `label_units`); None if nothing can be judged.
    """
    inside = np.array(sorted([*material.split.train, *material.split.valid]))
    labels, _, bounds = material.labels(inside)

    def fit_predict(train: NDArray[np.int64], held_out: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
        return predict(inside[train], inside[held_out], columns)

    outputs = out_of_fold(fit_predict, labels, material.groups(inside), seed)
    known = np.where(np.isnan(outputs), np.nan, labels)
    units = label_units(labels, material.task.kind)
    return mean_score(BoundedLabels(labels, bounds).meet(outputs) / units, known / units, material.task.kind)


def score_head(name: str, material: Material, seed: int, parameters: Parameters) -> float | None:
    """Judge a head by `held_out_score`."""

    def predict(train: NDArray[np.int64], held_out: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
        return fit_head(name, material, train, seed, columns, parameters).predict(material.rows(held_out))

    return held_out_score(predict, material, seed)


def name_of_scores(name: str, material: Material) -> str:
    """Give the name under which scores of `held_out_score` stand in the card and in ``run.json``."""
    in_spreads = may_differ_in_units(material.task.kind, len(material.task.columns))
    return f"{name}, cross-validated{', in standard deviations of each column' if in_spreads else ''}"


def best_head(scores: dict[str, float | None], material: Material) -> str:
    """Give the head with the best score; the first of equals.

    Raises
    ------
    ExLMError
        If nothing can be compared.
    """
    scored = {name: score for name, score in scores.items() if score is not None}
    if not scored:
        raise ExLMError(
            f"the heads {', '.join(scores)} cannot be compared: training and validation have too few groups of "
            "molecules with labels; name one of them with --head, without --search"
        )
    metric = METRICS[MAIN_METRIC[material.task.kind]]
    return (max if metric.higher_is_better else min)(scored, key=scored.__getitem__)


def fit_head(
    name: str,
    material: Material,
    rows: NDArray[np.int64],
    seed: int,
    columns: NDArray[np.int64] | None = None,
    parameters: Parameters = USUAL,
) -> Head:
    """Fit a head on some of the molecules, and some or all columns."""
    labels, weights, bounds = material.labels(rows, columns)
    kind, groups = material.task.kind, material.groups(rows)
    return make_head(name, parameters).fit(material.rows(rows), labels, kind, groups, seed, weights, bounds)

"""One rule for which of several heads it is: cross-validation over scaffolds inside training and validation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.kept import out_of_fold
from exlm_chem.finetuning.methods.method import Material
from exlm_chem.finetuning.metrics import MAIN_METRIC, METRICS, BoundedLabels, mean_score
from exlm_chem.heads.head import Head
from exlm_chem.heads.registry import make_head


def choose_head(names: Sequence[str], material: Material, seed: int) -> tuple[str, dict[str, float | None]]:
    """Choose the head that predicts molecules best which are held out, whole groups of the split at a time.

    The test part is not looked at. The main metric is that of all held-out molecules together, its mean over the
    columns; the first of equals is chosen.

    Parameters
    ----------
    names : sequence of str
        See `make_head`.
    material : Material
        Of whose training and validation parts is learnt.
    seed : int
        Decides the folds.

    Returns
    -------
    name : str
        The one that is chosen.
    scores : dict
        Of every head.

    Raises
    ------
    ExLMError
        If nothing can be compared.
    """
    inside = np.array(sorted([*material.split.train, *material.split.valid]))
    labels, _, bounds = material.labels(inside)
    groups = material.groups(inside)
    judged = BoundedLabels(labels, bounds)
    scores = {}
    for name in names:
        outputs = out_of_fold(partial(_fit_predict, name, material, inside, seed), labels, groups, seed)
        known = np.where(np.isnan(outputs), np.nan, labels)
        scores[name] = mean_score(judged.meet(outputs), known, material.task.kind)
    scored = {name: score for name, score in scores.items() if score is not None}
    if not scored:
        raise ExLMError(
            f"the heads {', '.join(names)} cannot be compared: training and validation have too few groups of "
            "molecules with labels; name one of them with --head"
        )
    metric = METRICS[MAIN_METRIC[material.task.kind]]
    return (max if metric.higher_is_better else min)(scored, key=scored.__getitem__), scores


def _fit_predict(
    name: str,
    material: Material,
    inside: NDArray[np.int64],
    seed: int,
    train: NDArray[np.int64],
    held_out: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[Any]:
    return fit_head(name, material, inside[train], seed, columns).predict(material.rows(inside[held_out]))


def fit_head(
    name: str, material: Material, rows: NDArray[np.int64], seed: int, columns: NDArray[np.int64] | None = None
) -> Head:
    """Fit a head on some of the molecules, and some or all columns."""
    labels, weights, bounds = material.labels(rows, columns)
    kind, groups = material.task.kind, material.groups(rows)
    return make_head(name).fit(material.rows(rows), labels, kind, groups, seed, weights, bounds)

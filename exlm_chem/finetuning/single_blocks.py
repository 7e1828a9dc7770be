"""How good the same heads are on one kind of features alone: by that a reader sees what the others are worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from exlm_chem.finetuning.methods.method import Material
from exlm_chem.finetuning.metrics import MAIN_METRIC, BoundedLabels, evaluate
from exlm_chem.heads.average import AverageHead
from exlm_chem.heads.calibrated import CalibratedHead
from exlm_chem.heads.head import Head


def judge_blocks(material: Material, head: Head, seed: int) -> dict[str, Any]:
    """Judge an average of heads on each of its blocks alone, where it has members for that.

    Calibration changes no order, and therefore no ROC-AUC.

    Parameters
    ----------
    material : Material
        Whose test part decides.
    head : Head
        What was learnt; one that is no average, or reads a single block, has nothing to compare.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        For every block what `judge_block` says.
    """
    head = head.uncalibrated if isinstance(head, CalibratedHead) else head
    if not isinstance(head, AverageHead) or len(head.blocks) == 1:
        return {}
    alone = {block: head.on_block(block) for block in head.blocks}
    judged = {block: judge_block(material, one, seed) for block, one in alone.items() if one is not None}
    return {block: one for block, one in judged.items() if one is not None}


def judge_block(material: Material, head: Head, seed: int) -> dict[str, Any] | None:
    """Give the main metric of a head on the test part, with its interval and the number of columns that have one."""
    dataset, task, test = material.dataset, material.task, np.asarray(material.split.test, np.int64)
    if not len(test):
        return None
    labels, names = dataset.labels[test], [column.name for column in task.columns]
    outputs = BoundedLabels(labels, dataset.bounds[test]).meet(head.predict(material.rows(test)).astype(np.float64))
    result = evaluate(outputs, labels, task.kind, names, seed) or {}
    return {name: result[name] for name in (MAIN_METRIC[task.kind], "interval", "scored")}

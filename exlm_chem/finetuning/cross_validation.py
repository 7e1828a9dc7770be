"""Cross-validation of a run: the whole training again for every fold, each judged on its own test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.card import folds_in_words
from exlm_chem.finetuning.checks import check_labels
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.messages import Log
from exlm_chem.finetuning.methods.method import Material, Report
from exlm_chem.finetuning.methods.registry import METHODS
from exlm_chem.finetuning.metrics import MAIN_METRIC
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.splits import Split, Splittable, make_folds
from exlm_chem.finetuning.trainings import combine, predictions_of, train_seeds
from exlm_chem.finetuning.weights import label_weights

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CrossValidation:
    """What the folds gave.

    Attributes
    ----------
    splits : list of Split
        The folds.
    predictions : DataFrame
        Those of all folds and seeds; see `exlm_chem.finetuning.predictions`.
    summary : dict
        For the card: how many ``folds`` of them could be ``scored``, by what ``metric``; ``mean`` and ``sd`` over the
        folds of the means over the seeds, for validation and test; and the ``rule`` of the folds.
    runs : list of dict
        For every fold and seed, its metrics and how it was trained.
    """

    splits: list[Split]
    predictions: pd.DataFrame
    summary: dict[str, Any]
    runs: list[dict[str, Any]]


def make_checked_folds(molecules: Splittable, dataset: Dataset, options: FinetuningOptions, log: Log) -> list[Split]:
    """Cut the folds that the options ask for, and refuse those from which nothing can be learnt.

    Returns
    -------
    list of Split
        None if no folds are wanted.
    """
    if options.folds is None:
        return []
    splits = make_folds(options.split, molecules, options.folds, options.repeats, options.seed)
    if len(splits) < 2:
        raise ExLMError(f"--folds needs several folds, and {options.split} holds one; leave --folds away")
    for number, split in enumerate(splits):
        weights = label_weights(dataset, split.train, options.weights, balance=False)
        METHODS[options.method].check(dataset, split, weights)
        check_labels(dataset, split, partial(_said_of, f"fold {number}", log), weights)
    log(f"cross-validation: {len(splits)} folds, {_rule(splits)}")
    return splits


def cross_validate(material: Material, splits: Sequence[Split], log: Log, report: Report) -> CrossValidation:
    """Train and judge on every fold, with every seed.

    Parameters
    ----------
    material : Material
        What the predictor is made from; its split is not looked at.
    splits : sequence of Split
        The folds.
    log, report : callable
        See `finetune`.
    """
    import pandas as pd

    options, metric = material.options, MAIN_METRIC[material.task.kind]
    tables, runs = [], []
    for number, split in enumerate(splits):
        weights = label_weights(material.dataset, split.train, options.weights, balance=options.balance)
        part = replace(material, split=split, weights=weights)
        trainings = train_seeds(part, partial(_said_of, f"fold {number}", log), report)
        for training in [combine(part, trainings)] if options.ensemble else trainings:
            tables.append(predictions_of(part, [training], number))
            runs.append({"fold": number, **training.facts})
            report((number + 1) / len(splits), f"fold {number + 1} of {len(splits)}")
    summary = {"folds": len(splits), "rule": _rule(splits), "metric": metric}
    for name in ("valid", "test"):
        scores = [_mean_of_seeds(runs, number, name, metric) for number in range(len(splits))]
        known = [score for score in scores if score is not None]
        summary[name] = {
            "scored": len(known),
            "mean": float(np.mean(known)) if known else None,
            "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
        }
    log(f"cross-validation: {folds_in_words(summary)}")
    return CrossValidation(list(splits), pd.concat(tables, ignore_index=True), summary, runs)


def _rule(splits: Sequence[Split]) -> str:
    """Say how the folds were cut; those of every repeat have a seed of their own."""
    first, *others = dict.fromkeys(split.description for split in splits)
    return f"{first}; cut {len(others) + 1} times, each with the next seed" if others else first


def _mean_of_seeds(runs: Sequence[dict[str, Any]], fold: int, part: str, metric: str) -> float | None:
    results = [run["metrics"][part] for run in runs if run["fold"] == fold]
    values = [result[metric] for result in results if result is not None and result[metric] is not None]
    return float(np.mean(values)) if values else None


def _said_of(what: str, log: Log, sentence: str) -> None:
    log(f"{what}: {sentence}")

"""One protocol for all features and heads: what is learnt from, what decides, and what is looked at once.

The test part decides nothing. A head is chosen by its score in a cross-validation inside of training and validation in
which no scaffold is torn ("folds"), or on the validation part as in published tables ("valid"); it then learns from the
training part alone, as published figures do, and predicts the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.evaluation.measured import Measured
from exlm_chem.evaluation.options import Choice
from exlm_chem.evaluation.peers.heads import WITHOUT_CHANCE, decides_for_itself, fit_candidates
from exlm_chem.evaluation.peers.registry import learning_peer
from exlm_chem.finetuning.metrics import MAIN_METRIC, METRICS, bootstrap, bootstrap_draws, mean_score
from exlm_chem.finetuning.splits import Split, Splittable, make_folds

FloatArray = NDArray[np.float64]
Features = Mapping[str, NDArray[np.float32]]

FOLDS: Final = 5


@dataclass(frozen=True)
class Trial:
    """What one kind of features came to.

    Attributes
    ----------
    features, head : str
        The features, and the head that was chosen for them.
    chosen_by : dict
        For every head its score in the cross-validation.
    test, sd : float or None
        Mean and standard deviation over the seeds on the test part.
    interval : list of float or None
        95 % bootstrap interval over the molecules of the test part, of the first seed.
    outputs : array of shape (test molecules, columns)
        What the first seed predicted.
    """

    features: str
    head: str
    chosen_by: dict[str, float | None]
    test: float | None
    sd: float | None
    interval: list[float] | None
    outputs: FloatArray

    def to_json(self) -> dict[str, Any]:
        """Give everything but the predictions."""
        return {name: value for name, value in vars(self).items() if name != "outputs"}

    @property
    def score(self) -> float:
        """The score in the cross-validation of the head that was chosen."""
        value = self.chosen_by[self.head]
        return np.nan if value is None else value


@dataclass(frozen=True)
class Learnt:
    """What a head came to that learnt from the training part of a split: its score on validation, and the test."""

    valid: float | None
    outputs: FloatArray


def try_features(
    name: str,
    features: Features,
    table: Measured,
    heads: Sequence[str],
    seeds: Sequence[int],
    choice: Choice = "folds",
) -> Trial:
    """Choose a head for some features, and show it the test part.

    Parameters
    ----------
    name : str
        Of the features.
    features : mapping
        For every block an array of shape (molecules, width).
    table : Measured
        The molecules.
    heads : sequence of str
        To choose from; with one there is nothing to choose, and a peer that learns by itself takes none of them.
    seeds : sequence of int
        Of the heads.
    choice : {"folds", "valid"}
        What chooses: a cross-validation in training and validation, or the mean over the seeds on the validation part.
    """
    alone = learning_peer(features)
    heads = heads if alone is None else [alone.name]
    learnt: dict[str, list[Learnt]] = {}
    if choice == "valid":
        learnt = {head: _learn_often(head, features, table, seeds) for head in heads}
        scores = {head: _mean([one.valid for one in some]) for head, some in learnt.items()}
    else:
        scores = {head: _cross_validated(features, table, head) for head in heads}
    chosen = max(heads, key=lambda head: _goodness(table, scores[head]))
    outputs = [one.outputs for one in learnt.get(chosen) or _learn_often(chosen, features, table, seeds)]
    labels = table.labels[table.split.test]
    values = [value for one in outputs if (value := mean_score(one, labels, table.kind)) is not None]
    interval = bootstrap(outputs[0], labels, METRICS[MAIN_METRIC[table.kind]].function) if values else None
    return Trial(
        name,
        chosen,
        scores,
        float(np.mean(values)) if values else None,
        float(np.std(values)) if values else None,
        interval,
        outputs[0],
    )


def learn(head: str, features: Features, table: Measured, split: Split, seed: int = 0) -> Learnt:
    """Fit a head on the training part, in the way that is best on validation where it leaves one open.

    Parameters
    ----------
    head : str
        One of ours, or of `exlm_chem.evaluation.peers.heads`.
    features : mapping
        See `try_features`.
    table : Measured
        The molecules.
    split : Split
        That of the table, or a fold.
    seed : int
        Of the head.
    """
    parts = {name: {block: values[rows] for block, values in features.items()} for name, rows in split.parts().items()}
    groups = [table.split.groups[row] for row in split.train]
    best: tuple[float | None, Any] | None = None
    for predict in fit_candidates(head, parts["train"], table.labels[split.train], table.kind, groups, seed):
        valid = None
        if split.valid:
            valid = mean_score(predict(parts["valid"]), table.labels[split.valid], table.kind)
        if best is None or _goodness(table, valid) > _goodness(table, best[0]):
            best = valid, predict
    if best is None:
        raise ValueError(f"head {head} was not fitted")
    return Learnt(best[0], best[1](parts["test"]))


def difference(table: Measured, one: Trial, other: Trial) -> tuple[float, list[float]] | None:
    """Give the test value of one trial minus that of another, and its 95 % interval over the molecules."""
    labels = table.labels[table.split.test]
    values = [mean_score(trial.outputs, labels, table.kind) for trial in (one, other)]
    if values[0] is None or values[1] is None:
        return None
    metric = METRICS[MAIN_METRIC[table.kind]].function
    draws = bootstrap_draws(one.outputs, labels, metric) - bootstrap_draws(other.outputs, labels, metric)
    draws = draws[~np.isnan(draws)]
    return values[0] - values[1], [float(bound) for bound in np.quantile(draws, (0.025, 0.975))]


def _learn_often(head: str, features: Features, table: Measured, seeds: Sequence[int]) -> list[Learnt]:
    """Learn with every seed; once where nothing is drawn."""
    different = seeds[:1] if head in WITHOUT_CHANCE else seeds
    return [learn(head, features, table, table.split, seed) for seed in different]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _cross_validated(features: Features, table: Measured, head: str) -> float | None:
    """Score a head on molecules of training and validation that it has not learnt from, whole scaffolds at a time."""
    inside = np.array(sorted([*table.split.train, *table.split.valid]))
    labels = table.labels[inside]
    outputs = np.full(labels.shape, np.nan)
    for fold in make_folds("scaffold", Splittable([table.smiles[index] for index in inside], labels), FOLDS):
        train, valid, test = (inside[part].tolist() for part in (fold.train, fold.valid, fold.test))
        if decides_for_itself(head):
            train, valid = sorted([*train, *valid]), []
        if np.isnan(table.labels[train]).all(0).any():
            continue  # a rare label is in one fold only: nothing can be learnt of it
        outputs[fold.test] = learn(
            head, features, table, replace(table.split, train=train, valid=valid, test=test)
        ).outputs
    predicted = np.where(np.isnan(outputs), np.nan, labels)
    return mean_score(outputs, predicted, table.kind)


def _goodness(table: Measured, score: float | None) -> float:
    return -np.inf if score is None else table.better * score

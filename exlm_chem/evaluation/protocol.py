"""One protocol for all features and heads: what is learnt from, what decides, and what is looked at once.

The test part decides nothing. A head is chosen by its score in a cross-validation inside of training and validation in
which no scaffold is torn; it then learns from the training part alone, as published figures do, and predicts the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.finetuning.metrics import MAIN_METRIC, METRICS, bootstrap, bootstrap_draws, mean_score
from exlm_chem.finetuning.splits import Split, Splittable, make_folds
from exlm_chem.heads.registry import make_head
from exlm_chem.terms import Kind

FloatArray = NDArray[np.float64]
Features = Mapping[str, NDArray[np.float32]]

FOLDS: Final = 5


@dataclass(frozen=True)
class Measured:
    """A table that heads are tried on."""

    name: str
    kind: Kind
    smiles: Sequence[str]
    labels: FloatArray
    split: Split

    @property
    def better(self) -> int:
        """1 if more of the main metric is better, -1 if less is."""
        return 1 if METRICS[MAIN_METRIC[self.kind]].higher_is_better else -1


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


def try_features(name: str, features: Features, table: Measured, heads: Sequence[str], seeds: Sequence[int]) -> Trial:
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
        To choose from; with one there is nothing to choose.
    seeds : sequence of int
        Of the heads.
    """
    scores = {head: _cross_validated(features, table, head) for head in heads}
    chosen = max(heads, key=lambda head: _goodness(table, scores[head]))
    train, test = table.split.train, table.split.test
    outputs = []
    for seed in seeds:
        head = make_head(chosen)
        head.fit(_rows(features, train), table.labels[train], table.kind, _groups(table, train), seed)
        outputs.append(head.predict(_rows(features, test)).astype(np.float64))
    labels = table.labels[test]
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


def _cross_validated(features: Features, table: Measured, head: str) -> float | None:
    """Score a head on molecules of training and validation that it has not learnt from, whole scaffolds at a time."""
    inside = sorted([*table.split.train, *table.split.valid])
    smiles, labels = [table.smiles[index] for index in inside], table.labels[inside]
    outputs = np.full(labels.shape, np.nan)
    for fold in make_folds("scaffold", Splittable(smiles, labels), FOLDS):
        learn = [inside[index] for index in sorted([*fold.train, *fold.valid])]
        if np.isnan(table.labels[learn]).all(0).any():
            continue  # a rare label is in one fold only: nothing can be learnt of it
        one = make_head(head).fit(_rows(features, learn), table.labels[learn], table.kind, _groups(table, learn))
        outputs[fold.test] = one.predict(_rows(features, [inside[index] for index in fold.test]))
    predicted = np.where(np.isnan(outputs), np.nan, labels)
    return mean_score(outputs, predicted, table.kind)


def _goodness(table: Measured, score: float | None) -> float:
    return -np.inf if score is None else table.better * score


def _rows(features: Features, rows: Sequence[int]) -> Features:
    return {name: values[rows] for name, values in features.items()}


def _groups(table: Measured, rows: Sequence[int]) -> list[str]:
    return [table.split.groups[row] for row in rows]

"""Head "kernel": ridge regression with a radial basis function of how far molecules are from training molecules.

Up to 4,000 molecules all of them are landmarks, which is the exact model; of more, some are drawn (Nystroem). All
columns share the landmarks and the width of the kernel. For classes the same regression is made on 0 and 1, and a
logistic curve is laid through the answers for molecules that were held out (Platt, 1999).
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.heads.arrays import Arrays, rounded, take
from exlm_chem.heads.distances import Landmarks, kept, precise
from exlm_chem.heads.examples import Examples, Features, FloatArray
from exlm_chem.heads.folds import grouped_folds
from exlm_chem.heads.head import Head
from exlm_chem.heads.kernel_solvers import held_out_answers, solve
from exlm_chem.heads.preprocessing import COUNTS, Preprocessing
from exlm_chem.heads.space import Span

EXACT: Final = 4000
"""Molecules up to which all are landmarks; fewer where columns know the labels of different molecules."""

LANDMARKS: Final = 1000
"""How many are drawn from more, where that is no matrix of more than `_ENTRIES`."""

GAMMAS: Final = (0.25, 0.5, 1.0, 2.0)
"""Of the kernel exp(-gamma d^2), where d^2 is 2 between two training molecules on the mean."""

PENALTIES: Final = (1.0, 0.3, 0.1, 0.03, 0.01)
"""The share of noise in a label; that is the same for any number of molecules."""

OWN_PENALTY: Final = 10
"""Columns up to which each has a penalty of its own; more share one, chosen on so many of them."""

MANY: Final = 30
"""Columns from which 300 landmarks must do."""

JUDGES: Final = 1000
"""Molecules by which width and penalties are chosen."""

_ENTRIES: Final = 40_000_000
_FEWEST_OF_A_CLASS: Final = 5
_USUAL: Final = {"gamma": 1.0, "penalty": 0.1}


class KernelHead(Head):
    """Kernel ridge regression on the chosen blocks together.

    Examples
    --------
    >>> x = np.linspace(-3, 3, 60, dtype=np.float32)[:, None]
    >>> head = KernelHead().fit({"exlm": x}, np.sin(x), "regression", range(60))
    >>> bool(abs(head.predict({"exlm": x}) - np.sin(x)).max() < 0.1)
    True
    """

    name: ClassVar[str] = "kernel"
    _preprocessing: Preprocessing
    _landmarks: Landmarks
    _gamma: float
    _weight: NDArray[np.float32]
    _curve: FloatArray

    def space(self) -> dict[str, Span]:
        """See `Head`: the width of the kernel, and the share of noise."""
        return {"gamma": Span(0.05, 8.0, log=True), "penalty": Span(0.001, 3.0, log=True)}

    def fit_columns(self, examples: Examples) -> None:
        """See `Head`."""
        y, self._curve = _standardised(examples)
        self._preprocessing = Preprocessing.fit(_numbers(examples.features))
        prepared = self._prepared(examples.features)
        examples = replace(examples, features=prepared)
        random = np.random.default_rng(examples.seed)
        judges = np.sort(random.permutation(len(y))[:JUDGES])
        if examples.settings:
            self._gamma, penalties = float(examples.settings["gamma"][0]), examples.settings["penalty"]
            if examples.kind == "classification":
                self._curve = examples.settings["curve"]
        else:
            penalties = self._choose(examples, y, judges)
        chosen = _drawn(examples, random)
        self._landmarks = Landmarks.take(prepared, chosen)
        kernel = np.exp(-self._gamma * self._landmarks.distances(prepared))
        self._weight = rounded(solve(kernel, chosen, y, examples.weights, penalties))
        self.settings = {"gamma": np.full(y.shape[1], self._gamma), "penalty": penalties, "curve": self._curve}
        self.choices |= {
            "gamma": self._gamma,
            "penalties": sorted(set(penalties.tolist())),
            "landmarks": len(chosen),
            "exact": len(chosen) == len(y),
        }

    def _choose(self, examples: Examples, y: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        """Choose width, penalties, and the curves of classes, by some molecules; give the penalties."""
        part = {name: values[rows] for name, values in examples.features.items()}
        distances = Landmarks.take(part, np.arange(len(rows))).distances(part)
        y, weights, fold = y[rows], examples.weights[rows], _fold_of(examples, rows)
        columns = y.shape[1]
        some = np.unique(np.linspace(0, columns - 1, OWN_PENALTY).astype(int))
        found = self.parameters
        gammas = (found["gamma"],) if "gamma" in found else GAMMAS
        choice = (found["penalty"],) if "penalty" in found else PENALTIES
        errors = np.array(
            [
                [_errors(np.exp(-gamma * distances), y[:, some], weights[:, some], fold, one) for one in choice]
                for gamma in gammas
            ]
        )  # (gammas, penalties, some columns)
        self._gamma, usual = (found.get(name, value) for name, value in _USUAL.items())
        penalties = np.full(columns, usual)
        if np.isfinite(errors).any():
            best = int(np.nanmean(errors.min(1), axis=1).argmin())
            self._gamma = gammas[best]
            own = columns <= OWN_PENALTY
            penalties[:] = np.array(choice)[errors[best].argmin(0) if own else np.nansum(errors[best], 1).argmin()]
        if examples.kind == "classification":
            held_out = held_out_answers(np.exp(-self._gamma * distances), y, weights, fold, penalties)
            for column in range(columns):
                label, weight = examples.labels[rows, column], weights[:, column]
                self._curve[column] = _platt(held_out[:, column], label, weight, self._curve[column])
        return penalties

    def outputs(self, features: Features) -> FloatArray:
        """See `Head`."""
        distances = self._landmarks.distances(self._prepared(features))
        answers: FloatArray = np.exp(-self._gamma * distances) @ self._weight.astype(np.float64)
        return answers * self._curve[:, 0] + self._curve[:, 1]

    def arrays(self) -> Arrays:
        """See `Head`."""
        own = {"gamma": np.array([self._gamma]), "weight": self._weight, "curve": self._curve}
        return {**self._preprocessing.arrays(), **self._landmarks.arrays(), **own}

    def restore(self, arrays: Arrays) -> None:
        """See `Head`."""
        self._preprocessing = Preprocessing.restore(arrays, {n: w for n, w in self.blocks.items() if n not in COUNTS})
        self._landmarks = Landmarks.restore(arrays, self.blocks)
        self._gamma = float(take(arrays, "gamma", (1,))[0])
        self._weight = take(arrays, "weight", (len(self._landmarks), len(self.varying)))
        self._curve = take(arrays, "curve", (len(self.varying), 2))

    def _prepared(self, features: Features) -> Features:
        """Counts as they are, all other numbers as `Preprocessing` has them, as precise as landmarks are kept."""
        numbers = self._preprocessing.apply(features)
        return {**features, **{name: precise(kept(values)) for name, values in numbers.items()}}


def _numbers(features: Features) -> Features:
    return {name: values for name, values in features.items() if name not in COUNTS}


def _standardised(examples: Examples) -> tuple[FloatArray, FloatArray]:
    """Give labels with mean 0 and deviation 1, 0 where unknown, and for every column how to get back.

    Back from a class it goes to a logit, along the tangent at the share of positives.
    """
    y, curve = np.zeros_like(examples.labels), np.empty((examples.labels.shape[1], 2))
    for column in range(y.shape[1]):
        known, label, weight = examples.column(column)
        mean = np.average(label, weights=weight)
        scale = np.sqrt(np.average((label - mean) ** 2, weights=weight))
        y[known, column] = (label - mean) / scale
        curve[column] = scale, mean
        if examples.kind == "classification":
            curve[column] = scale / (mean * (1 - mean)), np.log(mean / (1 - mean))
    return y, curve


def _fold_of(examples: Examples, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the fold in which each of some molecules is held out, -1 for none."""
    labels, there = examples.labels[rows], np.arange(len(rows))
    if labels.shape[1] == 1:
        there = np.flatnonzero(~np.isnan(labels[:, 0]))
        labels = labels[there, 0]
    fold = np.full(len(rows), -1)
    groups = examples.groups[rows[there]]
    for number, (_, held_out) in enumerate(grouped_folds(labels, examples.kind, groups, examples.seed)):
        fold[there[held_out]] = number
    return fold


def _errors(
    kernel: FloatArray, y: FloatArray, weights: FloatArray, fold: NDArray[np.int64], penalty: float
) -> FloatArray:
    """Mean squared error of the held-out molecules for every column; NaN without any."""
    difference = held_out_answers(kernel, y, weights, fold, np.full(y.shape[1], penalty)) - y
    there = ~np.isnan(difference)
    total = (weights * there).sum(0)
    squares = (weights * np.where(there, difference, 0) ** 2).sum(0)
    mean: FloatArray = np.divide(squares, total, out=np.full(len(total), np.nan), where=total > 0)
    return mean


def _drawn(examples: Examples, random: np.random.Generator) -> NDArray[np.int64]:
    """Choose the landmarks: everyone, or some."""
    rows, columns = examples.labels.shape
    patterns = np.unique(examples.weights, axis=1).shape[1]
    if rows * patterns ** (1 / 3) <= EXACT:  # each costs the third power
        return np.arange(rows)
    most = min(LANDMARKS if columns < MANY else 300, max(100, _ENTRIES // rows))
    return np.sort(random.permutation(rows)[:most])


def _platt(answers: FloatArray, labels: FloatArray, weights: FloatArray, curve: FloatArray) -> FloatArray:
    """Lay a logistic curve through the answers for held-out molecules: its slope and its height.

    Where they are too few, or of no use, it stays what it was.
    """
    from sklearn.linear_model import LogisticRegression  # which a prediction can spare

    there = ~np.isnan(answers) & ~np.isnan(labels)
    x, y = answers[there], labels[there]
    if min((y == 0).sum(), (y == 1).sum()) < _FEWEST_OF_A_CLASS:
        return curve
    model = LogisticRegression(C=100.0).fit(x[:, None], y, weights[there])
    slope, height = float(model.coef_[0, 0]), float(model.intercept_[0])
    return np.array([slope, height]) if slope > 0 else curve

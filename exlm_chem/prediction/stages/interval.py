"""How sure a prediction is: an interval around a number, a set of classes beside a probability."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from exlm_chem.heads.conformal import interval_radius, prediction_sets, set_bounds
from exlm_chem.prediction.stages.background import Background, StageSettings
from exlm_chem.prediction.stages.stage import Column, Rows, Stage, cells
from exlm_chem.predictors.training_molecules import TrainingMolecules

_PROMISE: Final = "on molecules like those of the training; on new scaffolds less often"


class IntervalStage(Stage):
    """Intervals of one width around the numbers of each column.

    Parameters
    ----------
    radii : dict of str to float
        For every column of the predictor half the width; infinite where nothing can be said.
    coverage : float
        How often the measured value lies inside.

    Examples
    --------
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> IntervalStage({"esol": 0.5}, 0.9).compute(Rows(Molecules(["C"]), np.array([[-1.2]])))
    [[-1.7], [-0.7]]
    """

    def __init__(self, radii: dict[str, float], coverage: float) -> None:
        self._radii = list(radii.values())
        self.columns = []
        for name, radius in radii.items():
            meaning = f"the interval that holds the measured value in {_percent(coverage)} of cases, {_PROMISE}."
            if math.isinf(radius):
                meaning = f"an interval of {_percent(coverage)}: always empty, there are too few training molecules."
            self.columns += [Column(f"{name}_{end}", f"The {word} end of {meaning}")
                             for end, word in (("low", "lower"), ("high", "upper"))]  # fmt: skip

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        ends: list[list[Any]] = []
        for values, radius in zip(rows.values.T.astype(np.float64), self._radii, strict=True):
            width = math.nan if math.isinf(radius) else radius
            ends += [cells(values - width), cells(values + width)]
        return ends


class SetStage(Stage):
    """The classes that cannot be excluded.

    Parameters
    ----------
    bounds : dict of str to pair of float
        For every column the smallest probability of class 0 and of class 1 with which it belongs to the set.
    promise : str
        What the sets hold how often.

    Examples
    --------
    >>> from exlm_chem.prediction.stages.stage import Molecules
    >>> stage = SetStage({"bbbp": (0.3, 0.3)}, "the true class in 90% of cases")
    >>> stage.compute(Rows(Molecules(["C"] * 3), np.array([[0.9], [0.5], [np.nan]])))
    [['{1}', '{0,1}', None]]
    """

    def __init__(self, bounds: dict[str, tuple[float, float]], promise: str) -> None:
        self._bounds = list(bounds.values())
        self.columns = [
            Column(
                f"{name}_set",
                f"The classes that hold {promise}, {_PROMISE}; {{0,1}} means that the answer is open, {{}} that "
                "neither class fits.",
                type=str,
            )
            for name in bounds
        ]

    def compute(self, rows: Rows) -> list[list[Any]]:
        """See `Stage`."""
        sets = []
        for values, bounds in zip(rows.values.T.astype(np.float64), self._bounds, strict=True):
            inside = prediction_sets(values, bounds).tolist()
            sets.append(
                [None if np.isnan(value) else _written(*both) for value, both in zip(values, inside, strict=True)]
            )
        return sets


def make_interval(background: Background, settings: StageSettings) -> IntervalStage | SetStage:
    """Make the stage that fits a predictor, from its predictions out of fold."""
    training = background.need_training("interval")
    known = _by_column(background, training)
    if background.kind == "regression":
        return IntervalStage(
            {name: interval_radius(labels, guesses, settings.coverage) for name, (labels, guesses) in known.items()},
            settings.coverage,
        )
    promise = f"the true class in {_percent(settings.coverage)} of cases"
    if settings.conformal == "class":
        promise += " of either class"
    return SetStage(
        {
            name: set_bounds(labels, guesses, settings.coverage, settings.conformal)
            for name, (labels, guesses) in known.items()
        },
        promise,
    )


def _by_column(background: Background, training: TrainingMolecules) -> dict[str, tuple[Any, Any]]:
    pairs = zip(training.values.T.astype(np.float64), training.out_of_fold.T.astype(np.float64), strict=True)
    return dict(zip((column.name for column in background.columns), pairs, strict=True))


def _percent(share: float) -> str:
    return f"{100 * share:.10g}%"  # 99.5% is not 100%


def _written(zero: bool, one: bool) -> str:
    return "{" + ",".join(name for name, inside in (("0", zero), ("1", one)) if inside) + "}"

"""Calibration: probabilities that are right as often as they say, from those on molecules that were held out.

References
----------
Platt, Probabilistic outputs for support vector machines, 1999: the sigmoid, and its targets short of 0 and 1.
Niculescu-Mizil and Caruana, Predicting good probabilities with supervised learning, ICML 2005: isotonic regression
needs about a thousand molecules.
Oron and Flournoy, Centered isotonic regression, Stat. Biopharm. Res. 9 (2017) 258: knots in the middle of the steps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.storage.records import check_fields, from_json

FloatArray = NDArray[np.float64]

MANY: Final = 1000
"""Molecules of the rarer class from which the curve is free (isotonic); below, it is a sigmoid."""

_LIMIT: Final = 30.0
_LEAST_SLOPE: Final = 0.01
"""A head that is worse than a guess gets nearly the same probability for all, in its own order."""
_HOLD: Final = 0.1
"""How strongly the slope is held at 1: as much as a tenth of a molecule would."""


@dataclass(frozen=True)
class Curve:
    """From a head's log-odds to a probability: a sigmoid, or straight lines between knots.

    Examples
    --------
    >>> Curve(slope=1.0, shift=0.0).apply(np.array([0.2, np.nan])).round(3).tolist()
    [0.2, nan]
    >>> Curve(knots=((-1.0, 0.1), (1.0, 0.5))).apply(np.array([0.5])).round(3).tolist()
    [0.3]
    """

    slope: float = 1.0
    """Factor of the log-odds."""
    shift: float = 0.0
    """What is added to them."""
    knots: tuple[tuple[float, float], ...] = ()
    """Log-odds and their probability, in rising order; slope and shift count if there are none."""

    def __post_init__(self) -> None:
        check_fields(self)
        xs, ys = ([knot[axis] for knot in self.knots] for axis in (0, 1))
        if sorted(xs) != xs or sorted(ys) != ys or (ys and not 0 <= ys[0] <= ys[-1] <= 1):
            raise ExLMError("the knots of a calibration must rise, with probabilities from 0 to 1")
        if self.slope <= 0:
            raise ExLMError(f"the slope of a calibration must be more than 0, not {self.slope:g}")

    def apply(self, probabilities: NDArray[Any]) -> FloatArray:
        """Calibrate probabilities of any shape; NaN stays."""
        logits = log_odds(probabilities)
        if not self.knots:
            return _sigmoid(self.slope * logits + self.shift)
        xs, ys = np.array(self.knots).T
        return np.where(np.isnan(logits), np.nan, np.interp(logits, xs, ys))


@dataclass(frozen=True)
class Calibration:
    """One curve for every column.

    Examples
    --------
    >>> calibration = Calibration((Curve(shift=1.0),))
    >>> Calibration.from_json(calibration.to_json()) == calibration
    True
    """

    curves: tuple[Curve, ...]

    @classmethod
    def fit(cls, probabilities: NDArray[Any], labels: NDArray[Any]) -> Calibration:
        """Learn the curves from predictions out of fold.

        Parameters
        ----------
        probabilities : array of shape (molecules, columns)
            From models that have not seen the molecule; NaN where there is none.
        labels : array of shape (molecules, columns)
            0 and 1, NaN where unknown.

        Examples
        --------
        >>> half, labels = np.full((100, 1), 0.5), np.array([[1.0]] * 20 + [[0.0]] * 80)
        >>> Calibration.fit(half, labels).apply(half)[0].round(2).tolist()
        [0.2]
        """
        return cls(tuple(fit_curve(p, y) for p, y in zip(probabilities.T, labels.T, strict=True)))

    def apply(self, probabilities: NDArray[Any]) -> FloatArray:
        """Calibrate probabilities of shape (molecules, columns)."""
        if probabilities.shape[1] != len(self.curves):
            raise ExLMError(
                f"a calibration of {len(self.curves)} columns does not fit a head of {probabilities.shape[1]}; "
                "copy the directory again"
            )
        calibrated = np.empty(probabilities.shape)
        for column, curve in enumerate(self.curves):
            calibrated[:, column] = curve.apply(probabilities[:, column])
        return calibrated

    def to_json(self) -> dict[str, Any]:
        """Say it in JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: object) -> Calibration:
        """Read what `to_json` said, and check it."""
        return from_json(cls, content, "calibration")


def fit_curve(probabilities: NDArray[Any], labels: NDArray[Any]) -> Curve:
    """Learn the curve of one column.

    Parameters
    ----------
    probabilities, labels : array of shape (molecules,)
        See `Calibration.fit`.

    Returns
    -------
    Curve
        As the head has it, if only one class is known; a sigmoid, or with many molecules of both classes a free curve.
    """
    known = ~np.isnan(probabilities) & ~np.isnan(labels)
    logits, positive = log_odds(probabilities[known]), labels[known] == 1
    rarer = min(int(positive.sum()), int((~positive).sum()))
    if rarer == 0:
        return Curve()
    return _isotonic(logits, positive) if rarer >= MANY else _sigmoid_curve(logits, positive)


def log_odds(probabilities: NDArray[Any]) -> FloatArray:
    """Give log(p / (1 - p)), from -30 to 30."""
    values = probabilities.astype(np.float64)
    with np.errstate(divide="ignore"):
        logits: FloatArray = np.clip(np.log(values) - np.log1p(-values), -_LIMIT, _LIMIT)
    return logits


def _sigmoid(logits: FloatArray) -> FloatArray:
    return 1 / (1 + np.exp(-np.clip(logits, -_LIMIT, _LIMIT)))


def _sigmoid_curve(logits: FloatArray, positive: NDArray[np.bool_]) -> Curve:
    """Fit slope and shift by Newton's method on the cross-entropy to Platt's targets, which keep both finite."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    targets = np.where(positive, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)
    hold = np.diag([_HOLD, 0.0])
    start = np.array([1.0, 0.0])
    weights = start

    def loss(weights: FloatArray) -> float:
        outputs = inputs @ weights
        held = float((weights - start) @ hold @ (weights - start))
        return float((np.logaddexp(0, outputs) - targets * outputs).sum()) + held / 2

    for _ in range(100):
        predicted = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (predicted - targets) + hold @ (weights - start)
        curvature = (inputs.T * (predicted * (1 - predicted))) @ inputs + hold + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > 1e-9:
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return Curve(max(float(weights[0]), _LEAST_SLOPE), float(weights[1]))


def _isotonic(logits: FloatArray, positive: NDArray[np.bool_]) -> Curve:
    """Fit a rising curve: knots in the middle of its steps, so that molecules keep their order."""
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression().fit_transform(logits, positive.astype(np.float64))
    least = 1 / (len(logits) + 2)  # nothing is certain; every step between 0 and 1 is larger
    levels = np.unique(steps)
    middles = [float(logits[steps == level].mean()) for level in levels]
    heights = np.clip(levels, least, 1 - least).tolist()
    # Beyond the middles of the outer steps the curve goes on to rise, by as much as one molecule more would move it.
    first, last = ((steps == level).sum() for level in (levels[0], levels[-1]))
    xs = [float(logits.min()), *middles, float(logits.max())]
    ys = [heights[0] * first / (first + 1), *heights, 1 - (1 - heights[-1]) * last / (last + 1)]
    return Curve(knots=tuple(zip(xs, map(float, ys), strict=True)))

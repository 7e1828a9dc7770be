"""Calibrated probabilities are right as often as they say, and tiny tables do no harm."""

from __future__ import annotations

import json

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads.calibration import MANY, Calibration, Curve, fit_curve


def simulated(count: int, seed: int, factor: float = 3.0):
    """Molecules whose probability is known, and a head that is too sure of itself by `factor`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 1, count)
    labels = (rng.random(count) < 1 / (1 + np.exp(-logits))).astype(float)
    return 1 / (1 + np.exp(-factor * logits)), labels, 1 / (1 + np.exp(-logits))


def error(probabilities, labels) -> float:
    """Expected calibration error in ten bins of equal width."""
    bins = np.minimum((probabilities * 10).astype(int), 9)
    return sum(abs(probabilities[bins == b].mean() - labels[bins == b].mean()) * (bins == b).mean() for b in set(bins))


@pytest.mark.parametrize("count", [300, 5000])
def test_overconfidence_is_mended(count: int) -> None:
    sure, labels, _ = simulated(count, 1)
    curve = fit_curve(sure, labels)
    assert bool(curve.knots) == (count == 5000)
    new, answers, true = simulated(20_000, 2)
    calibrated = curve.apply(new)
    assert error(new, answers) > 0.1
    assert error(calibrated, answers) < (0.03 if count == 5000 else 0.06)
    assert np.abs(calibrated - true).mean() < 0.05


def test_which_curve_is_a_matter_of_the_rarer_class() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(20 * MANY)
    rare = np.zeros(20 * MANY)
    rare[: MANY - 1] = 1
    assert not fit_curve(probabilities, rare).knots
    rare[MANY - 1] = 1
    assert fit_curve(probabilities, rare).knots


@pytest.mark.parametrize("count", [60, 5000])
def test_the_order_of_molecules_stays(count: int) -> None:
    probabilities, labels, _ = simulated(count, 3)
    curve = fit_curve(probabilities, labels)
    grid = np.sort(probabilities)
    calibrated = curve.apply(grid)
    assert (np.diff(calibrated) >= 0).all()
    assert (np.diff(calibrated)[np.diff(grid) > 1e-6] > 0).all()
    assert 0 < calibrated[0] < calibrated[-1] < 1


@pytest.mark.parametrize("labels", [[], [1.0], [0.0] * 30, [np.nan] * 4])
def test_without_both_classes_nothing_changes(labels) -> None:
    probabilities = np.linspace(0.1, 0.9, len(labels))
    assert fit_curve(probabilities, np.array(labels)) == Curve()
    np.testing.assert_allclose(Curve().apply(probabilities), probabilities)


def test_two_molecules_move_little() -> None:
    curve = fit_curve(np.array([0.3, 0.7]), np.array([0.0, 1.0]))
    assert 0 < curve.slope < 3
    assert curve.apply(np.array([0.5]))[0] == pytest.approx(0.5)


def test_a_constant_head_says_how_many_are_positive() -> None:
    labels = np.array([1.0] * 10 + [0.0] * 90)
    calibrated = fit_curve(np.full(100, 0.9), labels).apply(np.array([0.9]))
    assert calibrated[0] == pytest.approx(0.1, abs=0.02)


def test_perfect_and_perverse_heads_stay_finite() -> None:
    labels = np.array([0.0, 1.0] * 50)
    perfect, perverse = fit_curve(labels, labels), fit_curve(1 - labels, labels)
    assert perfect.apply(np.array([0.0, 1.0])).tolist() == pytest.approx([0.02, 0.98], abs=0.01)
    assert perverse.apply(np.array([0.1, 0.9])).tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    many = np.array([0.0, 1.0] * MANY)
    assert 0 < fit_curve(many, many).apply(np.array([0.0]))[0] < 0.01
    assert fit_curve(1 - many, many).apply(np.array([0.0, 1.0])).tolist() == pytest.approx([0.5, 0.5], abs=0.01)


def test_several_columns_and_unknown_labels() -> None:
    p, y, _ = simulated(400, 4)
    y[:100] = np.nan
    both = Calibration.fit(np.stack([p, 1 - p], 1), np.stack([y, 1 - y], 1))
    assert both.curves[0] == fit_curve(p[100:], y[100:])
    applied = both.apply(np.array([[0.3, 0.7], [np.nan, 0.2]]))
    assert applied[0].sum() == pytest.approx(1, abs=0.01)
    assert np.isnan(applied).tolist() == [[False, False], [True, False]]
    assert both.apply(np.empty((0, 2))).shape == (0, 2)


def test_saved_as_json() -> None:
    for count in (100, 5000):
        p, y, _ = simulated(count, 5)
        calibration = Calibration.fit(p[:, None], y[:, None])
        again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
        np.testing.assert_array_equal(again.apply(p[:, None]), calibration.apply(p[:, None]))


@pytest.mark.parametrize(
    "content",
    [
        {"curves": [{"slope": -1.0}]},
        {"curves": [{"slope": "1"}]},
        {"curves": [{"knots": [[0, 0.5], [1, 0.2]]}]},
        {"curves": [{"knots": [[0, 0.5], [1, 1.2]]}]},
        {"curves": 3},
        {},
        [],
    ],
)
def test_damaged_json_is_told(content) -> None:
    with pytest.raises(ExLMError):
        Calibration.from_json(content)


def test_another_number_of_columns_is_told() -> None:
    with pytest.raises(ExLMError, match="1 columns does not fit a head of 2"):
        Calibration((Curve(),)).apply(np.zeros((3, 2)))

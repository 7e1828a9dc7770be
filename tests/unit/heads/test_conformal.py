"""Intervals and sets hold what they promise on exchangeable data, and say when they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads.conformal import conformal_quantile, interval_radius, prediction_sets, set_bounds

REPEATS, HELD_OUT, NEW = 200, 99, 50


def bounds_of_share(share: float, count: int) -> tuple[float, float]:
    """Four standard deviations around a share of repeats that depend on each other within one calibration set."""
    # The coverage of one calibration set is Beta(90, 10) distributed for 99 scores; its spread adds to the binomial's.
    spread = np.sqrt(share * (1 - share) * (1 / count + 1 / (REPEATS * (HELD_OUT + 1))))
    return share - 4 * spread, share + 4 * spread


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_intervals_cover_as_stated(coverage: float) -> None:
    rng = np.random.default_rng(1)
    hits = []
    for _ in range(REPEATS):
        predictions = rng.normal(size=HELD_OUT + NEW)
        labels = predictions + rng.standard_t(3, HELD_OUT + NEW)
        radius = interval_radius(labels[:HELD_OUT], predictions[:HELD_OUT], coverage)
        hits += (np.abs(labels - predictions)[HELD_OUT:] <= radius).tolist()
    low, high = bounds_of_share(coverage, len(hits))
    assert low <= np.mean(hits) <= high


@pytest.mark.parametrize("rule", ["all", "class"])
def test_sets_cover_as_stated(rule) -> None:
    rng = np.random.default_rng(2)
    hits: dict[int, list[bool]] = {0: [], 1: []}
    for _ in range(REPEATS):
        # one in five is positive, and the head knows it only roughly
        labels = (rng.random(5 * (HELD_OUT + NEW)) < 0.2).astype(float)
        probabilities = 1 / (1 + np.exp(-(rng.normal(size=len(labels)) + 2 * labels - 2)))
        held_out, new = slice(0, 5 * HELD_OUT), slice(5 * HELD_OUT, None)
        bounds = set_bounds(labels[held_out], probabilities[held_out], 0.9, rule)
        inside = prediction_sets(probabilities[new], bounds)
        for label, row in zip(labels[new].astype(int), inside, strict=True):
            hits[label].append(bool(row[label]))
    both = hits[0] + hits[1]
    low, high = bounds_of_share(0.9, len(both))
    assert low <= np.mean(both) <= high + 0.01  # ties and rounded ranks only add
    if rule == "class":
        for each in hits.values():
            low, high = bounds_of_share(0.9, len(each))
            assert low <= np.mean(each) <= high + 0.01
    else:
        assert np.mean(hits[1]) < 0.8  # the rare class pays for it


def test_too_few_molecules_have_no_finite_bound() -> None:
    assert conformal_quantile(np.arange(8.0), 0.9) == np.inf
    assert conformal_quantile(np.array([]), 0.9) == np.inf
    assert conformal_quantile(np.full(20, np.nan), 0.9) == np.inf
    assert set_bounds(np.array([1.0]), np.array([0.7]), 0.9) == (0.0, 0.0)
    assert prediction_sets(np.array([0.0, 1.0]), (0.0, 0.0)).all()


def test_one_class_alone_leaves_the_other_in_every_set() -> None:
    zero, one = set_bounds(np.zeros(50), np.full(50, 0.1), 0.9, "class")
    assert (zero, one) == (0.9, 0.0)


def test_a_perfect_head_has_sets_of_one_class() -> None:
    labels = np.array([0.0, 1.0] * 50)
    sets = prediction_sets(labels, set_bounds(labels, labels, 0.9))
    assert sets.sum(1).tolist() == [1] * 100


def test_what_is_unknown_does_not_count() -> None:
    labels = np.append(np.arange(9.0), [np.nan, 5.0])
    predictions = np.append(np.arange(9.0) + 0.5, [100.0, np.nan])
    assert interval_radius(labels, predictions, 0.9) == 0.5


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1.0, 90.0])
def test_a_coverage_that_is_none(coverage: float) -> None:
    with pytest.raises(ExLMError, match="between 0 and 1"):
        conformal_quantile(np.arange(3.0), coverage)


def test_a_rule_that_is_none() -> None:
    with pytest.raises(ExLMError, match="all or class, not 'each'"):
        set_bounds(np.zeros(3), np.zeros(3), 0.9, "each")

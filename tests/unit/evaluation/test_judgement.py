"""What is said of one column."""

import numpy as np
import pytest

from exlm_chem.evaluation.judgement import Reference, _covered, judge_column


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_a_column_of_classes(random):
    labels = random.integers(0, 2, 300).astype(float)
    labels[:20] = np.nan
    outputs = np.clip(np.nan_to_num(labels) * 0.4 + random.uniform(0, 0.6, 300), 0, 1)
    result = judge_column(outputs, labels, "classification", 0.6)
    assert (result["known"], result["positive"]) == (280, int(np.nansum(labels)))
    for measured in result["metrics"].values():
        low, high = measured["interval"]
        assert low <= measured["value"] <= high or measured is result["metrics"]["ece"]  # which the bootstrap raises
    assert sum(one["molecules"] for one in result["calibration"]) == 280
    assert "sets" not in result


def test_intervals_and_sets_cover_as_often_as_they_promise(random):
    held, inside = [], []
    for _ in range(40):
        errors, labels = random.normal(size=(2, 600))
        reference = Reference(labels[:300], (labels + errors)[:300], 0.8)
        found = _covered((labels + errors)[300:], labels[300:], "regression", reference)["intervals"]
        inside.append(found["coverage"])
        outputs = random.uniform(size=600)
        classes = (random.uniform(size=600) < outputs).astype(float)
        sets = _covered(outputs[300:], classes[300:], "classification", Reference(classes[:300], outputs[:300], 0.9))
        held.append(sets["sets"]["coverage"])
        assert 1 < sets["sets"]["classes"] < 2
    assert np.mean(inside) == pytest.approx(0.8, abs=0.02)
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)


def test_a_column_with_a_reference(random):
    labels = random.normal(size=60)
    result = judge_column(labels, labels, "regression", reference=Reference(labels, labels + 1, 0.9))
    assert result["intervals"] == {"promised": 0.9, "molecules": 60, "coverage": 1.0, "width": pytest.approx(2.0)}
    classes = (labels > 0).astype(float)
    result = judge_column(classes, classes, "classification", reference=Reference(classes, classes, 0.9))
    assert result["sets"]["coverage"] == 1


def test_errors_grow_with_the_distance(random):
    distances = random.uniform(size=500)
    result = judge_column(distances * random.normal(size=500), np.zeros(500), "regression", distances=distances)
    assert result["error_by_distance"]["spearman"] > 0.3
    assert result["metrics"]["r2"]["value"] is None
    assert result["metrics"]["r2"]["why"] == "all labels are 0"


def test_many_molecules_have_no_interval_of_slow_metrics(random):
    result = judge_column(random.normal(size=1001), random.normal(size=1001), "regression")
    assert result["metrics"]["kendall"]["interval"] is None
    assert result["metrics"]["spearman"]["interval"] is not None


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_nothing_is_known(kind):
    result = judge_column(np.zeros(2), np.full(2, np.nan), kind, reference=Reference(np.zeros(2), np.zeros(2), 0.9))
    assert result["known"] == 0
    assert {one["why"] for one in result["metrics"].values()} == {"no label is known"}

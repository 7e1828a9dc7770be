"""Metrics against scikit-learn, and what they say where nothing can be said."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score, root_mean_squared_error

from exlm_chem.finetuning.metrics import evaluate, weighted_mae, weighted_rmse, weighted_roc_auc

NAMES = ["a", "b", "c"]


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.mark.parametrize("digits", [10, 1, 0])  # fewer digits, more ties
def test_roc_auc_is_that_of_scikit_learn(random, digits):
    for _ in range(20):
        scores, labels = random.random(40).round(digits), random.integers(0, 2, 40).astype(float)
        weights = random.integers(0, 4, (3, 40)).astype(float)
        expected = [roc_auc_score(labels, scores, sample_weight=one) for one in weights]
        np.testing.assert_allclose(weighted_roc_auc(scores, labels, weights), expected)


def test_errors_are_those_of_scikit_learn(random):
    outputs, labels = random.normal(size=30), random.normal(size=30)
    weights = random.integers(0, 4, (3, 30)).astype(float)
    for ours, theirs in ((weighted_rmse, root_mean_squared_error), (weighted_mae, mean_absolute_error)):
        expected = [theirs(labels, outputs, sample_weight=one) for one in weights]
        np.testing.assert_allclose(ours(outputs, labels, weights), expected)


def test_unknown_labels_and_columns_of_one_class(random):
    outputs = random.random((50, 3))
    labels = random.integers(0, 2, (50, 3)).astype(float)
    labels[::3, 0] = np.nan
    labels[:, 1] = 1
    result = evaluate(outputs, labels, "classification", NAMES)
    known = ~np.isnan(labels[:, 0])
    a, c = roc_auc_score(labels[known, 0], outputs[known, 0]), roc_auc_score(labels[:, 2], outputs[:, 2])
    assert result["columns"]["a"]["roc_auc"] == pytest.approx(a)
    assert result["columns"]["b"]["roc_auc"] is None
    assert result["roc_auc"] == pytest.approx((a + c) / 2)
    assert (result["scored"], result["molecules"], result["columns"]["a"]["known"]) == (2, 50, 33)
    assert result["interval"][0] < result["roc_auc"] < result["interval"][1]


def test_logits_and_probabilities_have_one_roc_auc(random):
    logits, labels = random.normal(size=(30, 1)), random.integers(0, 2, (30, 1)).astype(float)
    results = [evaluate(one, labels, "classification", ["a"]) for one in (logits, 1 / (1 + np.exp(-logits)))]
    assert results[0] == results[1]


def test_interval_of_an_error_has_the_width_that_theory_gives(random):
    labels = random.normal(size=(400, 1))
    result = evaluate(np.zeros((400, 1)), labels, "regression", ["a"])
    assert result["rmse"] == pytest.approx(root_mean_squared_error(labels, np.zeros((400, 1))))
    # the standard error of the standard deviation of n normal numbers is sigma / sqrt(2 n)
    assert np.diff(result["interval"])[0] == pytest.approx(2 * 1.96 / np.sqrt(800), rel=0.15)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_nothing_to_judge(kind):
    assert evaluate(np.empty((0, 1)), np.empty((0, 1)), kind, ["a"]) is None
    result = evaluate(np.zeros((2, 1)), np.full((2, 1), np.nan), kind, ["a"])
    assert (result["scored"], result["interval"]) == (0, None)
    one = evaluate(np.zeros((1, 1)), np.ones((1, 1)), kind, ["a"])
    assert one["molecules"] == 1

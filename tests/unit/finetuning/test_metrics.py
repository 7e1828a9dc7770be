"""Metrics against scikit-learn, and what they say where nothing can be said."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score, root_mean_squared_error

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.metrics import (
    METRICS,
    BoundedLabels,
    calibration_table,
    coverage,
    error_by_uncertainty,
    evaluate,
    label_units,
    metrics_of,
    named_metric,
    weighted_mae,
    weighted_rmse,
    weighted_roc_auc,
)
from exlm_chem.finetuning.trainings import Training, best_training

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


def test_units_are_the_spreads_of_several_columns_of_values(random):
    labels = random.normal(size=(30, 3)) * [1, 1000, 0] + [0, 0, 0.1]
    labels[:3] = np.nan
    expected = [*labels[3:, :2].std(0), 1]
    np.testing.assert_allclose(label_units(labels, "regression"), expected)
    assert label_units(np.full((2, 2), np.nan), "regression").tolist() == [1, 1]
    assert label_units(labels[:, :1], "regression").tolist() == [1]
    assert label_units(labels > 0, "classification").tolist() == [1, 1, 1]


@pytest.mark.parametrize("unit", [1, 0.001, 1000])
def test_the_seed_that_is_kept_does_not_depend_on_a_unit(unit):
    labels = np.array([[0.0, 0.0], [1.0, unit], [2.0, 2 * unit]])
    task, dataset, split = SimpleNamespace(kind="regression"), SimpleNamespace(labels=labels), SimpleNamespace()
    split.train, split.valid = [0, 1], [2]
    errors = ((0.1, 0.4), (0.5, 0.3))
    runs = [
        Training(None, None, {"metrics": {"valid": {"columns": {"a": {"rmse": a}, "b": {"rmse": b * unit}}}}})
        for a, b in errors
    ]
    material = SimpleNamespace(task=task, dataset=dataset, split=split)
    assert best_training(runs, material) is runs[0]  # .1 + .4 spreads are fewer than .5 + .3


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


def weightings(random, count):
    return random.integers(0, 4, (3, count)).astype(float)


@pytest.mark.parametrize("digits", [10, 1])
def test_metrics_of_classes_are_those_of_scikit_learn(random, digits):
    from sklearn import metrics as theirs

    for _ in range(10):
        p, y = random.random(60).round(digits), random.integers(0, 2, 60).astype(float)
        weights = weightings(random, 60)
        yes = (p >= 0.3).astype(float)
        expected = {
            "roc_auc": lambda w, p=p, y=y: theirs.roc_auc_score(y, p, sample_weight=w),
            "pr_auc": lambda w, p=p, y=y: theirs.average_precision_score(y, p, sample_weight=w),
            "mcc": lambda w, yes=yes, y=y: theirs.matthews_corrcoef(y, yes, sample_weight=w),
            "balanced_accuracy": lambda w, yes=yes, y=y: theirs.balanced_accuracy_score(y, yes, sample_weight=w),
            "precision": lambda w, yes=yes, y=y: theirs.precision_score(y, yes, sample_weight=w),
            "recall": lambda w, yes=yes, y=y: theirs.recall_score(y, yes, sample_weight=w),
            "brier": lambda w, p=p, y=y: theirs.brier_score_loss(y, p, sample_weight=w),
        }
        known = metrics_of("classification", threshold=0.3)
        for name, function in expected.items():
            np.testing.assert_allclose(known[name].function(p, y, weights), list(map(function, weights)), err_msg=name)


@pytest.mark.parametrize("digits", [10, 0])
def test_metrics_of_numbers_are_those_of_scikit_learn_and_scipy(random, digits):
    from scipy import stats
    from sklearn.metrics import r2_score

    x, y = random.normal(size=(2, 40)).round(digits)
    weights = weightings(random, 40)
    expected = {
        "r2": lambda x, y: r2_score(y, x),
        "spearman": lambda x, y: stats.spearmanr(x, y).statistic,
        "kendall": lambda x, y: stats.kendalltau(x, y).statistic,
    }
    for name, function in expected.items():
        repeated = [function(np.repeat(x, w.astype(int)), np.repeat(y, w.astype(int))) for w in weights]
        np.testing.assert_allclose(METRICS[name].function(x, y, weights), repeated, err_msg=name)


def test_calibration_error_by_hand():
    p, y = np.array([0.05, 0.05, 0.95, 0.95]), np.array([0.0, 0.0, 1.0, 0.0])
    assert METRICS["ece"].value(p, y) == pytest.approx((2 * 0.05 + 2 * 0.45) / 4)
    table = calibration_table(p, y)
    assert [one["molecules"] for one in table] == [2, 2]
    assert table[1]["share"] == 0.5


def test_enrichment_does_not_depend_on_the_order_of_the_table(random):
    p, y = random.random(300).round(1), random.integers(0, 2, 300).astype(float)
    order = random.permutation(300)
    for name in ("bedroc", "enrichment"):
        assert METRICS[name].value(p, y) == METRICS[name].value(p[order], y[order])
    assert METRICS["enrichment"].value(np.arange(100.0), (np.arange(100) >= 90).astype(float)) == 10


@pytest.mark.parametrize(
    ("name", "outputs", "labels", "reason"),
    [
        ("roc_auc", [0.1, 0.9], [1, 1], "all labels are 1"),
        ("pr_auc", [0.1, 0.9], [0, 0], "all labels are 0"),
        ("bedroc", [0.1, 0.9], [0, 0], "all labels are 0"),
        ("mcc", [0.6, 0.9], [0, 1], "all predictions are on one side of the threshold"),
        ("precision", [0.2, 0.2], [0, 1], "all predictions are 0.2"),
        ("spearman", [0.2, 0.3], [4.5, 4.5], "all labels are 4.5"),
        ("kendall", [0.3, 0.3], [4.5, 4.6], "all predictions are 0.3"),
        ("r2", [], [], "no label is known"),
        ("r2", [0.2, 0.3, 0.1], [0.1, 0.1, 0.1], "all labels are 0.1"),
        ("ece", [], [], "no label is known"),
    ],
)
def test_a_metric_without_a_value_says_why(name, outputs, labels, reason):
    outputs, labels = np.array(outputs, dtype=float), np.array(labels, dtype=float)
    assert METRICS[name].value(outputs, labels) is None
    assert METRICS[name].why_undefined(outputs, labels) == reason


def test_a_metric_that_there_is_not():
    with pytest.raises(ExLMError, match="there is no metric 'auc' of a classification; use roc_auc, pr_auc"):
        named_metric("auc", "classification")


def test_errors_of_limits():
    labels = BoundedLabels(np.array([2.0, 30.0, 30.0, 0.1, 0.1]), np.array([0, 1, 1, -1, -1]))
    moved = labels.meet(np.array([3.0, 99.0, 20.0, 0.01, 1.1]))
    np.testing.assert_allclose(moved - labels.values, [1, 0, -10, 0, 1])
    assert labels.censored.tolist() == [False, True, True, True, True]
    exact = BoundedLabels.exact(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(exact.meet(np.array([5.0, 0.0])), [5, 0])
    for bounds in (np.array([0]), np.array([0, 2])):
        with pytest.raises(ExLMError, match="bound"):
            BoundedLabels(np.array([1.0, 2.0]), bounds)


def test_coverage_and_errors_by_uncertainty(random):
    labels = random.normal(size=5000)
    found = coverage(labels, np.full(5000, -1.645), np.full(5000, 1.645))
    assert found["coverage"] == pytest.approx(0.9, abs=0.015)
    assert found["width"] == pytest.approx(3.29)
    assert coverage(np.array([np.nan, 1.0]), np.array([0.0, np.nan]), np.zeros(2))["molecules"] == 0
    scale = random.uniform(0.1, 3, 5000)
    honest = error_by_uncertainty(labels * scale, scale)
    errors = [part["rmse"] for part in honest["fifths"]]
    assert errors == sorted(errors)
    assert honest["spearman"] > 0.4
    assert honest["half"] < 0.7
    useless = error_by_uncertainty(labels, random.random(5000))
    assert abs(useless["spearman"]) < 0.05
    assert error_by_uncertainty(labels, np.ones(5000))["spearman"] is None
    assert error_by_uncertainty(np.empty(0), np.empty(0))["fifths"] == []

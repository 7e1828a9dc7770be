"""Linear heads against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from exlm_chem.errors import ExLMError
from exlm_chem.heads.linear import LOGISTIC_C, RIDGE_ALPHA, fit_linear_head


@pytest.fixture
def features():
    # columns of very different size, one of them constant
    random = np.random.default_rng(0)
    return (random.normal(size=(120, 6)) * [1, 100, 0.01, 1, 1, 0] + 5).astype(np.float32)


def signal(features):
    return (features[:, 0] - 5) + (features[:, 1] - 5) / 100


def groups(features):
    return [f"{index // 2}" for index in range(len(features))]


def outputs(head, features):
    with torch.inference_mode():
        return head(torch.from_numpy(features)).numpy()


def test_ridge_is_that_of_scikit_learn(features):
    labels = 1000 + 50 * signal(features)[:, None] + np.random.default_rng(1).normal(size=(120, 1))
    head, (alpha,) = fit_linear_head(features, labels, "regression", groups(features))
    assert alpha in RIDGE_ALPHA
    x = (features - features.mean(0)) / np.where(features.std(0) > 1e-6, features.std(0), 1)
    y = (labels[:, 0] - labels.mean()) / labels.std()
    expected = Ridge(alpha=alpha).fit(x, y).predict(x) * labels.std() + labels.mean()
    np.testing.assert_allclose(outputs(head, features)[:, 0], expected, rtol=1e-5)
    assert np.abs(outputs(head, features) - labels).max() < 10


@pytest.mark.parametrize("factor", [1e-30, 1e-9, 1e9, 1e30])
def test_the_scale_of_labels_decides_nothing(features, factor):
    labels = signal(features)[:, None] + np.random.default_rng(1).normal(size=(120, 1))
    head, strengths = fit_linear_head(features, labels, "regression", groups(features))
    other, scaled = fit_linear_head(features, labels * factor, "regression", groups(features))
    assert strengths == scaled
    np.testing.assert_allclose(outputs(other, features) / factor, outputs(head, features), rtol=1e-3, atol=1e-5)


def test_logistic_is_that_of_scikit_learn(features):
    labels = (signal(features)[:, None] > 0).astype(float)
    head, (c,) = fit_linear_head(features, labels, "classification", groups(features))
    assert c in LOGISTIC_C
    x = (features - features.mean(0)) / np.where(features.std(0) > 1e-6, features.std(0), 1)
    expected = LogisticRegression(C=c, tol=1e-8, max_iter=1000).fit(x, labels[:, 0]).decision_function(x)
    np.testing.assert_allclose(outputs(head, features)[:, 0], expected, atol=2e-2)
    assert roc_auc_score(labels, outputs(head, features)) > 0.99


def test_noise_gets_a_strong_penalty(features):
    labels = np.random.default_rng(2).normal(size=(120, 1))
    _, (alpha,) = fit_linear_head(features, labels, "regression", groups(features))
    assert alpha >= 100


def test_unknown_labels_have_no_influence(features):
    labels = np.stack([signal(features) > 0, signal(features) > 1], axis=1).astype(float)
    labels[::4, 0] = np.nan
    known = ~np.isnan(labels[:, 0])
    head, _ = fit_linear_head(features, labels, "classification", groups(features))
    labels_of_others = labels.copy()
    labels_of_others[:, 1] = np.nan
    labels_of_others[0, 1] = 1
    again, strengths = fit_linear_head(features, labels_of_others, "classification", groups(features))
    np.testing.assert_allclose(outputs(head, features)[:, 0], outputs(again, features)[:, 0], atol=1e-5)
    assert strengths[1] is None
    assert roc_auc_score(labels[known, 0], outputs(head, features)[known, 0]) > 0.99


def test_a_constant_column_is_predicted_as_such(features):
    head, strengths = fit_linear_head(features, np.full((120, 1), 3.5), "regression", groups(features))
    np.testing.assert_allclose(outputs(head, features), 3.5)
    assert strengths == [None]
    head, _ = fit_linear_head(features, np.ones((120, 1)), "classification", groups(features))
    np.testing.assert_allclose(1 / (1 + np.exp(-outputs(head, features))), 121 / 122, rtol=1e-5)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_few_molecules(features, count):
    labels = (np.arange(count) % 2)[:, None].astype(float)
    for kind in ("classification", "regression"):
        head, _ = fit_linear_head(features[:count], labels, kind, [str(index) for index in range(count)])
        assert np.isfinite(outputs(head, features)).all()


def test_positives_that_share_one_group(features):
    labels = (np.arange(120) < 10)[:, None].astype(float)
    names = ["one" if index < 10 else str(index) for index in range(120)]
    head, _ = fit_linear_head(features, labels, "classification", names)
    assert np.isfinite(outputs(head, features)).all()


def test_the_seed_decides(features):
    labels = signal(features)[:, None] + np.random.default_rng(3).normal(size=(120, 1))
    first, second = (fit_linear_head(features, labels, "regression", groups(features), seed=5)[0] for _ in range(2))
    assert torch.equal(first.out_proj.weight, second.out_proj.weight)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_labels_count_as_much_as_their_weights_say(features, kind):
    labels = signal(features)[:, None]
    labels = (labels > 0).astype(float) if kind == "classification" else labels
    wrong = np.where(np.arange(120)[:, None] % 3 == 0, (1 - labels) if kind == "classification" else 1e6, labels)
    weights = (wrong == labels).astype(float)
    head, _ = fit_linear_head(features, wrong, kind, groups(features), weights=weights)
    other, _ = fit_linear_head(features, np.where(weights > 0, labels, np.nan), kind, groups(features))
    np.testing.assert_allclose(outputs(head, features), outputs(other, features), rtol=1e-4, atol=1e-4)
    with pytest.raises(ExLMError, match="no known label of a weight above 0"):
        fit_linear_head(features, labels, kind, groups(features), weights=np.zeros_like(labels))

"""Tests of differences: against statsmodels and scikit-posthocs, whose numbers are written here, and by simulation."""

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, ttest_rel

from exlm_chem.evaluation.statistics import _residuals, compare_scores, conover, holm, tukey


@pytest.fixture
def scores():
    """Four methods on 25 folds."""
    random = np.random.default_rng(3)
    means = np.array([0.8, 0.78, 0.7, 0.79])[:, None]
    return means + random.normal(size=(1, 25)) * 0.03 + random.normal(size=(4, 25)) * 0.02


def test_anova_is_that_of_statsmodels(scores):
    assert tukey(scores).overall == pytest.approx(3.464841e-28, rel=1e-5)  # AnovaRM, statsmodels 0.15.0


def test_conover_is_that_of_scikit_posthocs(scores):
    pairs = conover(scores)  # posthoc_conover_friedman(p_adjust="holm"), scikit-posthocs 0.17.1
    expected = {(0, 1): 0.000006, (0, 3): 0.050011, (1, 3): 0.004224, (0, 2): 0.0}
    for pair, p in expected.items():
        assert pairs.p_values[pair] == pairs.p_values[pair[::-1]] == pytest.approx(p, abs=1e-6)
    assert pairs.overall == pytest.approx(friedmanchisquare(*scores).pvalue)


def test_tukey_of_two_methods_is_the_paired_t_test(scores):
    assert tukey(scores[:2]).p_values[0, 1] == pytest.approx(ttest_rel(*scores[:2]).pvalue, rel=1e-6)


def test_margin_is_where_a_difference_becomes_significant(scores):
    pairs = tukey(scores)
    for pair in np.ndindex(4, 4):
        assert (abs(pairs.differences[pair]) > pairs.margin) == (pairs.p_values[pair] < 0.05)


def test_methods_that_are_alike_are_told_apart_as_rarely_as_promised():
    random = np.random.default_rng(0)
    samples = [random.normal(size=(4, 25)) + random.normal(size=25) for _ in range(400)]
    assert np.mean([conover(one).p_values.min() < 0.05 for one in samples]) < 0.09
    # Tukey's margin for this scatter, without its slow p-values.
    unit = tukey(samples[0]).margin / np.sqrt((_residuals(samples[0]) ** 2).sum())
    apart = [np.ptp(one.mean(1)) > unit * np.sqrt((_residuals(one) ** 2).sum()) for one in samples]
    assert 0.02 < np.mean(apart) < 0.09


def test_a_known_difference_is_found():
    random = np.random.default_rng(1)
    samples = [np.array([[0.0], [0.0], [2.0]]) + random.normal(size=(3, 25)) for _ in range(50)]
    assert np.mean([conover(one).p_values[0, 2] < 0.05 for one in samples]) > 0.95
    assert tukey(samples[0]).p_values[0, 2] < 0.05


def test_which_test_fits(scores):
    assert compare_scores(scores).test == "tukey"
    wild = scores.copy()
    wild[0, :3] += 3
    assert compare_scores(wild).test == "conover"
    assert "not normal" in compare_scores(wild).reason
    random = np.random.default_rng(0)
    unequal = random.uniform(-1, 1, size=(3, 25)) * np.array([[1.0], [0.9], [0.1]])
    assert compare_scores(unequal).test == "conover"
    assert compare_scores(wild, "tukey").reason == "as asked for"


def test_scores_without_scatter():
    same = np.full((2, 5), 0.5)
    assert compare_scores(same).p_values.min() == 1
    assert tukey(same).p_values.min() == 1
    apart = np.array([[0.5] * 5, [0.6] * 5])
    for test in (tukey, conover):
        assert test(apart).p_values[0, 1] == 0
        assert test(apart).p_values[0, 0] == 1


def test_holm():
    assert holm(np.array([0.5, 0.5])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []

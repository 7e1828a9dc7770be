"""Which of several methods is better, from their scores on the same folds.

Repeated-measures ANOVA and Tukey's honest significant difference, or Friedman's test and Conover's comparisons with
Holm's correction where the scores are far from normal.

References
----------
Ash et al., Practically significant method comparison protocols for machine learning in small molecule drug discovery,
J. Chem. Inf. Model. 65 (2025); Conover, Practical nonparametric statistics (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.evaluation.options import Test

FloatArray = NDArray[np.float64]
LEVEL = 0.05
UNEQUAL = 9.0
"""Variances of methods that differ by more are not those of one ANOVA."""


@dataclass(frozen=True)
class Pairs:
    """How every two methods differ.

    Attributes
    ----------
    test : {"tukey", "conover"}
        How they were compared.
    reason : str
        Why so.
    overall : float
        p-value that all methods are alike: of the ANOVA, or of Friedman's test.
    differences, p_values : arrays of shape (methods, methods)
        Mean score of the method of the row minus that of the column, and its corrected p-value.
    margin : float or None
        Half the width of the simultaneous 95 % intervals of the differences, which Tukey's test gives.
    """

    test: str
    reason: str
    overall: float
    differences: FloatArray
    p_values: FloatArray
    margin: float | None


def compare_scores(scores: FloatArray, test: Test = "auto") -> Pairs:
    """Compare methods by their scores.

    Parameters
    ----------
    scores : array of shape (methods, folds)
        Of at least two methods, on the same folds.
    test : {"auto", "tukey", "conover"}
        With "auto", Tukey's test unless the residuals are not normal or the variances unequal.

    Returns
    -------
    Pairs

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(2, 25)) / 100
    >>> pairs = compare_scores(np.array([[0.8], [0.7]]) + noise)
    >>> pairs.test, bool(pairs.p_values[0, 1] < 0.001)
    ('tukey', True)
    """
    reason = "as asked for"
    if test == "auto":
        test, reason = _fitting(scores)
    return tukey(scores, reason) if test == "tukey" else conover(scores, reason)


def _fitting(scores: FloatArray) -> tuple[Test, str]:
    from scipy.stats import shapiro

    residuals = _residuals(scores)
    if np.ptp(residuals) == 0:
        return "conover", "the scores have no scatter"
    normal = float(shapiro(residuals.ravel()).pvalue)
    variances = scores.var(axis=1, ddof=1)
    ratio = float(variances.max() / variances.min()) if variances.min() > 0 else np.inf
    if normal < LEVEL:
        return "conover", f"the residuals are not normal (Shapiro-Wilk p = {normal:.2g})"
    if ratio > UNEQUAL:
        return "conover", f"the variances of the methods differ {ratio:.3g}-fold"
    return "tukey", f"residuals look normal (Shapiro-Wilk p = {normal:.2g}), variances differ {ratio:.2g}-fold"


def _residuals(scores: FloatArray) -> FloatArray:
    residuals: FloatArray = scores - scores.mean(1, keepdims=True) - scores.mean(0, keepdims=True) + scores.mean()
    return residuals


def tukey(scores: FloatArray, reason: str = "") -> Pairs:
    """Compare by a repeated-measures ANOVA and Tukey's honest significant difference.

    Examples
    --------
    >>> pairs = tukey(np.array([[1.0, 2.0, 3.0, 4.0], [1.1, 2.3, 2.9, 4.3]]))
    >>> round(pairs.overall, 4), round(float(pairs.p_values[0, 1]), 4)
    (0.2152, 0.2152)
    """
    from scipy.stats import f, studentized_range

    methods, folds = scores.shape
    freedom = (methods - 1) * (folds - 1)
    error = float((_residuals(scores) ** 2).sum()) / freedom
    means = scores.mean(1)
    between = folds * float(((means - means.mean()) ** 2).sum()) / (methods - 1)
    differences = means[:, None] - means
    if error == 0:  # no scatter at all: equal, or different without any doubt
        p_values = np.where(differences == 0, 1.0, 0.0)
        return Pairs("tukey", reason, float(between == 0), differences, p_values, 0.0)
    standard = np.sqrt(error / folds)
    p_values, upper = np.ones((methods, methods)), np.triu_indices(methods, 1)  # each pair once: it takes a while
    p_values[upper] = np.clip(studentized_range.sf(np.abs(differences[upper]) / standard, methods, freedom), 0, 1)
    p_values = np.minimum(p_values, p_values.T)
    overall = float(f.sf(between / error, methods - 1, freedom))
    margin = float(studentized_range.ppf(1 - LEVEL, methods, freedom) * standard)
    return Pairs("tukey", reason, overall, differences, p_values, margin)


def conover(scores: FloatArray, reason: str = "") -> Pairs:
    """Compare ranks by Friedman's test, and pairs by Conover's test with Holm's correction.

    Examples
    --------
    >>> pairs = conover(np.array([[1.0, 2.0, 3.0, 4.0], [1.1, 2.3, 3.4, 4.3], [0.3, 0.2, 0.1, 0.4]]))
    >>> pairs.p_values.round(3).tolist()[0]
    [1.0, 0.0, 0.0]
    """
    from scipy.stats import chi2, rankdata, t

    methods, folds = scores.shape
    ranks = rankdata(scores, axis=0)
    sums, squares = ranks.sum(1), float((ranks**2).sum())
    centre = folds * methods * (methods + 1) ** 2 / 4
    spread = squares - centre
    statistic = (methods - 1) * (float((sums**2).sum()) - folds * centre) / spread if spread else 0.0
    freedom = (methods - 1) * (folds - 1)
    scatter = 2 * (folds * squares - float((sums**2).sum())) / freedom
    apart = np.abs(sums[:, None] - sums)
    raw = 2 * t.sf(apart / np.sqrt(scatter), freedom) if scatter > 0 else np.where(apart == 0, 1.0, 0.0)
    p_values = np.ones((methods, methods))
    pairs = list(combinations(range(methods), 2))
    for pair, value in zip(pairs, holm(np.array([raw[pair] for pair in pairs])), strict=True):
        p_values[pair] = p_values[pair[::-1]] = value
    means = scores.mean(1)
    overall = float(chi2.sf(statistic, methods - 1))
    return Pairs("conover", reason, overall, means[:, None] - means, p_values, None)


def holm(p_values: NDArray[Any]) -> FloatArray:
    """Correct p-values for their number, by Holm's steps.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(steps, 1.0)
    return corrected

"""The metrics by their names: what each is called, which side is better, and why it may have no value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.metrics.classes import (
    Confusion,
    weighted_brier,
    weighted_ece,
    weighted_pr_auc,
    weighted_roc_auc,
)
from exlm_chem.finetuning.metrics.numbers import (
    FloatArray,
    weighted_mae,
    weighted_r2,
    weighted_rmse,
    weighted_spearman,
)
from exlm_chem.finetuning.metrics.sampled import bedroc, enrichment, kendall, on_samples
from exlm_chem.terms import Kind

Weighted = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""Outputs, labels and weights (weightings, molecules) in, one number for each weighting out."""


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes
    ----------
    name, title : str
        In JSON, and for a person.
    kind : {"classification", "regression"}
        Of the labels.
    higher_is_better : bool
        Which side is better.
    function : callable
        Computes it; see `Weighted`.
    """

    name: str
    title: str
    kind: Kind
    higher_is_better: bool
    function: Weighted

    def value(self, outputs: FloatArray, labels: FloatArray) -> float | None:
        """Give the metric, or None where `why_undefined` says why."""
        number = self.function(outputs, labels, np.ones((1, len(labels))))[0]
        return None if np.isnan(number) else float(number)

    def why_undefined(self, outputs: FloatArray, labels: FloatArray) -> str | None:
        """Say why the metric has no value; None if it has one.

        Examples
        --------
        >>> METRICS["roc_auc"].why_undefined(np.array([0.2, 0.4]), np.array([1.0, 1.0]))
        'all labels are 1'
        """
        if self.value(outputs, labels) is not None:
            return None
        if not len(labels):
            return "no label is known"
        if len(np.unique(labels)) == 1:
            return f"all labels are {labels[0]:zg}"
        if len(np.unique(outputs)) == 1:
            return f"all predictions are {outputs[0]:z.4g}"
        return "all predictions are on one side of the threshold"


def _at(threshold: float, method: Callable[[Confusion], FloatArray]) -> Weighted:
    return lambda outputs, labels, weights: method(Confusion(outputs, labels, weights, threshold))


def metrics_of(kind: Kind, threshold: float = 0.5) -> dict[str, Metric]:
    """Give all metrics of a kind of labels, the main one first.

    Examples
    --------
    >>> list(metrics_of("regression"))
    ['rmse', 'mae', 'r2', 'spearman', 'kendall']
    """
    if kind == "classification":
        known = [
            Metric("roc_auc", "ROC-AUC", kind, True, weighted_roc_auc),
            Metric("pr_auc", "PR-AUC", kind, True, weighted_pr_auc),
            Metric("mcc", "MCC", kind, True, _at(threshold, Confusion.mcc)),
            Metric("balanced_accuracy", "balanced accuracy", kind, True, _at(threshold, Confusion.balanced_accuracy)),
            Metric("precision", "precision", kind, True, _at(threshold, Confusion.precision)),
            Metric("recall", "recall", kind, True, _at(threshold, Confusion.recall)),
            Metric("bedroc", "BEDROC (20)", kind, True, on_samples(bedroc)),
            Metric("enrichment", "enrichment at 1 %", kind, True, on_samples(enrichment)),
            Metric("brier", "Brier score", kind, False, weighted_brier),
            Metric("ece", "calibration error (ECE)", kind, False, weighted_ece),
        ]
    else:
        known = [
            Metric("rmse", "RMSE", kind, False, weighted_rmse),
            Metric("mae", "MAE", kind, False, weighted_mae),
            Metric("r2", "R2", kind, True, weighted_r2),
            Metric("spearman", "Spearman", kind, True, weighted_spearman),
            Metric("kendall", "Kendall", kind, True, on_samples(kendall)),
        ]
    return {metric.name: metric for metric in known}


METRICS: Final = {**metrics_of("classification"), **metrics_of("regression")}
"""All metrics; those that need a threshold at 0.5."""


def named_metric(name: str, kind: Kind) -> Metric:
    """Give a metric by its name.

    Raises
    ------
    ExLMError
        If labels of this kind have no such metric.
    """
    known = metrics_of(kind)
    if name not in known:
        raise ExLMError(f"there is no metric {quoted(name)} of a {kind}; use {', '.join(known)}")
    return known[name]

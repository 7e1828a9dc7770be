"""How good predictions are."""

from exlm_chem.finetuning.metrics.bounds import BoundedLabels
from exlm_chem.finetuning.metrics.classes import calibration_table, weighted_roc_auc
from exlm_chem.finetuning.metrics.evaluate import (
    MAIN_METRIC,
    bootstrap,
    bootstrap_draws,
    evaluate,
    label_units,
    may_differ_in_units,
    mean_score,
    unscored,
)
from exlm_chem.finetuning.metrics.numbers import weighted_mae, weighted_rmse
from exlm_chem.finetuning.metrics.registry import METRICS, Metric, metrics_of, named_metric
from exlm_chem.finetuning.metrics.uncertainty import coverage, error_by_uncertainty

__all__ = [
    "MAIN_METRIC",
    "METRICS",
    "BoundedLabels",
    "Metric",
    "bootstrap",
    "bootstrap_draws",
    "calibration_table",
    "coverage",
    "error_by_uncertainty",
    "evaluate",
    "label_units",
    "may_differ_in_units",
    "mean_score",
    "metrics_of",
    "named_metric",
    "unscored",
    "weighted_mae",
    "weighted_rmse",
    "weighted_roc_auc",
]

"""Pictures of how good predictions are, where the measured values are known, as SVG."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.terms import Kind, Transform

FloatArray = NDArray[np.float64]

_BLUE: Final = "#1f5fa8"
_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """A column of predictions whose measured values stand in the same table.

    Attributes
    ----------
    kind : {"classification", "regression"}
        Of the predictions.
    name : str
        Of the column.
    label, prediction : int
        Places in a row.
    transform : str
        What of the measured values is predicted.
    """

    kind: Kind
    name: str
    label: int
    prediction: int
    transform: Transform = "none"


def figures(kind: Kind, name: str, labels: FloatArray, predictions: FloatArray) -> list[tuple[str, str]]:
    """Draw what is usual for a column.

    Parameters
    ----------
    kind : {"classification", "regression"}
        ROC, precision against recall and calibration; or predicted against measured values.
    name : str
        Of the column.
    labels, predictions : array of shape (molecules,)
        Molecules of which one is NaN are left out, and of classes those whose label is neither 0 nor 1.

    Returns
    -------
    list of (str, str)
        A title and an SVG picture each; none if there are fewer than two molecules, or only one class.

    Examples
    --------
    >>> [title for title, _ in figures("regression", "esol", np.array([1.0, 2.0]), np.array([1.5, 2.0]))]
    ['esol: predicted against measured, 2 molecules']
    """
    known = ~np.isnan(labels) & ~np.isnan(predictions)
    if kind == "classification":  # a table may say something else there: 1 and 2, or a measurement
        known &= np.isin(labels, (0, 1))
    labels, predictions = labels[known], predictions[known]
    if len(labels) < 2 or (kind == "classification" and len(np.unique(labels)) < 2):
        return []
    if kind == "regression":
        return [(f"{name}: predicted against measured, {len(labels):,} molecules", _parity(labels, predictions))]
    return [
        (f"{name}: ROC, {len(labels):,} molecules, {int(labels.sum()):,} of them 1", _roc(labels, predictions)),
        (f"{name}: precision against recall", _precision_recall(labels, predictions)),
        (f"{name}: calibration", _calibration(labels, predictions)),
    ]


def _roc(labels: FloatArray, probabilities: FloatArray) -> str:
    from sklearn.metrics import roc_auc_score, roc_curve

    false, true, _ = roc_curve(labels, probabilities)
    figure, axes = _axes("false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], color="0.8", lw=1)
    axes.plot(false, true, color=_BLUE)
    axes.set_title(f"AUC {roc_auc_score(labels, probabilities):.3f}", fontsize=9)
    return _svg(figure)


def _precision_recall(labels: FloatArray, probabilities: FloatArray) -> str:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(labels, probabilities)
    figure, axes = _axes("recall", "precision")
    axes.axhline(labels.mean(), color="0.8", lw=1)
    axes.step(recall, precision, where="post", color=_BLUE)
    axes.set_title(f"average precision {average_precision_score(labels, probabilities):.3f}", fontsize=9)
    axes.set_ylim(0, 1.02)
    return _svg(figure)


def _calibration(labels: FloatArray, probabilities: FloatArray) -> str:
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    filled = counts > 0
    said, true = (np.bincount(bins, values, _BINS)[filled] / counts[filled] for values in (probabilities, labels))
    figure, axes = _axes("predicted probability", "share of 1")
    axes.plot([0, 1], [0, 1], color="0.8", lw=1)
    axes.plot(said, true, "o-", color=_BLUE, ms=4)
    error = (np.abs(said - true) * counts[filled]).sum() / len(labels)
    axes.set_title(f"expected error {error:.3f}", fontsize=9)
    return _svg(figure)


def _parity(labels: FloatArray, predictions: FloatArray) -> str:
    figure, axes = _axes("measured", "predicted")
    both = np.concatenate([labels, predictions])
    axes.plot([both.min(), both.max()], [both.min(), both.max()], color="0.8", lw=1)
    # Many points are one image in the picture, or it would weigh megabytes.
    axes.scatter(labels, predictions, s=8, color=_BLUE, alpha=0.5, lw=0, rasterized=len(labels) > 2000)
    error = np.sqrt(((labels - predictions) ** 2).mean())
    axes.set_title(f"RMSE {error:.3g}, MAE {np.abs(labels - predictions).mean():.3g}", fontsize=9)
    return _svg(figure)


def _axes(x: str, y: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # without pyplot: no window and no state of the process

    figure = Figure(figsize=(3.2, 3.0), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> str:
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "exlm"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}, dpi=150)
    return re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)

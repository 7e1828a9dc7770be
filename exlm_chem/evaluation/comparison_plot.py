"""The picture of a comparison: means with simultaneous intervals, and the matrix of differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.evaluation.comparison import Comparison
from exlm_chem.evaluation.statistics import LEVEL
from exlm_chem.storage import write_file

FORMATS = ("png", "svg", "pdf")
_COLOURS = {"best": "#1f77b4", "equal": "#888888", "worse": "#d62728"}


def plot(comparison: Comparison, path: str | Path) -> None:
    """Draw a comparison.

    Parameters
    ----------
    comparison : Comparison
        The result.
    path : path
        The picture: .png, .svg or .pdf.

    Raises
    ------
    ExLMError
        If the name has another suffix.
    """
    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise ExLMError(f"{quoted(path.name)} is no picture that can be drawn; call it .png, .svg or .pdf")
    from matplotlib.figure import Figure

    methods = len(comparison.scores.methods)
    figure = Figure(figsize=(11, 1.8 + 0.5 * methods), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    _means(left, comparison)
    _matrix(right, comparison)
    pairs = comparison.pairs
    name = {"tukey": "Tukey HSD", "conover": "Conover, Holm"}[pairs.test]
    figure.suptitle(f"{len(comparison.scores.folds)} folds, {name}; p (all alike) = {pairs.overall:.2g}", fontsize=10)
    with write_file(path) as file:
        figure.savefig(file, format=form, dpi=150)


def _means(axes: Any, comparison: Comparison) -> None:
    """Draw the mean of every method; two intervals of Tukey's test that do not touch differ."""
    scores, margin = comparison.scores, comparison.pairs.margin
    for place, (values, worse) in enumerate(zip(scores.array, comparison.worse(), strict=True)):
        colour = _COLOURS["worse" if worse else "equal" if place else "best"]
        axes.plot(values, np.full(len(values), place) + 0.18, ".", color=colour, alpha=0.25, markersize=4)
        half = None if margin is None else margin / 2
        axes.errorbar(values.mean(), place, xerr=half, fmt="o", color=colour, capsize=3)
    axes.set_yticks(range(len(scores.methods)), scores.methods)
    axes.invert_yaxis()
    side = "higher" if scores.metric.higher_is_better else "lower"
    axes.set_xlabel(f"{scores.metric.title} ({side} is better)")
    axes.spines[["top", "right"]].set_visible(False)


def _matrix(axes: Any, comparison: Comparison) -> None:
    """Draw the difference of every two methods, blue where the row is better, with stars for p-values."""
    pairs, metric = comparison.pairs, comparison.scores.metric
    better = pairs.differences if metric.higher_is_better else -pairs.differences
    limit = max(float(np.abs(better).max()), 1e-9)
    axes.imshow(better, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    for row, column in np.ndindex(better.shape):
        if row != column:
            p = pairs.p_values[row, column]
            stars = "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < LEVEL else ""
            shade = "white" if abs(better[row, column]) > 0.6 * limit else "black"
            text = f"{pairs.differences[row, column]:+.3f}{stars}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=shade)
    names = comparison.scores.methods
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_title("row minus column; * p < .05, ** .01, *** .001", fontsize=9)

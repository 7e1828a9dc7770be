"""The picture of a grid of repeated masked language models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from exlm_chem.analysis.picture import new_figure, save_figure

_PANELS = {
    "accuracy": "masked copies right",
    "accuracy_of_lost": "right where no copy is left",
    "MolLogP": "logP from frozen vectors, R²",
    "qed": "QED from frozen vectors, R²",
}


def draw_semantics(cells: Sequence[dict[str, Any]], path: str | Path) -> None:
    """Draw a heat map for everything that was measured; each cell says its lost meaning, too.

    Parameters
    ----------
    cells : sequence of dict
        From `measure_semantics`.
    path : path
        The picture: .png, .svg or .pdf.
    """
    copies, masked = (sorted({cell[name] for cell in cells}) for name in ("copies", "masked"))
    figure = new_figure((3.4 * len(_PANELS), 0.9 + 0.75 * len(copies)))
    for axes, (name, title) in zip(np.atleast_1d(figure.subplots(1, len(_PANELS))), _PANELS.items(), strict=True):
        grid = np.full((len(copies), len(masked)), np.nan)
        for cell in cells:
            grid[copies.index(cell["copies"]), masked.index(cell["masked"])] = _number(cell[name])
        axes.imshow(grid, cmap="viridis", aspect="auto")
        middle = np.nanmean([np.nanmin(grid), np.nanmax(grid)]) if np.isfinite(grid).any() else 0.0
        for cell in cells:
            place = masked.index(cell["masked"]), copies.index(cell["copies"])
            value = _number(cell[name])
            text = f"{value:.2f}\nlost {cell['lost']:.2f}"
            axes.text(*place, text, ha="center", va="center", fontsize=8, color="white" if value < middle else "black")
        axes.set_xticks(range(len(masked)), [f"{share:.0%}" for share in masked])
        axes.set_yticks(range(len(copies)), [str(number) for number in copies])
        axes.set(title=title, xlabel="share of [MASK]", ylabel="copies of a token")
    save_figure(figure, path)


def _number(value: float | None) -> float:
    return np.nan if value is None else value

"""A map of molecules as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from exlm_chem.analysis.molecule_map import MOST_GROUPS, MoleculeMap
from exlm_chem.analysis.picture import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE: Final = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf", "#393b79",
)  # fmt: skip
OTHER: Final = "#7f7f7f"
UNKNOWN: Final = "#d0d4da"


def draw_map(made: MoleculeMap) -> Figure:
    """Draw a map in its first colours.

    Parameters
    ----------
    made : MoleculeMap
        From `map_molecules`.
    """
    figure = new_figure((7.5, 6.5))
    axes = figure.add_subplot()
    x, y = made.points.T
    size = float(np.clip(20_000 / len(x), 6, 60))
    drawn: dict[str, Any] = {"s": size, "linewidths": 0, "rasterized": True}
    if not made.colours:
        axes.scatter(x, y, color=PALETTE[0], alpha=0.7, **drawn)
    else:
        colour = made.colours[0]
        values = np.array([np.nan if value is None else value for value in colour.values])
        axes.scatter(x[np.isnan(values)], y[np.isnan(values)], color=UNKNOWN, **drawn)
        if colour.groups:
            for group, name in enumerate(colour.groups):
                of = values == group
                axes.scatter(
                    x[of], y[of], color=group_colour(group), alpha=0.8, label=f"{name} ({of.sum():,})", **drawn
                )
            axes.legend(title=colour.name, fontsize=8, markerscale=1.5, loc="best")
        else:
            low, high = colour.ends
            known = ~np.isnan(values)
            points = axes.scatter(
                x[known], y[known], c=values[known], cmap="viridis", vmin=low, vmax=high, alpha=0.8, **drawn
            )
            figure.colorbar(points, ax=axes, label=colour.name, extend="both", shrink=0.8)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"{len(x):,} molecules", fontsize=10)
    return figure


def group_colour(group: int) -> str:
    """Give the colour of a group; the one behind all named ones is grey."""
    return PALETTE[group] if group < MOST_GROUPS else OTHER

"""The picture of multimodality: agreement by number of masks, modes and entropy by class of token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exlm_chem.analysis.picture import new_figure, save_figure
from exlm_chem.analysis.token_classes import CLASSES

_ANSWERS = {
    "path_valid": ("best path", "o-"),
    "argmax_valid": ("best of each mask", "s--"),
    "samples_of_paths_valid": ("drawn paths", "^-."),
    "samples_of_each_valid": ("drawn for each mask", "v:"),
}
_BARS = {"valid_modes": "modes that make a molecule", "entropy": "entropy of a mask (nats)"}


def draw_multimodality(results: dict[str, Any], path: str | Path) -> None:
    """Draw what `exlm_chem.analysis.multimodality.measure_multimodality` gives.

    Parameters
    ----------
    results : dict
    path : path
        The picture: .png, .svg or .pdf.
    """
    figure = new_figure((14, 4))
    axes, *bars = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    for number, (name, result) in enumerate(results.items()):
        counts = list(result["by_masks"])
        for key, (label, style) in _ANSWERS.items():
            shares = [result["by_masks"][count][key] for count in counts]
            axes.plot([int(count) for count in counts], shares, style, color=f"C{number}", label=f"{name}: {label}")
    axes.set(xlabel="masks of a molecule", ylabel="share of answers that are molecules", ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize="x-small")
    classes = [kind for kind in CLASSES if any(kind in result["by_class"] for result in results.values())]
    width = 0.8 / len(results)
    for one, (key, title) in zip(bars, _BARS.items(), strict=True):
        for number, (name, result) in enumerate(results.items()):
            places = [place + width * (number + 0.5) - 0.4 for place in range(len(classes))]
            heights = [result["by_class"].get(kind, {}).get(key, 0.0) for kind in classes]
            one.bar(places, heights, width, color=f"C{number}", label=name)
        one.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
        one.set_ylabel(title)
        one.legend(frameon=False, fontsize="x-small")
    save_figure(figure, path)

"""Tables of small pretraining runs for the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final


def _additions(content: dict[str, Any]) -> str:
    """List what each variant came to, random splits inside of the training parts before the validation parts."""
    settings, mean = content["settings"], content["mean"]
    tasks = settings["tasks"]
    lines = [f"| variant | molecules | masked tokens right | {' | '.join(tasks)} |", "|---" * (len(tasks) + 3) + "|"]
    for name, one in mean.items():
        scores = (f"{one[task]:.3f} / {one[f'{task}, validation']:.3f}" for task in tasks)
        lines.append(f"| {name} | {one['molecules']:,.0f} | {one['masked tokens right']:.3f} | {' | '.join(scores)} |")
    seeds = sorted({one["seeds"] for one in mean.values()})
    number = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0])
    return "\n".join([*lines, "", f"{settings['minutes']:g} minutes of training each; number of seeds: {number}."])


TABLES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {"additions": _additions}

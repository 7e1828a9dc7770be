"""The tables of `docs/paper.md`, each made from the result of its script."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final


def room(content: dict[str, Any]) -> str:
    """Set what each mask says by itself beside the chain."""
    lines = [
        "| hidden | masks per molecule | each mask by itself | exlm's joint answer | filled in one by one | room |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for kind, found in content["nats_per_masked_token"].items():
        numbers = [f"{found[name]:.3f}" for name in ("each", "joint", "chain")]
        won = found["each"] - found["chain"]
        lines.append(f"| {kind} | {found['masks_per_molecule']} | {' | '.join(numbers)} | {won:.3f} |")
    return "\n".join(lines)


def states(content: dict[str, Any]) -> str:
    """List the rules with their losses, and how many states are in use where they were trained."""
    results = content["results"].values()
    kinds = [name for name, value in next(iter(results)).items() if isinstance(value, dict)]
    trained = f"{next(iter(results))['kind']} {next(iter(results))['ratio']:g}"
    head = ["rule", "steps", "CPU seconds", *kinds, "entropy per mask", "masks with two states"]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    for one in results:
        losses = [f"{one[kind]['loss']:.3f}" for kind in kinds]
        health = [f"{one[trained]['entropy']:.2f}", f"{one[trained]['two_states']:.0%}"]
        if one["rule"].startswith("mlm"):
            health = ["-", "-"]
        lines.append(f"| {one['rule']} | {one['steps']:,} | {one['cpu_seconds']:.0f} | {' | '.join(losses + health)} |")
    return "\n".join(lines)


def text(content: dict[str, Any]) -> str:
    """Set exlm beside mlm on English, and what the probe says without either."""
    lines = [
        "| | texts shown | nats per masked token | masked tokens right | book told |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in ("exlm", "mlm"):
        one = content[name]
        measured = f"{one['loss per masked token']:.3f} | {one['accuracy']:.3f} | {one['probe']:.3f}"
        lines.append(f"| {name} | {one['texts shown']:,} | {measured} |")
    for name, label in {
        "untrained": "the encoder before training",
        "which words": "which words occur",
        "the most frequent class": "always the most frequent book",
    }.items():
        lines.append(f"| {label} | - | - | - | {content['probe'][name]:.3f} |")
    return "\n".join(lines)


def ablation(content: dict[str, Any]) -> str:
    """List what each part of the model is worth: means over the seeds, and half their 95 % interval."""
    from exlm_chem.analysis.ablation import summarise  # torch, which no other table needs

    cells = content["cells"]
    head = "variant,seeds,nats per masked token,masked tokens right,path entropy,logP R²,QED R²,CPU seconds".split(",")
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for variant, measured in summarise(cells).items():
        seeds = sum(cell["variant"] == variant for cell in cells.values())
        digits = {
            "loss_per_masked_token": 3,
            "accuracy": 3,
            "path_entropy": 2,
            "MolLogP": 3,
            "qed": 3,
            "cpu_seconds": 0,
        }
        numbers = [_with_interval(*measured[name], places) for name, places in digits.items()]
        lines.append(f"| {variant} | {seeds} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def _with_interval(mean: float, half: float, digits: int) -> str:
    if math.isnan(mean):
        return "-"
    return f"{mean:.{digits}f}" + ("" if math.isnan(half) else f" ± {half:.{digits}f}")


TABLES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {"room": room, "states": states, "text": text}
"""By the name of the script, and of the markers on the page."""

"""The tables of `docs/paper.md`, each made from the result of its script."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean
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
    """List the rules with their losses, and how many states are in use where they were trained; means over seeds."""
    results = list(content["results"].values())
    kinds = [name for name, value in results[0].items() if isinstance(value, dict)]
    trained = f"{results[0]['kind']} {results[0]['ratio']:g}"
    head = ["rule", "steps", "CPU seconds", *kinds, "entropy per mask", "masks with two states"]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    for rule in dict.fromkeys(one["rule"] for one in results):
        runs = [one for one in results if one["rule"] == rule]
        losses = [_with_spread([one[kind]["loss"] for one in runs]) for kind in kinds]
        used = [fmean(one[trained][name] for one in runs) for name in ("entropy", "two_states")]
        health = ["-", "-"] if rule.startswith("mlm") else [f"{used[0]:.2f}", f"{used[1]:.0%}"]
        facts = [rule, f"{runs[0]['steps']:,}", f"{fmean(one['cpu_seconds'] for one in runs):.0f}"]
        lines.append(f"| {' | '.join(facts + losses + health)} |")
    seeds = len({one["seed"] for one in results})
    return "\n".join([*lines, "", f"Means over {seeds} seeds, and their least and most."])


def _with_spread(values: list[float]) -> str:
    return f"{fmean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


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

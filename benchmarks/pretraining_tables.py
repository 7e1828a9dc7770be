"""Tables of small pretraining runs for the pages."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any, Final

from benchmarks.predictor_tables import metric_of

_WAYS: Final = ("random splits", "validation")


def _additions(content: dict[str, Any]) -> str:
    """List what each variant came to, random splits inside of the training parts before the validation parts."""
    settings, mean = content["settings"], content["mean"]
    tasks, first = settings["tasks"], next(iter(mean))
    head = ["variant", "molecules", "masked tokens right", *tasks, "better than the first"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, one in mean.items():
        scores = (f"{one[task]:.3f} / {one[f'{task}, validation']:.3f}" for task in tasks)
        ahead = "-" if name == first else " / ".join(_ahead(content, name, first, way) for way in _WAYS)
        lines.append(
            f"| {name} | {one['molecules']:,.0f} | {one['masked tokens right']:.3f} | {' | '.join(scores)} | {ahead} |"
        )
    seeds = sorted({one["seeds"] for one in mean.values()})
    number = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0])
    return "\n".join([*lines, "", f"{settings['minutes']:g} minutes of training each; number of seeds: {number}."])


def _ahead(content: dict[str, Any], name: str, other: str, way: str) -> str:
    """Count the pairs of a table and a seed in which one variant is better than another."""
    gains = []
    for seed in range(content["mean"][name]["seeds"]):
        one, two = (content["results"][f"{variant}, seed {seed}"][way] for variant in (name, other))
        gains += [metric_of(task)[1] * (one[task] - two[task]) for task in content["settings"]["tasks"]]
    return f"{sum(gain > 0 for gain in gains)} of {len(gains)}"


def _twins(content: dict[str, Any]) -> str:
    """Set the objectives beside each other, means over the seeds, and say what the pairs say."""
    settings, results, verdict = content["settings"], content["results"], content["verdict"]
    tasks, kinds = settings["tasks"], dict.fromkeys(key.rpartition(", seed")[0] for key in results)
    head = ["objective", "molecules", "CPU seconds", "nats per masked token", "masked tokens right", *tasks]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for kind in kinds:
        runs = [one for key, one in results.items() if key.rpartition(", seed")[0] == kind]
        facts = {name: fmean(one[name] for one in runs) for name in runs[0] if name != "test"}
        cells = [kind, f"{facts['molecules']:,.0f}", f"{facts['cpu_seconds']:.0f}"]
        cells += [f"{facts['loss per masked token']:.3f}", f"{facts['masked tokens right']:.3f}"]
        cells += [f"{fmean(one['test'][task] for one in runs):.3f}" for task in tasks]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for twin, one in verdict.items():
        low, high = one["interval over tables"]
        lines.append(
            f"exlm against {twin}: {one['mean gain of exlm']:+.3f} on the mean (95 % over tables {low:+.3f} to "
            f"{high:+.3f}), better in {one['pairs won']} of {one['pairs']} pairs of a table and a seed, Wilcoxon p = "
            f"{one['Wilcoxon p over pairs']:.2g}."
        )
    return "\n".join(lines)


def _vectors(content: dict[str, Any]) -> str:
    """List what vectors of each kind are worth, random splits inside of the training parts before validation."""
    tasks = content["tasks"]
    lines = [f"| vectors | {' | '.join(tasks)} |", "|---" * (len(tasks) + 1) + "|"]
    for name, one in content["results"].items():
        scores = (f"{one['random splits'][task]:.3f} / {one['validation'][task]:.3f}" for task in tasks)
        lines.append(f"| {name} | {' | '.join(scores)} |")
    return "\n".join(lines)


def _optimizers(content: dict[str, Any]) -> str:
    """List what was learnt with each optimizer, and what a step of it takes."""
    columns = {
        "loss_per_masked_token": "nats per masked token",
        "validation_accuracy": "masked tokens right",
        "validation_descriptors": "descriptors, mean squared error",
    }
    lines = [f"| objective, optimizer | molecules | {' | '.join(columns.values())} |", "|---" * 5 + "|"]
    for name, one in content["results"].items():
        lines.append(f"| {name} | {one['molecules']:,.0f} | {' | '.join(f'{one[key]:.3f}' for key in columns)} |")
    has = "with" if content["bfloat16 in hardware"] else "without"
    steps = [
        f"{preset}: " + ", ".join(f"{name} {seconds:.3f} s" for name, seconds in one.items())
        for preset, one in content["step seconds"].items()
    ]
    lines += ["", f"`{content['preset']}`, {content['seconds']:g} seconds of training each."]
    lines.append(f"A step of the optimizer on a processor {has} instructions for bfloat16: {'; '.join(steps)}.")
    return "\n".join(lines)


TABLES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "additions": _additions,
    "twins": _twins,
    "optimizers": _optimizers,
    "averages": _vectors,
    "poolings": _vectors,
}

"""The table of the predictors that ship: what each says, and how good it is beside fingerprints and descriptors."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.writer import ROOT
from exlm_chem.finetuning.card import METRIC_NAMES


def tasks() -> str:
    """Say what the predictors that ship predict, in what unit, from where it is a yes, and how good they are."""
    lines = [
        "| `--task` | the number | unit | a yes from | on molecules of new scaffolds (95 %) | ECFP | descriptors |",
        "|---" * 7 + "|",
    ]
    shipped = [json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob("exlm_chem/zoo/*/task.json")]
    for task in sorted(shipped, key=lambda task: (len(task["columns"]), task["name"])):
        metric = "roc_auc" if task["kind"] == "classification" else "rmse"
        test = task["metrics"]["test"]
        good = f"{METRIC_NAMES[metric]} {score({'value': test[metric], 'interval': test['interval']})}"
        several = len(task["columns"]) > 1
        thresholds = {column["threshold"] for column in task["columns"]}
        meaning = f"{task['title']}: {len(task['columns'])} numbers" if several else task["columns"][0]["meaning"]
        yes = "-" if thresholds == {None} else "see its page" if len(thresholds) > 1 else thresholds.pop()
        others = (task["metrics"].get("blocks", {}).get(block) for block in ("ecfp", "descriptors"))
        beside = " | ".join("-" if one is None else f"{one[metric]:.3f}" for one in others)
        lines.append(f"| `{task['name']}` | {meaning} | {task['columns'][0]['unit']} | {yes} | {good} | {beside} |")
    return "\n".join(lines)


def score(measured: dict[str, Any]) -> str:
    """Write a metric with its interval."""
    low, high = measured["interval"]
    return f"{measured['value']:.3f} ({low:.3f} to {high:.3f})"

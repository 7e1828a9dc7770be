"""The model card of a predictor, written from what is known of its training and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

from exlm_chem.errors import printable
from exlm_chem.finetuning.metrics import may_differ_in_units, unscored
from exlm_chem.predictors.task import AS_MEASURED
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.terms import Kind

METRIC_NAMES = {"roc_auc": "ROC-AUC", "rmse": "RMSE", "mae": "MAE"}
MOST_COLUMNS = 30
"""Outputs of which a card or a page says everything; of the others ``task.json`` does."""


def predictor_card(task: PredictorTask, facts: dict[str, Any]) -> str:
    """Write the ``README.md`` of a predictor.

    Parameters
    ----------
    task : PredictorTask
        What it predicts and how good it is.
    facts : dict
        The content of ``run.json``.

    Returns
    -------
    str
        Markdown.
    """
    from exlm_chem.finetuning.methods.registry import METHODS  # and with them torch, which a reader of cards can spare

    data, split = facts["data"], task.split
    file = printable(data["file"])
    sizes = ", ".join(f"{split['molecules'][part]:,} {part}" for part in ("train", "valid", "test"))
    method = METHODS[facts["method"]].description
    if facts["method"] == "head":
        head = _kept_run(facts).get("head", facts["options"]["head"])
        method = f"head {printable(head)} on {', '.join(task.blocks)}; the encoder stays as it is"
    outputs = "\n".join(
        _line(column.name, column.unit, _range(column.range), column.direction, column.meaning)
        for column in task.columns[:MOST_COLUMNS]
    )
    more = len(task.columns) - MOST_COLUMNS
    outputs += f"\n\nand {more:,} more outputs, in `task.json`." if more > 0 else ""
    left_out = f"; {data['left_out']:,} rows were left out" if data["left_out"] else ""
    conflicts = (
        f", {data['conflicting']:,} of them with labels that contradict each other" if data["conflicting"] else ""
    )
    layer = "" if task.layer == -1 else f"; its vectors are of layer {task.layer}"
    source = f"\nLabels: {facts['source']}. Licence: {facts['licence']}.\n" if facts["source"] else ""
    return f"""# Predictor "{printable(task.name)}": {printable(task.title)}

| | |
|---|---|
| kind | {task.kind} |
| method | {method} |
| encoder | {facts["model"]} ({(task.encoder.sha256 or "")[:16]}){layer} |
| features | {_features(task)} |
| molecules | {data["molecules"]:,} of {file}{left_out}; {data["repeated"]:,} occur more than once{conflicts} |
| split | {sizes}; {printable(split["description"])} |
| standardisation | {task.standardise} |

| output | unit | range | wanted | meaning |
|---|---|---|---|---|
{outputs}

## How good it is

{metrics_table(task)}

Intervals hold 95 % of the bootstrap samples of the molecules: with other molecules of the same kind, numbers like these
are to be expected. Of molecules unlike the training molecules nothing is known here{_kept(task)}.
{_blocks(task)}{_yes(task)}{_head(facts)}{_cross_validation(task)}{source}
`task.json` describes the outputs, `splits.json` says which row of the table was in which part, `run.json` how the
training went{_more_files(task)}.
"""


def _features(task: PredictorTask) -> str:
    """Say what it reads of a row."""
    beside = "; ".join(map(str, task.extra_columns))
    return ", ".join(task.blocks) + (f"; besides the molecules it needs {printable(beside)}" if beside else "")


def _kept(task: PredictorTask) -> str:
    """Say how such molecules are told, if the predictor can tell them."""
    if task.training is None:
        return ""
    return (
        f"; `predict` tells them in the column `{task.name}_in_domain`. The molecules of training and validation and "
        "their labels are kept for that, in `training.safetensors.zst`"
    )


def _cross_validation(task: PredictorTask) -> str:
    summary = task.metrics.get("cross_validation")
    if summary is None:
        return ""
    return f"""
Cross-validation ({printable(summary["rule"])}): {folds_in_words(summary)}. Each fold was a training of its own; the
predictor here is that of the split above.
"""


def _more_files(task: PredictorTask) -> str:
    if "cross_validation" not in task.metrics:
        return ""
    return "; `predictions.csv` has what was predicted in every fold, `folds.json` which rows these were"


def _blocks(task: PredictorTask) -> str:
    rows = block_rows(task.kind, task.metrics)
    if not rows:
        return ""
    lines = "\n".join(_line(*row) for row in rows[1:])
    return f"""
{_line(*rows[0])}
|---|---|---|
{lines}

The same heads on one kind of features alone, and on all of them, on the test part.
"""


def block_rows(kind: str, metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Say how good the same heads are on one block alone: a head and a row for each block, the last for all together.

    Examples
    --------
    >>> test = {"rmse": 0.7, "interval": [0.6, 0.8]}
    >>> blocks = {"ecfp": {"rmse": 0.9, "interval": [0.8, 1.0]}}
    >>> for row in block_rows("regression", {"test": test, "blocks": blocks}):
    ...     print(row)
    ('features', 'RMSE', '95 % interval')
    ('ecfp alone', '0.900', '0.800 to 1.00')
    ('all', '0.700', '0.600 to 0.800')
    """
    if not metrics.get("blocks") or not metrics.get("test"):
        return []
    name = "roc_auc" if kind == "classification" else "rmse"
    judged = {**{f"{block} alone": one for block, one in metrics["blocks"].items()}, "all": metrics["test"]}
    rows = [("features", METRIC_NAMES[name], "95 % interval")]
    return [*rows, *((block, format_number(one[name]), _interval(one)) for block, one in judged.items())]


def _interval(result: dict[str, Any]) -> str:
    return " to ".join(format_number(bound) for bound in result["interval"]) if result["interval"] else "-"


def _yes(task: PredictorTask) -> str:
    """Say from where an output is a yes, and what a yes is worth."""
    judged = task.metrics.get("out_of_fold")
    if not judged:
        return ""
    lines = [
        _line(name, *(format_number(column[key]) for key in ("threshold", "precision", "recall", "ece")))
        for name, column in islice(judged.items(), MOST_COLUMNS)
    ]
    return f"""
| output | yes from | precision: a yes is right | recall: of class 1 found | calibration error (ECE, 10 bins) |
|---|---|---|---|---|
{chr(10).join(lines)}

Of the training molecules, each predicted by a model that has {_unseen(task.split["name"])}.
"""


def _unseen(split: str) -> str:
    """Say what a model has not seen of a molecule that is held out: it, or all of its group of the split."""
    group = {"scaffold": "its scaffold", "butina": "its cluster", "group": "its group"}.get(split.partition(" ")[0])
    return "not seen it" if group is None else f"seen neither it nor {group}"


def _head(facts: dict[str, Any]) -> str:
    """Say what was chosen while the head was fitted."""
    lines = [f"* {name}: {_in_words(value)}" for name, value in _kept_run(facts).get("choices", {}).items()]
    return "\nHow the head was fitted:\n\n" + "\n".join(map(printable, lines)) + "\n" if lines else ""


def _kept_run(facts: dict[str, Any]) -> dict[str, Any]:
    """Give what is said of the training that is kept."""
    return facts.get("ensemble") or next((run for run in facts.get("runs", ()) if run["seed"] == facts["seed"]), {})


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    return format_number(value) if isinstance(value, float) else str(value)


def metrics_table(task: PredictorTask) -> str:
    """Write the metrics of a predictor as a Markdown table: a line for each part, and for each column of several."""
    metrics = ["roc_auc"] if task.kind == "classification" else ["rmse", "mae"]
    head = ["part", "column", *(METRIC_NAMES[name] for name in metrics), "95 % interval", "known labels"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    remarks: list[str] = []
    for part in ("valid", "test"):
        result = task.metrics.get(part)
        if result is None:
            remarks += ["No molecules in test: how good it is on new ones is not known."] if part == "test" else []
            continue
        several = len(result["columns"]) > 1
        name = f"mean of {result['scored']} of {len(result['columns'])}" if several else next(iter(result["columns"]))
        known = sum(column["known"] for column in result["columns"].values())
        numbers = (format_number(result[metric]) for metric in metrics)
        lines.append(_line(part, name, *numbers, _interval(result), f"{known:,}"))
        for column, values in islice(result["columns"].items(), MOST_COLUMNS) if several else ():
            numbers = (format_number(values[metric]) for metric in metrics)
            lines.append(_line(part, column, *numbers, "", f"{values['known']:,}"))
        reasons = unscored(result, metrics[0])
        remarks += [f"No {METRIC_NAMES[metrics[0]]} in {part}: {'; '.join(reasons)}."] if reasons else []
    if task.metrics.get("valid") or task.metrics.get("test"):
        remarks += remark_on_mean(task.kind, [column.unit for column in task.columns])
    return "\n".join([*lines, *("\n" + printable(remark) for remark in remarks)])


def remark_on_mean(kind: Kind, units: Sequence[str]) -> list[str]:
    """Say that a mean over columns is no number of any of them, where they have several units or may have.

    Examples
    --------
    >>> remark_on_mean("regression", ["mg/L", "mg/L"]), len(remark_on_mean("regression", ["mg/L", "hours"]))
    ([], 1)
    """
    one_unit = len(set(units)) == 1 and AS_MEASURED not in units
    if one_unit or not may_differ_in_units(kind, len(units)):
        return []
    return [
        "The mean is over columns that may have several units, and the largest rules it; each has a line of its own."
    ]


def folds_in_words(summary: dict[str, Any]) -> str:
    """Say how good it was on the folds.

    Examples
    --------
    >>> scores = {"scored": 5, "mean": 0.71, "sd": 0.04}
    >>> folds_in_words({"folds": 5, "metric": "roc_auc", "test": scores})
    'test roc_auc 0.710 +- 0.0400 (mean and standard deviation of 5 of 5 folds)'
    """
    test = summary["test"]
    spread = f"{format_number(test['mean'])} +- {format_number(test['sd'])}"
    count = f"{test['scored']} of {summary['folds']} folds"
    return f"test {summary['metric']} {spread} (mean and standard deviation of {count})"


def format_number(value: float | None) -> str:
    """Write a metric with three significant digits, or "-" where there is none.

    Examples
    --------
    >>> [format_number(value) for value in (0.71234, 12.345, 1234.5, 3.7e-9, None)]
    ['0.712', '12.3', '1230', '3.70e-09', '-']
    """
    if value is None:
        return "-"
    rounded = float(f"{value:z.2e}")
    if rounded == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{max(places, 0)}f}" if -3 <= places <= 5 else f"{rounded:.2e}"


def _line(*cells: str) -> str:
    return "| " + " | ".join(printable(cell).replace("|", "\\|") for cell in cells) + " |"


def _range(bounds: tuple[float, float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:zg} to {bounds[1]:zg}"

"""What fine-tuning tells its user on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np

from exlm_chem.errors import quoted
from exlm_chem.finetuning.card import format_number
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.metrics import unscored
from exlm_chem.finetuning.splits import Split, Splittable, across_borders

_LISTED: Final = 3

Log = Callable[[str], None]
"""Is called with a sentence."""


def log_table(dataset: Dataset, counts: dict[str, Any], log: Log) -> None:
    """Say what was found in the training table; `counts` are those of `Dataset.report`."""
    for note in dataset.reading:
        log(note)
    log(f"{dataset.name}: {counts['molecules']:,} molecules, {counts['known_labels']:,} labels")
    if dataset.left_out:
        first = "; ".join(f"line {row.line}: {row.reason}" for row in dataset.left_out[:3])
        rows = "1 row is" if counts["left_out"] == 1 else f"{counts['left_out']:,} rows are"
        log(f"{rows} left out, the first: {first}")
    for notes in _kinds_of_notes(dataset):
        rows = "1 row" if len(notes) == 1 else f"{len(notes):,} rows, the first"
        log(f"in {rows}, {notes[0]}")
    if counts["repeated"]:
        extra = counts["molecules"] - counts["distinct"]
        log(
            f"repeated molecules: {counts['repeated']:,} in {extra:,} extra rows, "
            f"contradicting labels in {counts['conflicting']:,} of them; all are kept"
        )
    if counts["changed_by_standardisation"]:
        log(f"{counts['changed_by_standardisation']:,} molecules are changed by the standardisation rule")


def _kinds_of_notes(dataset: Dataset) -> Iterable[list[str]]:
    """Put together what was left aside in cells of molecules, with their lines, by its kind."""
    kinds = defaultdict[str, list[str]](list)
    for line, one in zip(dataset.lines, dataset.inputs, strict=True):
        if (note := one.molecule.note) is not None:
            kinds[note.partition(":")[0]].append(f"line {line}: {note}")
    return kinds.values()


def log_split(split: Split, molecules: Splittable, log: Log) -> None:
    """Say how many molecules are in which part, by which rule, and what stands on both sides of a border."""
    log(f"split: {', '.join(f'{len(part):,} {name}' for name, part in split.parts().items())} ({split.description})")
    if split.unplaced:
        first = molecules.line(split.unplaced[0])
        log(f"{len(split.unplaced):,} molecules are in no part of the split, the first in line {first}")
    if (borders := across_borders(split, molecules)).duplicates:
        log(str(borders))


def log_metrics(
    part: str, results: list[dict[str, Any] | None], kept: dict[str, Any] | None, metric: str, log: Log
) -> None:
    """Say how good the predictor that is kept is on a part, and how much the seeds differ."""
    if kept is None:
        log(f"{part}: no molecules")
        return
    interval = f" (95 % {' to '.join(map(format_number, kept['interval']))})" if kept["interval"] else ""
    reasons = unscored(kept, metric)
    more = len(reasons) - _LISTED
    why = f" (none where {'; '.join(reasons[:_LISTED])}{f'; and {more:,} more' if more > 0 else ''})" if reasons else ""
    columns = kept["columns"]
    scored = f", mean over {kept['scored']} of {len(columns):,} columns" if len(columns) > 1 else ""
    if scored and metric == "rmse":  # in units that may differ
        each = [f"{quoted(name)} {format_number(column[metric])}" for name, column in columns.items()]
        scored += f" ({', '.join(each[:_LISTED])}{', ...' if len(each) > _LISTED else ''})"
    values = [result[metric] for result in results if result is not None and result[metric] is not None]
    mean, deviation = (format_number(float(f(values))) if values else "-" for f in (np.mean, np.std))
    spread = f"; {len(values)} seeds: {mean} +- {deviation}" if len(values) > 1 else ""
    value = f"{metric} {format_number(kept[metric])}{interval}{why}"
    log(f"{part}: {value}, {kept['molecules']:,} molecules{scored}{spread}")

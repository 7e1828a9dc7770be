"""Runs that are to be compared: their predictions of the same molecules, as scores of the same folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.metrics import MAIN_METRIC, BoundedLabels, Metric, named_metric
from exlm_chem.finetuning.predictions import PREDICTIONS_NAME, read_predictions
from exlm_chem.terms import Kind

if TYPE_CHECKING:
    import pandas as pd

FEWEST_FOLDS: Final = 5
_KEY: Final = ["fold", "target", "row"]
_OF_ERRORS: Final = ("rmse", "mae")


@dataclass(frozen=True)
class Scores:
    """How good methods are on each fold.

    Attributes
    ----------
    methods : list of str
        Names of the runs.
    folds : list of int
        Numbers of the folds.
    metric : Metric
        Of the scores.
    array : array of shape (methods, folds)
        Means over the seeds, and over the columns of labels that have a value.
    """

    methods: list[str]
    folds: list[int]
    metric: Metric
    array: NDArray[np.float64]


def read_scores(runs: Sequence[str | Path], metric: str | None = None, part: str = "test") -> Scores:
    """Read runs and score every fold of them.

    Parameters
    ----------
    runs : sequence of path
        At least two directories with ``predictions.csv``, or such files.
    metric : str, optional
        ROC-AUC or RMSE by default, as the labels are.
    part : {"train", "valid", "test"}
        The predictions that are judged.

    Raises
    ------
    ExLMError
        If the runs did not predict the same molecules of the same folds, or there are too few folds.
    """
    if len(runs) < 2:
        raise ExLMError("give at least two runs to compare")
    tables = [_of_part(Path(run), part) for run in runs]
    methods = _names([Path(run) for run in runs])
    for name, table in zip(methods[1:], tables[1:], strict=True):
        _check_same(methods[0], tables[0], name, table)
    folds = sorted({int(fold) for fold in tables[0]["fold"]})
    if len(folds) < FEWEST_FOLDS:
        count = "1 fold" if len(folds) == 1 else f"{len(folds)} folds"
        raise ExLMError(
            f"{runs[0]} has predictions of {count}, and methods cannot be told apart by fewer than {FEWEST_FOLDS}; "
            "repeat both runs on five times five folds"
        )
    kind = _kind(tables[0])
    judged = named_metric(metric or MAIN_METRIC[kind], kind)
    values = np.array([[_score(table[table["fold"] == fold], judged) for fold in folds] for table in tables])
    undefined = np.isnan(values).any(0)
    if undefined.all():
        raise ExLMError(f"no fold has a {judged.title}: {_reason(tables[0], judged)}; choose another --metric")
    kept = [fold for fold, without in zip(folds, undefined, strict=True) if not without]
    if len(kept) < FEWEST_FOLDS:
        raise ExLMError(f"only {len(kept)} of {len(folds)} folds have a {judged.title}; choose another --metric")
    return Scores(methods, kept, judged, values[:, ~undefined])


def _of_part(run: Path, part: str) -> pd.DataFrame:
    table = read_predictions(run)
    table = table[(table["part"] == part) & table["y"].notna()]
    if table.empty:
        raise ExLMError(f"{run} has no predictions of molecules with a label in the part {part}; choose another --part")
    again = table[table.duplicated([*_KEY, "seed"])]
    if not again.empty:
        row, fold = int(again["row"].iloc[0]), int(again["fold"].iloc[0])
        raise ExLMError(f"{run} predicts row {row} twice in fold {fold} with one seed; leave one of them")
    return table.sort_values([*_KEY, "seed"], kind="stable")


def _names(runs: list[Path]) -> list[str]:
    """Name the runs by their directories; those of one name with the directory above too."""
    places = [run.parent if run.name == PREDICTIONS_NAME else run for run in (one.absolute() for one in runs)]
    short = [place.name if place.is_dir() else place.stem for place in places]
    count = Counter(short)
    long = [
        f"{place.parent.name}/{name}" if count[name] > 1 else name for place, name in zip(places, short, strict=True)
    ]
    if len(set(long)) < len(long):
        double = next(name for name, number in Counter(long).items() if number > 1)
        raise ExLMError(f"two runs are called {quoted(double)}; rename one of their directories")
    return long


def _check_same(name: str, table: pd.DataFrame, other: str, another: pd.DataFrame) -> None:
    first, second = (one.drop_duplicates(_KEY).set_index(_KEY)[["y", "bound"]] for one in (table, another))
    missing = first.index.symmetric_difference(second.index)
    if len(missing):
        fold, target, row = missing[0]
        who = name if missing[0] in first.index else other
        raise ExLMError(
            f"{quoted(name)} and {quoted(other)} did not predict the same molecules: only {quoted(who)} has row {row}, "
            f"column {quoted(target)}, in fold {fold}; run both on the same folds of the same table"
        )
    differs = ~np.isclose(first["y"], second["y"].loc[first.index]) | (
        first["bound"] != second["bound"].loc[first.index]
    )
    if differs.any():
        fold, target, row = first.index[int(np.argmax(differs))]
        raise ExLMError(
            f"{quoted(name)} and {quoted(other)} have different labels of row {row}, column {quoted(target)}; "
            "run both on the same table"
        )


def _kind(table: pd.DataFrame) -> Kind:
    classes = set(table["y"].unique()) <= {0.0, 1.0} and bool(table["prediction"].between(0, 1).all())
    return "classification" if classes else "regression"


def _score(table: pd.DataFrame, metric: Metric) -> float:
    """Average a metric over seeds and columns of labels; NaN if none of them has a value."""
    scores = []
    for _, seed in table.groupby("seed"):
        values = [metric.value(*_outputs_and_labels(one, metric)) for _, one in seed.groupby("target")]
        scores += [float(np.mean(known))] if (known := [value for value in values if value is not None]) else []
    return float(np.mean(scores)) if scores else np.nan


def _outputs_and_labels(table: pd.DataFrame, metric: Metric) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give what is judged: a limit counts as an error on its wrong side only, and not at all for ranks."""
    outputs, values = (table[name].to_numpy(np.float64) for name in ("prediction", "y"))
    labels = BoundedLabels(values, table["bound"].to_numpy(np.int8))
    if metric.name in _OF_ERRORS:
        return labels.meet(outputs), values
    return outputs[~labels.censored], values[~labels.censored]


def _reason(table: pd.DataFrame, metric: Metric) -> str:
    first = table.groupby(["fold", "target", "seed"]).get_group(
        tuple(table[["fold", "target", "seed"]].iloc[0].tolist())
    )
    return metric.why_undefined(*_outputs_and_labels(first, metric)) or "the columns differ"

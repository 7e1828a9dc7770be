"""Claim: how often intervals and sets of 90 % hold the measured value, and how well probabilities are calibrated.

Takes predictors as they are, and predicts with them what they were not fitted on: the validation and test parts of the
split that they name. With ``--random`` a predictor with the same options is fitted on a random split of these tables
too: what is promised is promised for molecules like those of the training, which new scaffolds are not. Of a large
part 2,000 molecules are drawn. Writes ``benchmarks/results/trust.json``.

    python -m benchmarks.trust ../shared/moleculenet --random bbbp bace esol freesolv lipophilicity
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.writer import arguments, write_result
from exlm_chem.finetuning.dataset import read_dataset
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.metrics import METRICS, coverage
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.run import finetune
from exlm_chem.locations import locate
from exlm_chem.prediction.columns import PredictionColumns
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.registry import registered_task
from exlm_chem.storage import read_json
from exlm_chem.terms import ConformalRule

TASKS: Final = (
    "bbbp", "bace", "clintox", "sider", "tox21", "toxcast", "hiv", "muv", "esol", "freesolv", "lipophilicity",
)  # fmt: skip
MOST: Final = 2000
FEWEST: Final = 20
"""Known labels from which a column says something of coverage and calibration."""


def main() -> None:
    """Judge every predictor and write the result."""
    parser = arguments("trust", __doc__)
    parser.add_argument("tables", type=Path, help="folder with NAME.csv.gz for every task of data/tasks.toml")
    parser.add_argument(
        "--predictors", type=Path, help="folder of predictors by their tasks, instead of those that ship"
    )
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--random", nargs="*", default=(), help="tasks of which a random split is fitted too")
    parser.add_argument("--keep", action="store_true", help="keep what the output says of other tasks")
    parser.add_argument("--coverage", type=float, default=0.9)
    args = parser.parse_args()
    results: dict[str, Any] = read_json(args.output)["results"] if args.keep and args.output.exists() else {}
    for name in args.tasks:
        table = args.tables / f"{name}.csv.gz"
        predictor = name if args.predictors is None else args.predictors / name
        kind = registered_task(name).kind
        results[name] = {"kind": kind, "scaffold": judge(predictor, table, args.coverage)}
        if name in args.random:
            options = FinetuningOptions(**used_options(predictor) | {"task": name, "split": "random"})
            with tempfile.TemporaryDirectory() as folder:
                finetune(table, Path(folder) / name, options)
                results[name]["random"] = judge(Path(folder) / name, table, args.coverage)
        print(name, results[name], flush=True)
        write_result(args.output, {"promised": args.coverage, "results": results, "means": means(results)})


def used_options(predictor: str | Path) -> dict[str, Any]:
    """Give the options of ``finetune`` that a predictor was made with, as far as they say what is learnt."""
    run = read_json(locate(predictor) / "run.json", "train it again")["options"]
    options = {name: run[name] for name in ("method", "head", "features", "model", "calibrate") if name in run}
    if options.get("features") is not None:
        options["features"] = tuple(options["features"])
    return options


def judge(predictor: str | Path, table: Path, promised: float) -> dict[str, Any]:
    """Say for validation and test how good the sets or intervals, and the probabilities, of a predictor are."""
    loaded = Predictor.from_pretrained(predictor)
    task = loaded.task
    splits = read_json(locate(predictor) / "splits.json", "train it again")
    data = read_dataset(
        table, [column.target for column in task.columns], loaded.encoder.read, None, LabelOptions(kind=task.kind)
    )
    if splits["data_sha256"] != data.sha256:
        raise SystemExit(f"{predictor} was not made from {table}")
    found = {}
    for part in ("valid", "test"):
        members = set(splits[part])
        places = np.array([place for place, row in enumerate(data.rows) if row in members])
        if len(places) > MOST:
            places = np.sort(np.random.default_rng(0).permutation(places)[:MOST])
        columns = predicted(loaded, [data.smiles[place] for place in places], promised)
        found[part] = {"molecules": len(places), **summary(loaded, columns, data.exact_labels[places])}
    return found


def predicted(predictor: Predictor, smiles: list[str], promised: float) -> dict[str, NDArray[Any]]:
    """Predict as ``exlm-chem predict`` does: the cells by the names of their columns, sets by both rules."""
    cells: dict[str, NDArray[Any]] = {}
    options = PredictionOptions(columns=("interval",), coverage=promised)
    rules: tuple[ConformalRule, ...] = ("class", "all") if predictor.task.kind == "classification" else ("class",)
    for rule in rules:
        columns = PredictionColumns([predictor], replace(options, conformal=rule))
        answers = columns.begin(smiles)().cells
        for (column, _), values in zip(columns.columns, answers, strict=True):
            name = f"{column.name} {rule}" if column.name.endswith("_set") else column.name
            cells[name] = np.array(values, dtype=object if column.type is str else np.float64)
    return cells


def summary(predictor: Predictor, cells: dict[str, NDArray[Any]], labels: NDArray[np.float64]) -> dict[str, Any]:
    """Average over the columns of which enough is known."""
    columns: list[dict[str, float]] = []
    for column, measured in zip(predictor.task.columns, labels.T, strict=True):
        known = ~np.isnan(measured) & ~np.isnan(cells[column.name])  # RDKit needs too long for a few giants
        if known.sum() < FEWEST:
            continue
        label, output = measured[known], cells[column.name][known]
        if predictor.task.kind == "regression":
            inside = coverage(label, cells[f"{column.name}_low"][known], cells[f"{column.name}_high"][known])
            columns.append({"coverage": inside["coverage"], "width": inside["width"]})
            continue
        one: dict[str, float] = {"ece": METRICS["ece"].value(output, label) or 0.0}
        for rule in ("class", "all"):
            sets = cells[f"{column.name}_set {rule}"][known]
            held = np.array([str(int(truth)) in given for truth, given in zip(label, sets, strict=True)])
            sizes = np.array([given.count("0") + given.count("1") for given in sets])
            one |= {f"coverage by {rule}": float(held.mean()), f"classes by {rule}": float(sizes.mean())}
        columns.append(one)
    names = columns[0] if columns else {}
    return {"columns": len(columns), **{name: float(np.mean([one[name] for one in columns])) for name in names}}


def means(results: dict[str, Any]) -> dict[str, Any]:
    """Average over the tasks."""
    found: dict[str, Any] = {}
    for split in ("scaffold", "random"):
        for part in ("valid", "test"):
            tasks = [one[split][part] for one in results.values() if split in one]
            for name in dict.fromkeys(
                name for one in tasks for name in one if name not in ("molecules", "columns", "width")
            ):
                values = [one[name] for one in tasks if name in one]
                found.setdefault(split, {}).setdefault(part, {})[name] = float(np.mean(values))
            if tasks:
                held = [one.get("coverage", one.get("coverage by class")) for one in tasks]
                found[split][part]["coverage of intervals and of sets by class"] = float(np.mean(held))
    return found


if __name__ == "__main__":
    main()

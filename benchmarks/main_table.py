"""Claim: what frozen vectors, all blocks together and a fine-tuned encoder are worth beside the features in use today.

All tables of MoleculeNet, DeepChem's scaffold split. Every kind of features gets the same heads (linear, kernel,
boosting) and one rule that was fixed before: a cross-validation over scaffolds inside training and validation chooses
the head, which then learns from the training part; test values are means over three seeds where a head draws. "average"
is the head that predictors ship with, on all blocks; "full" is fine-tuning of the whole encoder, where the validation
part chooses the epoch. Adds to ``benchmarks/results/main_table.json`` what is not there yet.

    python -m benchmarks.main_table ../shared/moleculenet --cache runs/features --rows exlm ecfp descriptors
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.tables import features_of, table_arguments
from benchmarks.writer import write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.benchmark import MOLECULENET, feasible_heads
from exlm_chem.evaluation.measured import Measured, read_task
from exlm_chem.evaluation.peers.registry import parse_features
from exlm_chem.evaluation.protocol import try_features
from exlm_chem.features.registry import BLOCK_NAMES
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.run import finetune
from exlm_chem.storage import read_json

ALL: Final = "+".join(BLOCK_NAMES)
HEADS: Final = ("linear", "kernel", "boosting")
AVERAGE: Final = f"average on {ALL}"
FULL: Final = "full"
MIDDLE: Final = " with the middle layer"
"""Behind a row whose vectors are of the pooling mean+middle."""
ROWS: Final = (
    "exlm", f"exlm{MIDDLE}", "ecfp", "descriptors", "minimol", ALL, AVERAGE, f"{AVERAGE}{MIDDLE}", FULL,
)  # fmt: skip


def main() -> None:
    """Judge all rows on every table, and write after each cell."""
    parser = table_arguments("main_table", __doc__, MOLECULENET)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    encoder = ExLM.from_pretrained(args.model)
    content = read_json(args.output) if args.output.exists() else {}
    same = content.get("encoder_sha256") == encoder.fingerprint
    results: dict[str, dict[str, Any]] = content["results"] if same else {}
    for name in args.tasks:
        table = read_task(args.tables, name, encoder.read)
        for row in args.rows:
            if row in results.get(name, {}):
                continue
            if row == FULL:
                cell = fine_tuned(args.tables / f"{name}.csv.gz", name, encoder, args)
            else:
                cell = judged(row, table, encoder, args)
            print(name, row, cell, flush=True)
            results.setdefault(name, {})[row] = cell
            write(args.output, encoder.fingerprint, results, table)


def judged(row: str, table: Measured, encoder: ExLM, args: argparse.Namespace) -> dict[str, Any]:
    """Choose a head for the features of a row, and give it the test part; the average is one head and draws nothing."""
    average = row.startswith(AVERAGE)
    blocks = parse_features(row.removeprefix("average on ").removesuffix(MIDDLE))
    features = features_of(table.name, table.smiles, blocks, encoder, args.cache)
    if row.endswith(MIDDLE):
        features["exlm"] = encoder.embed(table.smiles, "mean+middle")
    heads = ["average"] if average else feasible_heads(table.labels.shape[1], HEADS)
    seeds = 1 if average else args.seeds
    trial = try_features(row, features, table, heads, range(seeds), "valid" if average else "folds")
    cell = {"test": trial.test, "sd": trial.sd, "interval": trial.interval, "seeds": seeds}
    return cell | {"head": trial.head, "chosen by": trial.chosen_by}


def fine_tuned(path: Path, task: str, encoder: ExLM, args: argparse.Namespace) -> dict[str, Any]:
    """Train the whole encoder once with each seed; give mean and spread, and the interval of the first.

    In the folder of features each training is kept, as one takes hours.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs = (args.cache or Path(folder)) / f"{task}-full-{encoder.fingerprint[:16]}"
        found = [_fine_tuned(path, task, args.model, seed, runs / f"seed-{seed}") for seed in range(args.seeds)]
    metric = "roc_auc" if "roc_auc" in found[0] else "rmse"
    values = [one[metric] for one in found]
    interval = found[0]["interval"]
    return {"test": float(np.mean(values)), "sd": float(np.std(values)), "interval": interval, "seeds": args.seeds}


def _fine_tuned(path: Path, task: str, model: str, seed: int, directory: Path) -> dict[str, Any]:
    """Train once, if that was not done yet, and give the test metrics."""
    if not directory.exists():
        options = FinetuningOptions(task=task, model=model, method="full", precision="auto", seed=seed, device="cpu")
        finetune(path, directory, options)
    found: dict[str, Any] = read_json(directory / "run.json")["runs"][0]["metrics"]["test"]
    return found


def write(output: Path, fingerprint: str, results: dict[str, dict[str, Any]], table: Measured) -> None:
    """Write what is known, the tables in their order."""
    ordered = {name: results[name] for name in MOLECULENET if name in results}
    for name, rows in ordered.items():
        ordered[name] = {row: rows[row] for row in ROWS if row in rows}
    write_result(output, {"encoder_sha256": fingerprint, "split": table.split.description, "results": ordered})


if __name__ == "__main__":
    main()

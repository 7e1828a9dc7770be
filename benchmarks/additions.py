"""Claim: what each addition to the published objective is worth, by small runs that differ in one thing.

Every variant is pretrained (``tiny``, from random weights) for as many seconds on the same molecules; on a busy machine
start it with a priority that makes them comparable. Its frozen vectors are judged by a kernel head on tables, on
repeated random splits *inside the training part* of DeepChem's scaffold split and on its validation part; the test part
is not looked at. Adds to ``benchmarks/results/additions.json`` what is not there yet.

    OMP_NUM_THREADS=1 python -m benchmarks.additions corpus-04.smi.gz --tables ../shared/moleculenet
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import Measured, read_task
from exlm_chem.evaluation.protocol import learn
from exlm_chem.finetuning.metrics import mean_score
from exlm_chem.pretraining.measurements import Progress
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain

TASKS: Final = ("bbbp", "bace", "clintox", "esol", "freesolv", "lipophilicity")
BOTH: Final = ("descriptors", "ecfp")
BASE: Final[dict[str, Any]] = {
    "preset": "tiny",
    "mask_ratio": 0.2,
    "guided": 0.1,
    "molecule_objectives": BOTH,
    "unmasked": 0.3,
    "randomise": 0.3,
    "ema": 0.99,
    "batch_tokens": 4096,
    "check": False,
    "device": "cpu",
    "evaluations": 1,
}
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "all as recommended": {},
    "masked tokens alone": {"molecule_objectives": (), "unmasked": 0.0},
    "without descriptors": {"molecule_objectives": ("ecfp",)},
    "without ecfp": {"molecule_objectives": ("descriptors",)},
    "no molecule without masks": {"unmasked": 0.0},
    "no other texts": {"randomise": 0.0},
    "only other texts": {"randomise": 1.0},
    "masks 0.15": {"mask_ratio": 0.15},
    "masks 0.3": {"mask_ratio": 0.3},
    "spans": {"mask_by": "span"},
    "fragments": {"mask_by": "fragment"},
    "consistency": {"consistency": 1.0},
    "plain masked language model": {"objective": "mlm"},
}
"""How variants differ from `BASE`; with ``--labels`` there is one more."""
SPLITS: Final = 3
MOST: Final = 1500


def main() -> None:
    """Make and judge what is missing, and write the result after each variant."""
    parser = arguments("additions", __doc__)
    parser.add_argument("corpus", nargs="+", help="files of SMILES")
    parser.add_argument("--tables", type=Path, required=True, help="folder with NAME.csv.gz for every task")
    parser.add_argument("--labels", type=Path, help="folder with the tables of benchmarks.label_tables")
    parser.add_argument("--minutes", type=float, default=3.0, help="of training for every run")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--runs", type=Path, default=Path("runs/additions"), help="where models are kept")
    args = parser.parse_args()
    variants = dict(VARIANTS)
    files = [Path(one) for one in args.corpus]
    if args.labels:
        tables = sorted(args.labels.glob("*.csv"))
        files += tables  # the same molecules for all
        variants["labels"] = {"molecule_objectives": (*BOTH, *(f"labels:{table}" for table in tables))}
    settings = {"minutes": args.minutes, "corpus": [path.name for path in files], "tasks": list(TASKS)}
    content = json.loads(args.output.read_text(encoding="utf-8")) if args.output.exists() else {}
    results: dict[str, Any] = content["results"] if content.get("settings") == settings else {}
    first = ExLM.from_pretrained("exlm-small")
    judges = [read_task(args.tables, name, first.read) for name in TASKS]
    for seed in range(args.seeds):
        for name, changes in variants.items():
            key = f"{name}, seed {seed}"
            if key in results:
                continue
            options = PretrainingOptions(**BASE | changes, seed=seed, max_seconds=60 * args.minutes)
            run = args.runs / key.replace(" ", "-").replace(",", "")
            facts = trained(files, run, options)
            encoder = ExLM.from_pretrained(run)
            results[key] = facts | judged({table.name: encoder.embed(table.smiles) for table in judges}, judges)
            write_result(args.output, {"settings": settings, "results": results, "mean": means(results)})


def trained(files: list[Path], run: Path, options: PretrainingOptions) -> dict[str, float]:
    """Pretrain a variant and say what was done."""
    last: list[Progress] = []
    started = time.process_time()
    pretrain(files, run, options, resume=True, report=lambda progress, *_: last.append(progress))
    facts = last[-1].history[-1]
    return {
        "cpu_seconds": round(time.process_time() - started, 1),
        "molecules": facts.molecules,
        "masked tokens right": round(facts.validation_accuracy, 4),
        "loss per masked token": round(facts.loss_per_masked_token, 4),
    }


def judged(embedded: Mapping[str, NDArray[np.float32]], tables: Iterable[Measured]) -> dict[str, Any]:
    """Judge the vectors of every table: the mean over random splits of the training part, and the validation part."""
    inside, valid = {}, {}
    for table in tables:
        vectors = {"exlm": embedded[table.name]}
        scores = []
        for seed in range(SPLITS):
            rows = np.random.default_rng(seed).permutation(table.split.train)[:MOST].tolist()
            cut = len(rows) * 4 // 5
            split = replace(table.split, train=rows[:cut], valid=[], test=rows[cut:])
            outputs = learn("kernel", vectors, table, split).outputs
            scores.append(mean_score(outputs, table.labels[split.test], table.kind))
        inside[table.name] = float(np.mean([one for one in scores if one is not None]))
        split = replace(table.split, valid=[], test=table.split.valid)
        outputs = learn("kernel", vectors, table, split).outputs
        valid[table.name] = mean_score(outputs, table.labels[split.test], table.kind)
    return {"random splits": inside, "validation": valid}


def means(results: dict[str, Any]) -> dict[str, Any]:
    """Give for every variant the means over the seeds."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(key.rpartition(", seed")[0] for key in results):
        runs = [one for key, one in results.items() if key.rpartition(", seed")[0] == name]
        found[name] = {
            "seeds": len(runs),
            **{task: float(np.mean([run["random splits"][task] for run in runs])) for task in TASKS},
            **{f"{task}, validation": float(np.mean([run["validation"][task] for run in runs])) for task in TASKS},
            "masked tokens right": float(np.mean([run["masked tokens right"] for run in runs])),
            "molecules": float(np.mean([run["molecules"] for run in runs])),
        }
    return found


if __name__ == "__main__":
    main()

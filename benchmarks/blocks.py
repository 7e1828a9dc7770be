"""Claim: the average of heads on all blocks is at least as good as on the best single block, and what exlm adds.

The head ``average`` learns from the training part of DeepChem's scaffold split, on each block alone, on all of them,
and on all but the encoder's. Beside every value stands its interval over the molecules, and that of the difference from
all blocks. Adds to ``benchmarks/results/blocks.json`` what is not there yet for this encoder.

    python -m benchmarks.blocks ../shared/moleculenet --cache runs/features
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from benchmarks.tables import features_of, table_arguments
from benchmarks.writer import write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import Measured, read_task
from exlm_chem.evaluation.protocol import Features, Trial, difference, try_features
from exlm_chem.features.registry import BLOCK_NAMES

ALL: Final = "+".join(BLOCK_NAMES)
WITHOUT: Final = "+".join(BLOCK_NAMES[1:])
SETS: Final = (*BLOCK_NAMES, WITHOUT, ALL)


def main() -> None:
    """Judge all sets of blocks on every table and write the result."""
    parser = table_arguments("blocks", __doc__)
    parser.add_argument("--head", default="average")
    args = parser.parse_args()
    encoder = ExLM.from_pretrained(args.model)
    content = json.loads(args.output.read_text(encoding="utf-8")) if args.output.exists() else {}
    same = (content.get("encoder_sha256"), content.get("head")) == (encoder.fingerprint, args.head)
    results = content["results"] if same else {}
    for name in args.tasks:
        if name in results:
            continue
        table = read_task(args.tables, name, encoder.read)
        features = features_of(name, table.smiles, BLOCK_NAMES, encoder, args.cache)
        results[name] = judge(features, table, args.head)
        content = {"encoder_sha256": encoder.fingerprint, "head": args.head, "split": table.split.description}
        write_result(args.output, {**content, "results": results, "verdict": verdict(results)})


def judge(features: Features, table: Measured, head: str) -> dict[str, Any]:
    """Try every set of blocks on a table."""
    trials: dict[str, Trial] = {}
    for blocks in SETS:
        chosen = {block: features[block] for block in blocks.split("+")}
        trials[blocks] = try_features(blocks, chosen, table, [head], [0], "valid")
        print(table.name, blocks, trials[blocks].test, flush=True)
    best = max(BLOCK_NAMES, key=lambda block: table.better * (trials[block].test or np.nan))
    return {
        "metric": table.metric,
        "better": table.better,
        "spread of the labels": float(np.nanstd(table.labels[table.split.test])),
        "test": {name: trial.test for name, trial in trials.items()},
        "interval": {name: trial.interval for name, trial in trials.items()},
        "valid": {name: trial.score for name, trial in trials.items()},
        "best single block": best,
        "all minus best single block": difference(table, trials[ALL], trials[best]),
        "all minus without exlm": difference(table, trials[ALL], trials[WITHOUT]),
    }


def verdict(results: dict[str, Any]) -> dict[str, Any]:
    """Say over all tables how much better all blocks are: ROC-AUC, or RMSE in units of the spread of the labels."""
    found: dict[str, Any] = {}
    for name in ("all minus best single block", "all minus without exlm"):
        gains, raw = {}, {}
        for task, one in results.items():
            if one[name] is not None:
                raw[task] = one["better"] * one[name][0]
                gains[task] = raw[task] / (1 if one["metric"] == "roc_auc" else one["spread of the labels"])
        if gains:
            worst = min(raw, key=lambda task: raw[task])
            found[name] = {
                "mean gain": float(np.mean(list(gains.values()))), "worst": raw[worst], "worst table": worst,
                "better on": sum(gain > 0 for gain in gains.values()), "tables": len(gains),
            }  # fmt: skip
    means = {}
    for blocks in SETS:
        values = [
            one["test"][blocks] if one["metric"] == "roc_auc" else -one["test"][blocks] / one["spread of the labels"]
            for one in results.values()
        ]
        means[blocks] = float(np.mean(values))
    found["mean of ROC-AUC and of -RMSE / spread"] = means
    return found


if __name__ == "__main__":
    main()

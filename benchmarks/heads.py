"""Claim: which head, on which features, predicts best when the encoder stays as it is.

Every table is read and split (DeepChem's scaffold split) as ``exlm-chem finetune`` does. Heads learn from the training
and validation parts, choose their hyper-parameters there by cross-validation over scaffolds, and are judged on the test
part. With ``--folds`` every pair of head and features is cross-validated in the same parts too, which is by what one of
them may be chosen. Writes ``benchmarks/results/heads.json``.

    python -m benchmarks.heads ../shared/moleculenet --model exlm-small
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import features_of, table_arguments
from benchmarks.writer import write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import read_task
from exlm_chem.features.registry import BLOCK_NAMES
from exlm_chem.finetuning.metrics import MAIN_METRIC, evaluate
from exlm_chem.heads.folds import grouped_folds
from exlm_chem.heads.registry import HEADS, make_head
from exlm_chem.predictors.registry import registered_task
from exlm_chem.predictors.task import Task

TASKS = ("bbbp", "bace", "clintox", "esol", "freesolv", "lipophilicity")
Features = Mapping[str, NDArray[np.float32]]


def main() -> None:
    """Judge every head on every block and on all of them, and write the result."""
    parser = table_arguments("heads", __doc__, TASKS)
    parser.add_argument("--heads", nargs="+", default=tuple(HEADS))
    parser.add_argument("--folds", type=int, default=0, help="also cross-validate every pair in so many folds")
    args = parser.parse_args()

    encoder = ExLM.from_pretrained(args.model)
    results: dict[str, Any] = {}
    for name in args.tasks:
        task = registered_task(name)
        table = read_task(args.tables, name, encoder.read)
        labels, split = table.labels, table.split
        features = features_of(name, table.smiles, BLOCK_NAMES, encoder, args.cache)
        known = np.array([*split.train, *split.valid])
        groups = np.array(split.groups, dtype=object)
        results[name] = {"metric": table.metric, "molecules": len(labels), "test": len(split.test), "heads": {}}
        for head in args.heads:
            sets = [*([block] for block in features), list(features)] if head != "average" else [list(features)]
            for blocks in sets:
                chosen = {block: features[block] for block in blocks}
                result = judge(head, chosen, labels, groups, (known, np.array(split.test)), task)
                if args.folds:
                    result["cross-validation"] = cross_validated(
                        head, {block: values[known] for block, values in chosen.items()},
                        labels[known], groups[known], task, args.folds,
                    )  # fmt: skip
                results[name]["heads"][f"{head} on {' + '.join(blocks)}"] = result
                print(name, head, "+".join(blocks), result, flush=True)
        write_result(args.output, {"encoder_sha256": encoder.fingerprint, "results": results})


def judge(
    head: str,
    features: Features,
    labels: NDArray[np.float64],
    groups: NDArray[np.object_],
    parts: tuple[NDArray[np.int64], NDArray[np.int64]],
    task: Task,
) -> dict[str, Any]:
    """Fit a head on one part; give the main metric of the other, its interval, and the seconds of the processor."""
    fitted, judged = parts
    started = time.process_time()
    model = make_head(head).fit(
        {block: values[fitted] for block, values in features.items()},
        labels[fitted],
        task.kind,
        groups[fitted].tolist(),
    )
    seconds = time.process_time() - started
    outputs = model.predict({block: values[judged] for block, values in features.items()})
    result = evaluate(outputs, labels[judged], task.kind, [column.name for column in task.columns]) or {}
    value, interval = result.get(MAIN_METRIC[task.kind]), result.get("interval")
    return {"value": value, "interval": interval, "seconds": round(seconds, 2)}


def cross_validated(
    head: str,
    features: Features,
    labels: NDArray[np.float64],
    groups: NDArray[np.object_],
    task: Task,
    count: int,
) -> float:
    """Give the mean of the main metric over folds of scaffolds."""
    folds = grouped_folds(labels[:, 0] if labels.shape[1] == 1 else labels, task.kind, groups.astype(str), 1, count)
    values = [judge(head, features, labels, groups, fold, task)["value"] for fold in folds]
    return float(np.mean([value for value in values if value is not None]))


if __name__ == "__main__":
    main()

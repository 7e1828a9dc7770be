"""Claim: what the frozen vectors of encoders are worth, with the same heads.

Every table is read and split (DeepChem's scaffold split) as ``exlm-chem finetune`` does; heads learn from the training
part. Writes ``benchmarks/results/encoders.json``.

    python -m benchmarks.encoders ../shared/moleculenet
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.finetuning.dataset import read_dataset
from exlm_chem.finetuning.metrics import MAIN_METRIC, evaluate
from exlm_chem.finetuning.splits import scaffold_split
from exlm_chem.heads.registry import make_head
from exlm_chem.predictors.registry import registered_task

TASKS = ("bbbp", "bace", "clintox", "sider", "esol", "freesolv", "lipophilicity")


def main() -> None:
    """Judge every encoder on every table and write the result."""
    parser = arguments("encoders", __doc__)
    parser.add_argument("tables", type=Path, help="folder with NAME.csv.gz for every task of data/tasks.toml")
    parser.add_argument("--models", nargs="+", default=("exlm-small",), help="names or directories")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--heads", nargs="+", default=("linear", "kernel"))
    args = parser.parse_args()
    encoders = {Path(name).name: ExLM.from_pretrained(name) for name in args.models}
    results = {
        task: {name: judge(encoder, args.tables, task, args.heads) for name, encoder in encoders.items()}
        for task in args.tasks
    }
    write_result(args.output, {"results": results, "sha256": {n: e.fingerprint for n, e in encoders.items()}})


def judge(encoder: ExLM, tables: Path, name: str, heads: list[str]) -> dict[str, Any]:
    """Give the main metric of the validation and test parts for each head."""
    task = registered_task(name)
    data = read_dataset(tables / f"{name}.csv.gz", task.targets, encoder.read)
    split = scaffold_split(data.smiles)
    vectors = encoder.embed_tokens([one.token_ids for one in data.inputs])
    groups = [split.groups[row] for row in split.train]
    metric = MAIN_METRIC[task.kind]
    scores: dict[str, Any] = {"metric": metric}
    for one in heads:
        labels = data.labels[split.train]
        head = make_head(one).fit({"exlm": vectors[split.train]}, labels, task.kind, groups)
        outputs = head.predict({"exlm": vectors})
        scores[one] = {}
        for part, rows in (("valid", split.valid), ("test", split.test)):
            result = evaluate(outputs[rows], data.labels[rows], task.kind, [column.name for column in task.columns])
            scores[one][part] = result[metric] if result else None
    return scores


if __name__ == "__main__":
    main()

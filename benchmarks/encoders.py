"""Claim: what the frozen vectors of encoders are worth, with the same heads.

Every table is read and split (DeepChem's scaffold split) as ``exlm-chem finetune`` does; heads learn from the training
part. Adds to ``benchmarks/results/encoders.json``, in the place of what stood there of an encoder of the same name.

    python -m benchmarks.encoders ../shared/moleculenet
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import read_task
from exlm_chem.evaluation.protocol import try_features
from exlm_chem.storage import read_json

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
    kept = read_json(args.output) if args.output.exists() else {"results": {}, "sha256": {}}
    results = {
        task: kept["results"].get(task, {})
        | {name: judge(encoder, args.tables, task, args.heads) for name, encoder in encoders.items()}
        for task in args.tasks
    }
    hashes = kept["sha256"] | {name: encoder.fingerprint for name, encoder in encoders.items()}
    write_result(args.output, {"results": results, "sha256": hashes})


def judge(encoder: ExLM, tables: Path, name: str, heads: list[str]) -> dict[str, Any]:
    """Give the main metric of the validation and test parts for each head."""
    table = read_task(tables, name, encoder.read)
    features = {"exlm": encoder.embed(table.smiles)}
    scores: dict[str, Any] = {"metric": table.metric}
    for head in heads:
        trial = try_features("exlm", features, table, [head], [0], "valid")
        scores[head] = {"valid": trial.score, "test": trial.test}
    return scores


if __name__ == "__main__":
    main()

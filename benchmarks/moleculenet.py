"""Claim: how good frozen embeddings with a linear head are, beside count-ECFP with the same head.

Every table is read, split (DeepChem's scaffold split) and judged as ``exlm-chem finetune`` does; the peer gets the same
head and the same folds on log(1 + counts) of ECFP4 with 2048 columns. Heads see the training part only. Writes
``benchmarks/results/moleculenet.json``.

    python -m benchmarks.moleculenet ../shared/moleculenet --model exlm-small
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.finetuning.dataset import Dataset, read_dataset
from exlm_chem.finetuning.metrics import MAIN_METRIC, evaluate
from exlm_chem.finetuning.splits import Split, scaffold_split
from exlm_chem.heads.linear import fit_linear_head
from exlm_chem.predictors.registry import registered_task
from exlm_chem.predictors.task import Task

# Not sider and tox21: the peer's 39 logistic models of 2048 columns take hours.
TASKS = ("bbbp", "bace", "clintox", "esol", "freesolv", "lipophilicity")


def main() -> None:
    """Judge both kinds of features on every table and write the result."""
    parser = arguments("moleculenet", __doc__)
    parser.add_argument("tables", type=Path, help="folder with NAME.csv.gz for every task of data/tasks.toml")
    parser.add_argument("--model", default="exlm-small", help="name or directory of an encoder")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--keep-peer", action="store_true", help="keep the fingerprints' numbers of an earlier result")
    args = parser.parse_args()

    encoder = ExLM.from_pretrained(args.model)
    earlier = json.loads(args.output.read_text(encoding="utf-8"))["results"] if args.keep_peer else {}
    results = {}
    for name in args.tasks:
        task = registered_task(name)
        data = read_dataset(args.tables / f"{name}.csv.gz", task.targets, encoder.read)
        split = scaffold_split(data.smiles)
        molecules = {part: len(rows) for part, rows in split.parts().items()}
        features = encoder.embed_tokens([one.token_ids for one in data.inputs])
        before = earlier.get(name, {})
        kept = before["ecfp4 count"] if before.get("molecules") == molecules else None
        results[name] = {
            "metric": MAIN_METRIC[task.kind],
            "molecules": molecules,
            "exlm": judge(features, data, split, task),
            "ecfp4 count": kept or judge(count_fingerprints(data.smiles), data, split, task),
        }
        print(name, json.dumps(results[name]), flush=True)
    content = {
        "results": results,
        "encoder_sha256": encoder.fingerprint,
        "split": scaffold_split(["C"]).description,
    }
    write_result(args.output, content)


def count_fingerprints(smiles: list[str]) -> NDArray[np.float32]:
    """Make log(1 + counts) of ECFP4, shape (molecules, 2048)."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    with rdBase.BlockLogs():
        counts = [generator.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(one)) for one in smiles]
    features: NDArray[np.float32] = np.log1p(np.stack(counts)).astype(np.float32)
    return features


def judge(features: NDArray[np.float32], data: Dataset, split: Split, task: Task) -> dict[str, Any]:
    """Fit the head on the training part and give the main metric of the other parts."""
    groups = [split.groups[row] for row in split.train]
    head, _ = fit_linear_head(features[split.train], data.labels[split.train], task.kind, groups)
    with torch.inference_mode():
        outputs = head.double()(torch.from_numpy(features).double())
        outputs = (outputs.sigmoid() if task.kind == "classification" else outputs).numpy()
    names = [column.name for column in task.columns]
    scores = {}
    for part, rows in (("valid", split.valid), ("test", split.test)):
        result = evaluate(outputs[rows], data.labels[rows], task.kind, names)
        scores[part] = {"value": result[MAIN_METRIC[task.kind]], "interval": result["interval"]} if result else None
    return scores


if __name__ == "__main__":
    main()

r"""Claim: no molecule on which something is chosen or tested is in the tables of labels that pretraining learns from.

Writes into a folder the training parts (DeepChem's scaffold split) of the tables that are named, and other tables of
labels, all without the molecules of the validation and test parts of *all* registered tasks and of the files given by
``--without``. Molecules are the same if the first blocks of their InChIKeys are, or those of their largest fragments.
Writes ``benchmarks/results/label_tables.json``.

    python -m benchmarks.label_tables runs/labels --tables ../shared/moleculenet \
        --more ../shared/bioactivity/bioactivity_train.csv.gz --without ../shared/bioactivity/bioactivity_test.csv.gz
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.leaks import keys
from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.evaluation.measured import read_task
from exlm_chem.predictors.registry import registered_tasks

TASKS: Final = ("toxcast", "tox21", "sider", "hiv", "muv")
SMILES: Final = "smiles"


def main() -> None:
    """Write the tables and what was left out of them."""
    parser = arguments("label_tables", __doc__)
    parser.add_argument("folder", type=Path, help="where the tables are written")
    parser.add_argument("--tables", type=Path, required=True, help="folder with NAME.csv.gz for every task")
    parser.add_argument("--tasks", nargs="+", default=TASKS, help="whose training parts become tables of labels")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="other tables with a column smiles")
    parser.add_argument("--without", type=Path, nargs="*", default=[], help="tables with molecules to be left out")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    encoder = ExLM.from_pretrained("exlm-small")
    frames: dict[str, pd.DataFrame] = {}
    excluded: set[str] = set()
    for name in registered_tasks():
        table = read_task(args.tables, name, encoder.read)
        aside = [*table.split.valid, *table.split.test]
        excluded.update(*(keys(table.smiles[row]) for row in aside))
        if name in args.tasks:
            labels = pd.DataFrame(table.labels[table.split.train]).add_prefix("label_")
            labels.insert(0, SMILES, [table.smiles[row] for row in table.split.train])
            frames[name] = labels
        print(name, len(table.smiles), len(excluded), flush=True)
    for path in args.without:
        excluded.update(*(keys(smiles) for smiles in pd.read_csv(path)[SMILES]))
    frames |= {path.name.split(".")[0]: pd.read_csv(path) for path in args.more}
    results: dict[str, Any] = {}
    for name, frame in frames.items():
        allowed = [not keys(smiles) & excluded for smiles in frame[SMILES]]
        kept = frame[allowed]
        kept.to_csv(args.folder / f"{name}.csv", index=False)
        labels = kept.drop(columns=SMILES)
        results[name] = {
            "molecules": len(frame),
            "left out": len(frame) - len(kept),
            "labels": int(labels.notna().sum().sum()),
            "columns": labels.shape[1],
        }
        print(name, results[name], flush=True)
    write_result(args.output, {"excluded": len(excluded), "results": results})


if __name__ == "__main__":
    main()

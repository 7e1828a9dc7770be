"""Claim: no string stops a prediction, and exactly the rows that RDKit refuses get a reason instead of a value.

Takes molecules from a file, changes each at random (characters deleted, added, replaced, swapped, doubled; the end cut
off; two molecules joined), writes them into a CSV, and predicts that file as the command line does. RDKit judges every
string by itself: the part before the first blank. Writes ``benchmarks/results/robustness.json``.

    python -m benchmarks.robustness --model bbbp --count 20000
"""

from __future__ import annotations

import csv
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rdkit import Chem, rdBase

from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.tables.reader import iter_smiles
from exlm_chem.tables.writers import open_writer

CHARACTERS = "CNOPSFIBrlcnops[]()=#$:/\\@+-.0123456789%*~>HeaiTt \t\n\r\"',;|?!&{}<_\u2013\u00e9\U0001f9ea"
PIECES = ("C", "O", "N", "(C)", "F", "=O", "[nH]", "[C@@H]", "1", "c1")


def main() -> None:
    """Predict mutated molecules and compare with RDKit's verdict."""
    parser = arguments("robustness", __doc__)
    parser.add_argument("--molecules", type=Path, default=data_path("zinc_20k.smi.gz"), help="file to start from")
    parser.add_argument("--model", default="bbbp", help="name or directory of a predictor")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    sources = [row.smiles for row in islice(iter_smiles([args.molecules]), args.count)]
    texts = list(islice(mutated(sources, random.Random(args.seed)), args.count))
    predictor = Predictor.from_pretrained(args.model)
    with tempfile.TemporaryDirectory() as folder:
        source, target = str(Path(folder) / "in.csv"), str(Path(folder) / "out.csv")
        with open_writer(source, ["smiles", "row"]) as writer:
            writer.write([text, index] for index, text in enumerate(texts))
        start = time.perf_counter()
        summary = predict_file(Path(source), [predictor], target)
        seconds = time.perf_counter() - start
        with Path(target).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))

    column = predictor.columns[0]
    outcomes: Counter[str] = Counter()
    wrong = []
    for text, row in zip(texts, rows, strict=True):
        accepted = accepted_by_rdkit(text)
        outcome = (
            "value" if row[column] and not row["error"] else "reason" if row["error"] and not row[column] else "both"
        )
        outcomes[f"{'accepted' if accepted else 'refused'}_by_rdkit_with_{outcome}"] += 1
        if outcome != ("value" if accepted else "reason"):
            wrong.append({"smiles": text, "error": row["error"]})
    report = {
        "molecules": len(texts),
        "seed": args.seed,
        "rows_out": len(rows),
        "order_kept": [int(row["row"]) for row in rows] == list(range(len(texts))),
        "cells_kept": [row["smiles"] for row in rows] == texts,
        **outcomes,
        "disagreements": len(wrong),
        "first_disagreements": wrong[:10],
        "reasons": dict(summary.reasons.most_common()),
        "molecules_per_second": round(len(texts) / seconds),
        "model": args.model if not os.path.isdir(args.model) else Path(args.model).name,  # noqa: PTH112
    }
    write_result(args.output, report)


def mutated(sources: list[str], chosen: random.Random) -> Iterator[str]:
    """Give strings without end, each from a molecule by one to four random changes."""
    while True:
        text = chosen.choice(sources)
        for _ in range(chosen.choice((1, 1, 1, 2, 2, 3, 4))):
            text = _changed(text, chosen, sources)
        yield text


def _changed(text: str, chosen: random.Random, sources: list[str]) -> str:
    at = chosen.randrange(len(text) + 1)
    to = min(len(text), at + chosen.randint(1, 4))
    character, piece = chosen.choice(CHARACTERS), chosen.choice(PIECES)
    joined = text + chosen.choice(("", ".", " ", "-")) + chosen.choice(sources)
    return chosen.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + character + text[at:],
            text[:at] + character + text[at + 1 :],
            text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
            text[:to] + text[at:to] + text[to:],
            text[:at] if chosen.random() < 0.3 else text[:at] + text[to:],
            joined,
            text[:at] + piece + text[at:],
        )
    )


def accepted_by_rdkit(text: str) -> bool:
    """Ask RDKit about the part before the first blank."""
    parts = text.split(None, 1)
    if not parts:
        return False
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(parts[0])
    return molecule is not None and molecule.GetNumAtoms() > 0


if __name__ == "__main__":
    main()

"""Claim: what the README shows is what the shipped predictors say of the example molecules.

Predicts ``data/examples.csv`` as the command line does and writes ``benchmarks/results/example.json``.

    python benchmarks/example.py
"""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

from exlm_chem.data import data_path
from exlm_chem.prediction.table import predict_file

ROOT = Path(__file__).parent.parent
TASKS = ["bbbp", "esol"]


def main() -> None:
    """Predict and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "predictions.csv"
        summary = predict_file(data_path("examples.csv"), TASKS, output)
        with output.open(newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
    content = {"tasks": TASKS, "summary": str(summary), "rows": rows}
    (ROOT / "benchmarks/results/example.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(summary)


if __name__ == "__main__":
    main()

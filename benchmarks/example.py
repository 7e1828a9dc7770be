"""Claim: what the README shows is what the shipped predictors say of the example molecules.

Predicts ``data/examples.csv`` as the command line does and writes ``benchmarks/results/example.json``.

    python -m benchmarks.example
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path
from exlm_chem.prediction.table import predict_file

TASKS = ["bbbp", "esol"]


def main() -> None:
    """Predict and write the result."""
    args = arguments("example", __doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "predictions.csv"
        summary = predict_file(data_path("examples.csv"), TASKS, output)
        with output.open(newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
    write_result(args.output, {"tasks": TASKS, "summary": str(summary), "rows": rows})


if __name__ == "__main__":
    main()

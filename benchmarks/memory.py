"""Claim: how much memory pretraining on a large file takes, and how it moves during the run.

Runs ``exlm-chem pretrain`` as a user does and reads its memory every few seconds. Writes
``benchmarks/results/memory.json``.

    python -m benchmarks.memory ../shared/corpus/corpus-*.smi.gz --preset small --max-time 10m
"""

from __future__ import annotations

import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.writer import arguments, write_result

EVERY = 5.0


def main() -> None:
    """Run, watch, and write the result."""
    parser = arguments("memory", __doc__)
    parser.add_argument("corpus", type=Path, nargs="+")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--max-time", default="10m")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        options = ["--preset", args.preset, "--max-time", args.max_time, "--no-check"]
        command = [sys.executable, "-m", "exlm_chem.cli.main", "pretrain", *map(str, args.corpus), *options]
        process = subprocess.Popen([*command, "-o", str(run), "--cache", folder])
        samples = []
        start = time.monotonic()
        while process.poll() is None:
            # The memory-mapped corpus is the page cache's, not the program's: shared pages are left out.
            memory = psutil.Process(process.pid).memory_info()
            samples.append((time.monotonic() - start, memory.rss / 2**20, (memory.rss - memory.shared) / 2**20))
            time.sleep(EVERY)
        if process.returncode:
            sys.exit(f"pretraining failed with status {process.returncode}")
        with (run / "metrics.csv").open(newline="") as table:
            measured = list(csv.DictReader(table))
        trained = json.loads((run / "training.json").read_text())

    def between(low: float, high: float) -> int:
        end = samples[-1][0]
        return int(statistics.median(private for second, _, private in samples if low * end <= second <= high * end))

    content = {
        "run": ["exlm-chem", "pretrain", *(file.name for file in args.corpus), *options],
        "molecules": trained["corpus"]["molecules"],
        "molecules_seen": int(measured[-1]["molecules"]),
        "molecules_per_second": round(int(measured[-1]["molecules"]) / float(measured[-1]["seconds"]), 1),
        "private_memory_mib": {
            f"{10 * i}-{10 * i + 10} % of the run": between(i / 10, (i + 1) / 10) for i in range(2, 10)
        },
        "peak_rss_mib": round(max(rss for _, rss, _ in samples)),
    }
    write_result(args.output, content)


if __name__ == "__main__":
    main()

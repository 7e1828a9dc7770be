"""Claim: workers of Ray write the same file as this process, and what starting and feeding them costs.

Runs ``exlm-chem embed`` as a user does, on one molecule and on many of ``data/zinc_20k.smi.gz``, with every engine, and
compares the files byte by byte. Needs ``pip install 'exlm-chem[ray]'``. Writes ``benchmarks/results/engines.json``.

    python -m benchmarks.engines --molecules 2000
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path

CHUNK = 250


def main() -> None:
    """Time all engines, one after the other, and write the result."""
    parser = arguments("engines", __doc__)
    parser.add_argument("--molecules", type=int, default=2000)
    args = parser.parse_args()
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        molecules = [line.split()[0] for line in lines][: args.molecules]
    cores = os.cpu_count() or 1
    ways: dict[str, tuple[int, list[str]]] = {
        f"this process, {threads} thread{'s' * (threads > 1)}": (threads, []) for threads in sorted({1, cores})
    }
    ways |= {
        f"Ray, {workers} worker{'s' * (workers > 1)}": (1, ["--engine", "ray", "--ray-workers", str(workers)])
        for workers in sorted({1, cores})
    }
    results: dict[str, Any] = {}
    about = {"molecules": len(molecules), "chunk_size": CHUNK, "load_before": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as folder:
        written = set()
        for name, (threads, options) in ways.items():
            results[name] = {}
            for number in (1, len(molecules)):
                source, output = Path(folder) / "in.smi", Path(folder) / "out.npz"
                source.write_text("\n".join(molecules[:number]) + "\n")
                results[name][f"seconds_for_{number}"] = embed(source, output, threads, options)
            written.add(output.read_bytes())
    if len(written) > 1:
        sys.exit("the files are not the same")
    write_result(args.output, {**about, "same_bytes": True, "ways": results})


def embed(source: Path, output: Path, threads: int, options: list[str]) -> float:
    """Run the command, and give its seconds."""
    command = [sys.executable, "-m", "exlm_chem.cli.main", "embed", str(source), "-o", str(output), *options]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--chunk-size", str(CHUNK)],
        check=True,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )
    return round(time.perf_counter() - start, 1)


if __name__ == "__main__":
    main()

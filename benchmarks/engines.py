"""Claim: workers of Ray write the same file as this process, and what starting and feeding them costs.

Runs ``exlm-chem embed`` as a user does, on one molecule and on many of ``data/zinc_20k.smi.gz``, with every engine, and
compares the files byte by byte. Molecules repeated a thousand times, which cost next to nothing to answer, say how many
rows a second one command feeds, and that its memory does not grow. Needs ``pip install 'exlm-chem[ray]'``. Writes
``benchmarks/results/engines.json``.

    python -m benchmarks.engines --molecules 2000
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path

CHUNK = 250
REPEATED = (100, 400)


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
        source, output = Path(folder) / "in.smi", Path(folder) / "out.npz"
        written = set()
        for name, (threads, options) in ways.items():
            runs = []
            for some in (molecules[:1], molecules):
                source.write_text("\n".join(some) + "\n")
                runs.append(embed(source, output, threads, [*options, "--chunk-size", str(CHUNK)]))
            written.add(output.read_bytes())
            for number in REPEATED:
                source.write_text("".join(f"{one}\n" * 1000 for one in molecules[:number]))
                runs.append(embed(source, output, threads, options))
            results[name] = dict(zip(("one", "all", "few_rows", "many_rows"), runs, strict=True))
    if len(written) > 1:
        sys.exit("the files are not the same")
    rows = [1000 * number for number in REPEATED]
    write_result(args.output, {**about, "rows": rows, "same_bytes": True, "ways": results})


def embed(source: Path, output: Path, threads: int, options: list[str]) -> dict[str, float]:
    """Run the command; give its seconds, and the most memory of its process, without those beside it."""
    command = [sys.executable, "-m", "exlm_chem.cli.main", "embed", str(source), "-o", str(output), *options]
    start = time.perf_counter()
    process = os.posix_spawn(sys.executable, command, {**os.environ, "OMP_NUM_THREADS": str(threads)})
    _, status, used = os.wait4(process, 0)
    if status:
        sys.exit(f"embed failed with status {os.waitstatus_to_exitcode(status)}")
    return {"seconds": round(time.perf_counter() - start, 1), "peak_mib": round(used.ru_maxrss / 1024)}


if __name__ == "__main__":
    main()

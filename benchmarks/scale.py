"""Claim: the memory of ``exlm-chem embed`` does not grow with the file.

    python -m benchmarks.scale

Runs the command as a user does, on one thread, on 2,000 molecules of ``data/zinc_20k.smi.gz``, each of them ten times
and then a hundred times. What a molecule costs stands in ``benchmarks/results/inference.json``.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path

REPEATED: Final = (10, 100)
WAY: Final = ("--backend", "onnx", "--precision", "int8", "--device", "cpu")


def main() -> None:
    """Measure."""
    parser = arguments("scale", __doc__)
    parser.add_argument("--molecules", type=int, default=2000)
    args = parser.parse_args()
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        molecules = [line.split()[0] for line in lines][: args.molecules]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for times in REPEATED:
            file = Path(folder) / f"{times}.smi"
            file.write_text("".join(f"{one}\n" * times for one in molecules))
            rows.append({"rows": len(molecules) * times, **embed(file)})
    write_result(args.output, {"molecules": len(molecules), "options": WAY, "runs": rows})


def embed(file: Path) -> dict[str, Any]:
    """Run the command; give the most memory that it took, and its seconds of the processor."""
    command = [
        sys.executable,
        "-m",
        "exlm_chem.cli.main",
        "embed",
        str(file),
        "-o",
        str(file.with_suffix(".npz")),
        *WAY,
    ]
    process = os.posix_spawn(sys.executable, command, {**os.environ, "OMP_NUM_THREADS": "1"})
    _, status, used = os.wait4(process, 0)
    if status:
        sys.exit(f"embed failed with status {os.waitstatus_to_exitcode(status)}")
    return {"peak_mib": round(used.ru_maxrss / 1024), "cpu_seconds": round(used.ru_utime + used.ru_stime, 1)}


if __name__ == "__main__":
    main()

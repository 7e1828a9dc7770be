"""Claim: the memory of ``exlm-chem embed`` does not grow with the file.

    python -m benchmarks.scale

Runs the command as a user does, on one thread, on 2,000 molecules of ``data/zinc_20k.smi.gz``, each of them ten,
a hundred and five thousand times. What a molecule costs stands in ``benchmarks/results/inference.json``.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.watched import watched
from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path

REPEATED: Final = (10, 100, 5000)
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
            with file.open("w") as lines:
                lines.writelines(f"{one}\n" * times for one in molecules)
            run = watched("embed", str(file), "-o", str(file.with_suffix(".npz")), *WAY, OMP_NUM_THREADS="1")
            kept = {name: run[name] for name in ("peak_mib", "cpu_seconds")}
            rows.append({"rows": len(molecules) * times, **kept})
    write_result(args.output, {"molecules": len(molecules), "options": WAY, "runs": rows})


if __name__ == "__main__":
    main()

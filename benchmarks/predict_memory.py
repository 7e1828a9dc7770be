"""Claim: the memory of ``exlm-chem predict`` does not grow with the file.

Runs ``predict --task bbbp`` as a user does on 2,000 molecules of ``data/zinc_20k.smi.gz``, each of them ten times and
then a hundred times. The memory is the most that was seen four times a second, of the command's own process, and of it
and its worker processes together. What RDKit computed is kept for molecules that come again, 256 MB at most. Writes
``benchmarks/results/predict_memory.json``.

    python -m benchmarks.predict_memory
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.watched import watched
from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path

REPEATED: Final = (10, 100)


def main() -> None:
    """Measure."""
    parser = arguments("predict_memory", __doc__)
    parser.add_argument("--task", default="bbbp")
    parser.add_argument("--molecules", type=int, default=2000)
    args = parser.parse_args()
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        molecules = [line.split()[0] for line in lines][: args.molecules]
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for times in REPEATED:
            file = Path(folder) / "in.smi"
            file.write_text("".join(f"{one}\n" * times for one in molecules))
            run = predicted(args.task, file)
            run["seconds"] = round(run["seconds"], 1)
            runs.append({"rows": len(molecules) * times, "different": len(molecules), **run})
            write_result(args.output, {"task": args.task, "runs": runs})


def predicted(task: str, file: Path) -> dict[str, Any]:
    """Run the command; give the most memory that it took, and its seconds."""
    return watched("predict", "--task", task, str(file), "-o", str(file.with_name("out.csv")))


if __name__ == "__main__":
    main()

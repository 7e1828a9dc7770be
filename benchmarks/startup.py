"""Claim: importing the package and asking for help cost almost nothing, and predicting loads no deepchem.

Starts fresh processes and keeps the median of their wall times; the bare interpreter stands beside them. Writes
``benchmarks/results/startup.json``.

    python -m benchmarks.startup
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.writer import arguments, write_result

RUNS = 7
COMMANDS = {
    "python": ["-c", "pass"],
    "import exlm_chem": ["-c", "import exlm_chem"],
    "exlm-chem --help": ["-m", "exlm_chem.cli.main", "--help"],
    "exlm-chem predict --task bbbp CCO": ["-m", "exlm_chem.cli.main", "predict", "--task", "bbbp", "CCO"],
    "import torch": ["-c", "import torch"],
    "exlm-chem predict --task bbbp CCO --backend torch": [
        *("-m", "exlm_chem.cli.main", "predict", "--task", "bbbp", "CCO", "--backend", "torch")
    ],
}


def main() -> None:
    """Time every command, interleaved, and write the result."""
    args = arguments("startup", __doc__).parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *command], capture_output=True, check=True)
            times[name].append(time.perf_counter() - start)
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMANDS["exlm-chem predict --task bbbp CCO"]],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    content = {
        "median_seconds": {name: round(statistics.median(values), 3) for name, values in times.items()},
        "predict_loads_deepchem": "deepchem" in loaded,
        "runs": RUNS,
    }
    write_result(args.output, content)


if __name__ == "__main__":
    main()

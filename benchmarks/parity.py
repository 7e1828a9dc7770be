"""Claim: the model computes what the authors' code computes.

Runs every fixture of ``tests/parity`` and writes the largest absolute deviation of every kind of value to
``benchmarks/results/parity.json``. The tests assert the same numbers against fixed tolerances.

    python -m benchmarks.parity
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.writer import ROOT, arguments, write_result


def main() -> None:
    """Compare everything and write the result."""
    args = arguments("parity", __doc__).parse_args()
    command = [sys.executable, "-m", "tests.parity.deviations"]
    measured = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    write_result(args.output, json.loads(measured))


if __name__ == "__main__":
    main()

"""Claim: on a processor without instructions for bfloat16 and VNNI, int8 is little faster than single precision.

The same measurement as `benchmarks/inference.py`, on a machine whose processor has neither; what would multiply in
bfloat16 is left out. Writes ``benchmarks/results/inference_without_bf16.json``.

    python -m benchmarks.inference_without_bf16 --molecules 5000 --tables ../shared/moleculenet
"""

from __future__ import annotations

import sys

from benchmarks.inference import EMULATED, measured, read_arguments
from benchmarks.writer import write_result


def main() -> None:
    """Measure and write."""
    args = read_arguments("inference_without_bf16", __doc__)
    if not EMULATED:
        sys.exit("this processor multiplies bfloat16; run python -m benchmarks.inference")
    for content in measured(args):
        write_result(args.output, content)


if __name__ == "__main__":
    main()

"""Claim: a run that is killed again and again ends with the same weights, bit for bit, as one that never was.

Kills a ``tiny`` run on the CPU by SIGKILL at random moments (while it starts, trains, measures or writes a checkpoint),
resumes it by the same command, and compares the final weights; all of that as often as asked. Writes
``benchmarks/results/resume.json``.

    python -m benchmarks.resume --kills 20
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from benchmarks.writer import ROOT, arguments, write_result

OPTIONS = (
    "--preset tiny --device cpu --batch-tokens 1024 --seed 1 --ema 0.99 --optimizer muon --randomise 0.3 "
    "--unmasked 0.3 --consistency 1 --checkpoint-minutes 0.01 --max-steps"
)


def main() -> None:
    """Kill, resume, compare, and write the result."""
    parser = arguments("resume", __doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EXLM_CHEM_CACHE"] = folder
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        started = time.monotonic()
        run(whole, args.steps).wait()
        usual = time.monotonic() - started
        expected = load_file(whole / "model.safetensors")
        moments = random.Random(0)
        equal: list[tuple[int, bool]] = []
        while len(equal) < args.kills:
            shutil.rmtree(killed, ignore_errors=True)
            process = run(killed, args.steps)
            time.sleep(moments.uniform(0.2, 0.95) * usual)
            process.kill()
            if process.wait() == 0:
                continue  # it was done already
            at = max((int(path.name[-9:]) for path in killed.glob("checkpoints/step-*[0-9]")), default=0)
            run(killed, args.steps).wait()
            weights = load_file(killed / "model.safetensors")
            equal.append((at, all(torch.equal(weights[name], expected[name]) for name in expected)))
            print(f"killed, went on from step {at} of {args.steps}: equal {equal[-1][1]}", flush=True)
    content = {
        "kills": len(equal),
        "bit_identical": sum(same for _, same in equal),
        "resumed_from_steps": sorted(step for step, _ in equal),
        "steps": args.steps,
    }
    write_result(args.output, content)


def run(output: Path, steps: int) -> subprocess.Popen[bytes]:
    """Start the run, or go on with it: the same command."""
    corpus = str(ROOT / "data" / "zinc_20k.smi.gz")
    options = [*OPTIONS.split(), str(steps), "--resume", "-o", str(output)]
    command = [sys.executable, "-m", "exlm_chem.cli.main", "pretrain", corpus, *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

"""Claim: how fast a pretraining step is, where its time goes, and what it costs beside plain masked language models.

Peers: our plain masked language model ("mlm") and Hugging Face's RoBERTa of the same width and depth, on the same
molecules with the same masks. Writes ``benchmarks/results/step.json``.

    python -m benchmarks.step ../shared/corpus/corpus-00.smi.gz
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.step_parts import split
from benchmarks.steps import (
    TOKENIZER,
    Step,
    as_a_run_does,
    in_turn,
    make_plan,
    ours,
    prepared,
    reference_batch,
    reference_config,
    roberta,
)
from benchmarks.writer import ROOT, arguments, write_result
from exlm_chem.machine import multiplication_speed
from exlm_chem.modeling import prepare_inputs
from exlm_chem.modeling.flops import training_flops
from exlm_chem.pretraining.batching import MaskedBatches
from exlm_chem.pretraining.corpus import Corpus

# The authors' code in the configuration "reference" on a quiet machine (2 threads, torch 2.13.0), from measurements
# made for this project; their code is not installed here.
AUTHORS = {"exlm_seconds": 1.28, "mlm_seconds": 0.65, "exlm_mib_above_imports": 1360}
BATCH_TOKENS = {"small": 8192, "base": 2048}


def main() -> None:
    """Measure all configurations and write the result."""
    parser = arguments("step", __doc__)
    parser.add_argument("corpus", nargs="*", help="SMILES files")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--memory", choices=("exlm", "mlm", "roberta"), help="for the script itself: print MiB of one step"
    )
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    args = parser.parse_args()
    if args.memory:
        as_a_run_does()
        print(memory_of_a_step(args.memory, args.precision))
        return
    with prepared(args.corpus) as corpus:
        content = {
            "gemm_gflops": multiplication_speed(),
            "reference": reference(args.rounds),
            "small": real_molecules("small", corpus, args.rounds),
            "base": real_molecules("base", corpus, args.rounds),
        }
    write_result(args.output, content)


def reference(rounds: int) -> dict[str, Any]:
    """Compare in the configuration in which the authors' code was measured."""
    ids, labels = reference_batch()
    result: dict[str, Any] = {"authors": AUTHORS}
    steps: dict[str, Step] = {}
    for precision in ("fp32", "bf16"):
        for objective in ("exlm", "mlm"):
            config = reference_config(objective)
            steps[f"{objective} {precision}"] = ours(config, prepare_inputs(config, ids, labels), precision)
        steps[f"roberta {precision}"] = roberta(reference_config("mlm"), ids, labels, precision)
    seconds = in_turn(steps, rounds)
    result["seconds"] = seconds
    result["token_ratio"] = 64 / 40
    result["ratios"] = {
        **_ratios(seconds, 64 / 40),
        "exlm bf16 / authors' exlm": round(seconds["exlm bf16"] / AUTHORS["exlm_seconds"], 3),
        "exlm fp32 / authors' exlm": round(seconds["exlm fp32"] / AUTHORS["exlm_seconds"], 3),
    }
    result["mib_above_imports"] = {
        f"{model} {precision}": int(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.step", "--memory", model, "--precision", precision],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()[-1]
        )
        for model in ("exlm", "mlm", "roberta")
        for precision in ("fp32", "bf16")
    }
    return result


def _ratios(seconds: dict[str, float], token_ratio: float) -> dict[str, float]:
    ratios = {"mlm bf16 / roberta fp32": seconds["mlm bf16"] / seconds["roberta fp32"]}
    for precision in ("fp32", "bf16"):
        exlm, mlm, peer = (seconds[f"{name} {precision}"] for name in ("exlm", "mlm", "roberta"))
        ratios[f"exlm / (token ratio x mlm) {precision}"] = exlm / mlm / token_ratio
        ratios[f"mlm / roberta {precision}"] = mlm / peer
    return {name: round(ratio, 3) for name, ratio in ratios.items()}


def memory_of_a_step(name: str, precision: str) -> int:
    """Largest resident memory of three steps, in MiB above what the process had before."""
    ids, labels = reference_batch()
    config = reference_config("exlm" if name == "exlm" else "mlm")
    make = roberta if name == "roberta" else None
    step = (
        make(config, ids, labels, precision) if make else ours(config, prepare_inputs(config, ids, labels), precision)
    )
    before = peak_memory()
    for _ in range(3):
        step()
    return peak_memory() - before


def peak_memory() -> int:
    """Largest resident memory of this process (not of the one that started it, as getrusage has it), in MiB."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def real_molecules(preset: str, corpus: Corpus, rounds: int) -> dict[str, Any]:
    """Compare on a batch of real molecules, and take the step apart."""
    config, plan = make_plan(corpus, preset, "exlm", BATCH_TOKENS[preset])
    batches = MaskedBatches(plan, TOKENIZER)
    pool = plan.pool(0, 0)
    # The batch of the median length stands for all.
    number = sorted(range(len(pool)), key=lambda n: plan.corpus.lengths(pool[n][0]).max())[len(pool) // 2]
    ids, labels = batches.tokens((0, 0, number))
    mlm_config = replace(config, objective="mlm")
    inputs, mlm_inputs = prepare_inputs(config, ids, labels), prepare_inputs(mlm_config, ids, labels)
    token_ratio = inputs.expansion.input_ids.numel() / ids.numel()
    steps: dict[str, Step] = {}
    for precision in ("fp32", "bf16"):
        steps[f"exlm {precision}"] = ours(config, inputs, precision)
        steps[f"mlm {precision}"] = ours(mlm_config, mlm_inputs, precision)
        steps[f"roberta {precision}"] = roberta(mlm_config, ids, labels, precision)
    seconds = in_turn(steps, rounds)
    peak = multiplication_speed()
    flops = training_flops(config, inputs)
    return {
        "batch": {
            "molecules": len(ids),
            "tokens": ids.numel(),
            "expanded_tokens": inputs.expansion.input_ids.numel(),
            "states": inputs.state_positions.numel(),
        },
        "seconds": seconds,
        "token_ratio": round(token_ratio, 3),
        "ratios": _ratios(seconds, token_ratio),
        "molecules_per_second": {name: round(len(ids) / value, 1) for name, value in seconds.items()},
        "gemm_share": {
            precision: round(flops / seconds[f"exlm {precision}"] / peak[precision] / 1e9, 3)
            for precision in ("fp32", "bf16")
        },
        "split": {precision: split(config, inputs, precision, rounds) for precision in ("fp32", "bf16")},
    }


if __name__ == "__main__":
    main()

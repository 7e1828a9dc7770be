"""Claim: memory of a training step on a long molecule, and the law that it follows.

One molecule of T tokens with 15 % masks becomes L = T + 3 (masks + 2) positions with S = 4 (masks + 2) states. The step
(``small``, bf16, forward, loss, backward) runs in a process of its own, whose largest memory is read. The law
MiB = a + b L + c S^2 is fitted to the measurements: b holds the activations of the layers, c the (S, S) matrices of the
graph. Writes ``benchmarks/results/long_sequences.json``.

    python -m benchmarks.long_sequences
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from scipy.optimize import nnls

from benchmarks.writer import ROOT, arguments, write_result
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.modeling.inputs import NOT_A_TARGET
from exlm_chem.tokenizer import ExLMTokenizer

LENGTHS = (100, 250, 500, 750, 1000, 1300)


def main() -> None:
    """Measure every length in a process of its own and write the result."""
    parser = arguments("long_sequences", __doc__)
    parser.add_argument("--tokens", type=int, help="for the script itself: measure this length")
    args = parser.parse_args()
    if args.tokens:
        print(json.dumps(measure(args.tokens)))
        return
    results = []
    for tokens in LENGTHS:
        command = [sys.executable, "-m", "benchmarks.long_sequences", "--tokens", str(tokens)]
        output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        results.append(json.loads(output.splitlines()[-1]))
        print(results[-1], flush=True)
    terms = np.array([[1.0, result["positions"], result["states"] ** 2] for result in results])
    memory = np.array([result["mib"] for result in results])
    law, _ = nnls(terms, memory)  # no part of the memory is negative
    content = {
        "preset": "small",
        "precision": "bf16",
        "measured": results,
        "law_mib": {"constant": law[0], "per_position": law[1], "per_state_squared": law[2]},
        "largest_deviation_mib": float(np.abs(terms @ law - memory).max()),
        "all_heads_would_take_mib": 8 * 4 * results[-1]["states"] ** 2 / 2**20,
    }
    write_result(args.output, content)


def measure(tokens: int) -> dict[str, float]:
    """Take two steps on one molecule of so many tokens; memory is counted above that of model and gradients."""
    tokenizer = ExLMTokenizer()
    config = ExLMConfig.preset("small", tokenizer.vocab_size, mask_token_id=tokenizer.mask_id)
    model = ExLMForMaskedLM(config).train()
    step(model, 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step(model, tokens)
    started = time.perf_counter()
    positions, states = step(model, tokens)
    return {
        "tokens": tokens,
        "positions": positions,
        "states": states,
        "mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "seconds": round(time.perf_counter() - started, 3),
    }


def step(model: ExLMForMaskedLM, tokens: int) -> tuple[int, int]:
    """Forward, loss, backward; gives L and S."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 400, (1, tokens), generator=generator)
    ids[:, 0], ids[:, -1] = model.config.bos_token_id, model.config.eos_token_id
    masks = (torch.randperm(tokens - 2, generator=generator)[: int(0.15 * tokens)] + 1)[None]
    labels = torch.full_like(ids, NOT_A_TARGET).scatter(1, masks, ids.gather(1, masks))
    inputs = prepare_inputs(model.config, ids.scatter(1, masks, model.config.mask_token_id), labels)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(inputs).loss
    loss.backward()
    return inputs.expansion.input_ids.shape[1], inputs.state_positions.shape[1]


if __name__ == "__main__":
    main()

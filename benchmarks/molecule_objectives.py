"""Claim: what the molecule-level heads cost in a step, and how fast their values are computed.

Writes ``benchmarks/results/molecule_objectives.json``.

    python -m benchmarks.molecule_objectives ../shared/corpus/corpus-00.smi.gz
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.steps import TOKENIZER, in_turn, make_plan, measure_corpus
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.pretraining.batch_plan import Plan
from exlm_chem.pretraining.batching import MaskedBatches
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.pretraining.objective_values import build_objective_values


def measure(corpus: Corpus, rounds: int) -> dict[str, Any]:
    """Measure what the molecule-level heads cost in a step, and how fast their targets are computed."""
    some, speed = 60_000, {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "some.smi"
        file.write_text("\n".join(TOKENIZER.decode(corpus[row].tolist()) for row in range(some)))
        small = Corpus(build_corpus([file], TOKENIZER, check=False, cache=folder))
        stores = []
        for name in ("descriptors", "ecfp"):
            started = time.perf_counter()
            stores.append(build_objective_values(small, name, TOKENIZER))
            speed[name] = round(some / (time.perf_counter() - started))
        config, _ = make_plan(small, "small", "exlm", 8192)
        config = replace(config, molecule_objectives={store.name: len(store.names) for store in stores})
        batch = MaskedBatches(Plan(small, config, 0.15, 0.0, 8192, 0), TOKENIZER, stores)[0, 0, 3]
        model = ExLMForMaskedLM(config).train()

        def step(with_heads: bool) -> None:
            with torch.autocast("cpu", torch.bfloat16):
                output = model(batch.inputs, batch.molecule_targets if with_heads else None)
                loss = output.loss + sum(output.molecule_losses.values())
            loss.backward()
            model.zero_grad()

        seconds = in_turn({"without": lambda: step(False), "with": lambda: step(True)}, 3 * rounds)
    return {
        "seconds": seconds,
        "cost": round(seconds["with"] / seconds["without"] - 1, 4),
        "target_molecules_per_second": speed,
    }


if __name__ == "__main__":
    measure_corpus("molecule_objectives", __doc__, measure)

"""Claim: what the training loop costs beside the same computation in a bare loop, and how fast batches are made.

Writes ``benchmarks/results/training_loop.json``.

    python -m benchmarks.training_loop ../shared/corpus/corpus-00.smi.gz
"""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.steps import TOKENIZER, in_turn, make_plan, measure_corpus
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.pretraining.accelerator import make_accelerator
from exlm_chem.pretraining.batching import load_batches
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.trainer import Trainer
from exlm_chem.pretraining.training_data import TrainingData
from exlm_chem.training.optimization import make_optimizer


def measure(corpus: Corpus, rounds: int) -> dict[str, Any]:
    """Compare a step of the trainer with the same computation in a bare loop over batches that are ready."""
    rounds += rounds % 2  # as often forwards as backwards
    options = PretrainingOptions(preset="small", max_steps=10_000, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        accelerator = make_accelerator(options, Path(folder))
        config, plan = make_plan(corpus, "small", "exlm", options.batch_tokens)
        trainer = Trainer(TrainingData(plan.corpus, TOKENIZER), Path(folder), options, accelerator)
        model = ExLMForMaskedLM(config).train()
        optimizer = make_optimizer(model, "adamw", options.peak_learning_rate, options.weight_decay)
        # Both see the same batches: every one costs another time.
        ready = list(itertools.islice(load_batches(trainer.batches, 0, 0, 1, 0, pin_memory=False), rounds + 2))
        prepared, fetched = iter(ready), load_batches(trainer.batches, 0, 0, 1, 0, pin_memory=False)
        precision = trainer.accelerator.mixed_precision

        def bare() -> None:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = model(next(prepared).inputs).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
            optimizer.step()
            optimizer.zero_grad()

        def whole() -> None:
            trainer.take_step(fetched, 0.5)
            trainer.read_clock()

        seconds = in_turn({"bare": bare, "trainer": whole}, rounds)
        again = load_batches(trainer.batches, 0, 0, 1, 0, pin_memory=False)
        started = time.perf_counter()
        molecules = sum(next(again).molecules for _ in range(50))
        preparing = (time.perf_counter() - started) / 50
    return {
        "seconds": seconds,
        "overhead": round(seconds["trainer"] / seconds["bare"] - 1, 4),
        "preparing_a_batch_seconds": round(preparing, 5),
        "preparing_share_of_step": round(preparing / seconds["trainer"], 4),
        "molecules_prepared_per_second": round(molecules / preparing / 50),
    }


if __name__ == "__main__":
    measure_corpus("training_loop", __doc__, measure)

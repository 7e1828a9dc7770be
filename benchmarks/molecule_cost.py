"""Claim: how many floating-point operations a molecule costs in training, and how little of a batch is padding.

Counted, not timed. Writes ``benchmarks/results/molecule_cost.json``.

    python -m benchmarks.molecule_cost ../shared/corpus/corpus-00.smi.gz
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.steps import TOKENIZER, make_plan, measure_corpus
from exlm_chem.modeling.flops import training_flops
from exlm_chem.pretraining.batching import MaskedBatches
from exlm_chem.pretraining.corpus import Corpus


def measure(corpus: Corpus, _rounds: int) -> dict[str, Any]:
    """Count both."""
    return {"gflop_per_molecule": cost_per_molecule(corpus), "padding": padding(corpus)}


def padding(corpus: Corpus) -> dict[str, float]:
    """Share of the tokens in batches of a whole pool that are padding."""
    result = {}
    for objective in ("exlm", "mlm"):
        for unmasked in (0.0, 0.3):
            _, plan = make_plan(corpus, "small", objective, 8192)
            plan = replace(plan, unmasked=unmasked)
            batches = MaskedBatches(plan, TOKENIZER)
            made = [batches[0, 0, number] for number in range(len(plan.pool(0, 0)))]
            share = 1 - sum(batch.tokens for batch in made) / sum(batch.places for batch in made)
            result[f"{objective}, {unmasked:.0%} of the molecules unmasked"] = round(share, 5)
    return result


def cost_per_molecule(corpus: Corpus) -> dict[str, float]:
    """Count the floating-point operations (in 1e9) that a molecule of the corpus costs in training, by preset."""
    result = {}
    for preset in ("tiny", "small", "base", "paper"):
        config, plan = make_plan(corpus, preset, "exlm", 8192)
        batches = MaskedBatches(plan, TOKENIZER)
        made = [batches[0, 0, number] for number in range(len(plan.pool(0, 0)))]
        flops = sum(training_flops(config, batch.inputs) for batch in made)
        result[preset] = round(flops / sum(batch.molecules for batch in made) / 1e9, 3)
    return result


if __name__ == "__main__":
    measure_corpus("molecule_cost", __doc__, measure)

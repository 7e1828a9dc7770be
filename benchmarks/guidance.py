"""Claim: a guided beginning keeps the paths on the states of the masked tokens, and exlm learns several times faster.

Three runs of `tiny` on the molecules in the package, with the same steps and seeds: exlm with ``--guided 0.1``, exlm as
published (``--guided 0``), and the plain masked language model. Measured on validation molecules, always unguided.
Writes ``benchmarks/results/guidance.json``.

    python -m benchmarks.guidance
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.modeling.alignment import best_path
from exlm_chem.pretraining.batch_plan import Plan
from exlm_chem.pretraining.batching import Batch, MaskedBatches
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import prepare_corpus, pretrain
from exlm_chem.tokenizer import ExLMTokenizer

CORPUS = [data_path("zinc_20k.smi.gz")]
RUNS: dict[str, dict[str, Any]] = {
    "exlm, guided": {"objective": "exlm", "guided": 0.1},
    "exlm, as published": {"objective": "exlm", "guided": 0.0},
    "mlm": {"objective": "mlm"},
}
COLUMNS = ("molecules", "loss_per_masked_token", "validation_accuracy", "path_entropy")


def main() -> None:
    """Make the three runs and write what they learnt."""
    parser = arguments("guidance", __doc__)
    parser.add_argument("--steps", type=int, default=600)
    args = parser.parse_args()
    results = {name: run(PretrainingOptions(**options, **common(args.steps))) for name, options in RUNS.items()}
    write_result(args.output, {"steps": args.steps, "results": results})


def common(steps: int) -> dict[str, Any]:
    """Options of all runs."""
    return {"preset": "tiny", "max_steps": steps, "batch_tokens": 4096, "mask_ratio": 0.2, "validation": 0.05}


def run(options: PretrainingOptions) -> dict[str, Any]:
    """Pretrain once; give the curve and, for exlm, where the tokens are emitted in the end."""
    with tempfile.TemporaryDirectory() as folder:
        directory = pretrain(CORPUS, Path(folder) / "run", options, cache=folder)
        with (directory / "metrics.csv").open(newline="") as table:
            curve = [{name: float(row[name]) for name in COLUMNS} for row in csv.DictReader(table)]
        model = ExLMForMaskedLM.from_pretrained(directory).eval()
        tokenizer = ExLMTokenizer()
        corpus = prepare_corpus(CORPUS, tokenizer, options, cache=folder)
        plan = Plan(corpus, model.config, options.mask_ratio, 0.0, options.batch_tokens, options.seed)
        batches = MaskedBatches(plan, tokenizer).validation(plan.validation(500))
        distances = [path_distances(model, batch) for batch in batches] if options.objective == "exlm" else []
    result: dict[str, Any] = {**curve[-1], "curve": curve}
    if distances:
        found, counts = torch.cat(distances).unique(return_counts=True)
        shares = (counts / counts.sum()).tolist()
        result["share_by_distance"] = {str(d): round(share, 4) for d, share in zip(found.tolist(), shares, strict=True)}
    return result


def path_distances(model: ExLMForMaskedLM, batch: Batch) -> torch.Tensor:
    """How many masks behind its own the state of the best path stands that emits a token; 0 for its own states."""
    with torch.inference_mode():
        graph = model(batch.inputs).graph
    path, _ = best_path(graph.match, graph.transitions, graph.target_length, graph.state_length)
    target = torch.arange(path.shape[1])
    inner = (target > 0) & (target < graph.target_length[:, None] - 1)  # <s> and </s> have no choice
    return (path // model.config.num_states - target)[inner]


if __name__ == "__main__":
    main()

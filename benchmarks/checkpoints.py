"""Claim: what the frozen embeddings of a pretraining run are worth, at several points of it.

Takes checkpoints of runs (copy them while the run goes: it keeps its last two), fits a linear head on the embedding of
each and gives the main metric on validation and test part of the scaffold split. Adds to
``benchmarks/results/checkpoints.json`` those that are not there yet.

    python -m benchmarks.checkpoints ../shared/moleculenet runs/exlm/checkpoints/step-000004000 ...
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from benchmarks.encoders import judge
from benchmarks.writer import arguments, write_result
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.options import from_json
from exlm_chem.pretraining.checkpoint import AVERAGE, MODEL
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.tokenizer import ExLMTokenizer

TASKS = ("bbbp", "bace", "esol", "lipophilicity")
MEASURED = ("molecules", "seconds", "loss_per_masked_token", "validation_accuracy", "validation_descriptors")


def main() -> None:
    """Judge every checkpoint on every table and write the result."""
    parser = arguments("checkpoints", __doc__)
    parser.add_argument("tables", type=Path, help="folder with NAME.csv.gz for every task of data/tasks.toml")
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    args = parser.parse_args()
    results = json.loads(args.output.read_text(encoding="utf-8"))["checkpoints"] if args.output.exists() else []
    known = {(one["objective"], one["seconds"]) for one in results}
    for directory in args.checkpoints:
        state = json.loads((directory / "state.json").read_text(encoding="utf-8"))["state"]
        options = from_json(PretrainingOptions, state["options"])
        if (options.objective, round(state["progress"]["seconds"])) in known:
            continue
        encoder = load_encoder(directory, options)
        scores = {task: score(encoder, args.tables, task) for task in args.tasks}
        last = state["progress"]["history"][-1]
        at = {"objective": options.objective, "seconds": round(state["progress"]["seconds"]), **scores}
        results.append(at | {"last_measurement": {name: last[name] for name in MEASURED}})
        write_result(args.output, {"checkpoints": results, "options": state["options"]})


def load_encoder(directory: Path, options: PretrainingOptions) -> ExLM:
    """Make the encoder of a checkpoint, with the averaged weights if the run has some."""
    weights = load_file(directory / (AVERAGE if options.ema else MODEL))
    heads: dict[str, int] = {name: len(weights[f"molecule_heads.{name}.bias"]) for name in options.molecule_objectives}
    tokenizer = ExLMTokenizer()
    model = ExLMForMaskedLM(make_config(options, tokenizer, heads))
    model.load_state_dict(weights)
    return ExLM(model.model, tokenizer, device="cpu")


def score(encoder: ExLM, tables: Path, name: str) -> dict[str, Any]:
    """Main metric of a linear head on the frozen embedding, on the validation and the test part."""
    judged = judge(encoder, tables, name, ["linear"])
    return {"metric": judged["metric"], **{part: {"value": value} for part, value in judged["linear"].items()}}


if __name__ == "__main__":
    main()

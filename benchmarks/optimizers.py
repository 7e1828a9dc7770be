"""Claim: with Muon for the matrices of the layers a run learns more in the same seconds than with AdamW.

For both objectives one run with each optimizer, of the same seconds, on the molecules in the package or on files of
yours; the learning rate of each is the default. Measured on validation molecules. Beside it stands what one step of
each optimizer takes, of torch's Muon too, which multiplies in bfloat16 on every processor. Writes
``benchmarks/results/optimizers.json``.

    python -m benchmarks.optimizers [FILES] --preset tiny --seconds 300
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any, get_args

import torch

from benchmarks.steps import in_turn
from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path
from exlm_chem.machine import processor_multiplies_bfloat16
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from exlm_chem.terms import Objective, OptimizerName, Preset
from exlm_chem.tokenizer import ExLMTokenizer
from exlm_chem.training.optimization import make_optimizer

COLUMNS = ("molecules", "seconds", "loss_per_masked_token", "validation_accuracy", "validation_descriptors")


def main() -> None:
    """Make the runs and write what they learnt."""
    parser = arguments("optimizers", __doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[data_path("zinc_20k.smi.gz")])
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--seconds", type=float, default=300)
    args = parser.parse_args()
    presets: tuple[Preset, ...] = ("tiny", "small")
    steps = {preset: step_seconds(preset) for preset in presets}
    results: dict[str, dict[str, Any]] = {}
    for objective in get_args(Objective):
        for optimizer in get_args(OptimizerName):
            options = PretrainingOptions(
                preset=args.preset,
                objective=objective,
                optimizer=optimizer,
                max_seconds=args.seconds,
                batch_tokens=4096,
                mask_ratio=0.2,
                unmasked=0.3,
                guided=0.1,
                molecule_objectives=("descriptors", "ecfp"),
                validation=0.05,
            )
            results[f"{objective}, {optimizer}"] = learn(args.files, options)
            print(objective, optimizer, {k: v for k, v in results[f"{objective}, {optimizer}"].items() if k != "curve"})
    content = {
        "preset": args.preset,
        "seconds": args.seconds,
        "files": [path.name for path in args.files],
        "bfloat16 in hardware": processor_multiplies_bfloat16(),
        "step seconds": steps,
        "results": results,
    }
    write_result(args.output, content)


def step_seconds(preset: Preset) -> dict[str, float]:
    """Measure one step of each optimizer on the parameters of an encoder, in turn."""
    model = ExLMForMaskedLM(make_config(PretrainingOptions(preset=preset), ExLMTokenizer()))
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    ours = {name: make_optimizer(model, name, 1e-3, 0.01) for name in get_args(OptimizerName)}
    matrices = ours["muon"].param_groups[0]["params"]
    optimizers = {**ours, "torch.optim.Muon alone": torch.optim.Muon(matrices, lr=1e-3)}
    return in_turn({name: optimizer.step for name, optimizer in optimizers.items()}, rounds=3)


def learn(files: list[Path], options: PretrainingOptions) -> dict[str, Any]:
    """Pretrain once; give the last measurement and the curve."""
    with tempfile.TemporaryDirectory() as folder:
        directory = pretrain(files, Path(folder) / "run", options, cache=Path(folder).parent / "optimizers-corpora")
        with (directory / "metrics.csv").open(newline="") as table:
            curve = [{name: float(row[name]) for name in COLUMNS} for row in csv.DictReader(table)]
    return {"learning_rate": options.peak_learning_rate, **curve[-1], "curve": curve}


if __name__ == "__main__":
    main()

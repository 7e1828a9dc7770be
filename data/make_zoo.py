"""Makes the models that ship: an encoder from a pretraining run, and predictors from tables of measured molecules.

python data/make_zoo.py --run runs/next-stage --about "Where the molecules came from."
python data/make_zoo.py --tables ../shared/moleculenet
python data/make_zoo.py --tables ../shared/moleculenet --blocks
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from exlm_chem import locations
from exlm_chem.finetuning.card import predictor_card
from exlm_chem.finetuning.choice import fit_head
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.preparation import prepare
from exlm_chem.finetuning.run import finetune
from exlm_chem.finetuning.single_blocks import judge_block, judge_blocks
from exlm_chem.locations import is_predictor
from exlm_chem.model_directory import open_model, training_facts
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.modeling.config_file import write_config
from exlm_chem.predictors.directory import link_encoder, read_predictor
from exlm_chem.predictors.registry import registered_tasks
from exlm_chem.predictors.task_file import read_task, write_task
from exlm_chem.sentence_files import write_sentence_files
from exlm_chem.storage import read_json, write_json, write_text
from exlm_chem.tokenizer import ExLMTokenizer

WORTH = """## What its vectors are worth

Beside other features, the same heads and one rule for all, test parts of DeepChem's scaffold split (how:
`docs/benchmarks.md` of the package):

<!-- main_table -->
<!-- /main_table -->
"""
"""The end of the encoder's card; ``python -m benchmarks.table`` writes the numbers."""


def main() -> None:
    """Write everything into the package's zoo, in the place of what was there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="directory of a finished pretraining run, for the encoder")
    parser.add_argument("--tables", type=Path, help="folder with NAME.csv.gz for every task, for the predictors")
    parser.add_argument("--name", default="exlm-small", help="name of the encoder")
    parser.add_argument("--about", default="", help="where the encoder's molecules came from, for its card")
    parser.add_argument("--tasks", nargs="+", default=list(registered_tasks()))
    parser.add_argument(
        "--blocks", action="store_true", help="only write how good the same heads are on each block alone"
    )
    parser.add_argument("--renew", action="store_true", help="only write what is there in today's format")
    args = parser.parse_args()

    if args.renew:
        renew_formats(locations.SHIPPED)
    if args.run is not None:
        ship_encoder(args.run, locations.SHIPPED / args.name, args.about)
    for task in args.tasks if args.tables is not None else ():
        ship = compare_blocks if args.blocks else ship_predictor
        ship(args.tables / f"{task}.csv.gz", task, args.name)


def ship_predictor(table: Path, task: str, model: str) -> None:
    """Train a predictor as ``exlm-chem finetune`` does when nothing but the task is said."""
    shutil.rmtree(locations.SHIPPED / task, ignore_errors=True)
    finetune(table, locations.SHIPPED / task, FinetuningOptions(task=task, model=model, device="cpu"), log=print)


def compare_blocks(table: Path, task: str, model: str) -> None:
    """Write into a predictor's card how good the same heads are on each block alone.

    Where the average has no members for that, because there is much to learn, it is fitted once more on the block.
    """
    directory, described, head = read_predictor(task)
    options = FinetuningOptions(task=task, model=model, device="cpu")
    material = prepare([table], task, options, None, LabelOptions(), None, print).material
    blocks = judge_blocks(material, head, options.seed)
    for block in [name for name in material.features if name not in blocks]:
        alone = replace(material, features={block: material.features[block]})
        judged = judge_block(
            alone, fit_head("average", alone, np.asarray(alone.split.train), options.seed), options.seed
        )
        blocks |= {block: judged} if judged else {}
        print(task, block, judged)
    blocks = {block: blocks[block] for block in material.features}
    described = replace(described, metrics={**described.metrics, "blocks": blocks})
    write_task(directory, described)
    write_text(directory / "README.md", predictor_card(described, read_json(directory / "run.json")))


def ship_encoder(run: Path, target: Path, about: str) -> None:
    """Copy a model with weights in half precision, which halves the download and changes no embedding visibly."""
    shutil.rmtree(target, ignore_errors=True)
    model = ExLMForMaskedLM.from_pretrained(run)
    ExLMTokenizer.from_pretrained(run).save_pretrained(target, model.config.max_tokens)
    write_sentence_files(target)
    model.save_pretrained(target, dtype=torch.float16)
    for name in ("metrics.csv", "curves.png", "molecule_targets.json"):
        if (run / name).exists():
            shutil.copy(run / name, target / name)
    card = (run / "README.md").read_text(encoding="utf-8")
    write_text(target / "README.md", "\n".join([card, *([about, ""] if about else []), WORTH]))
    write_json(target / "training.json", {**training_facts(run), "stored_as": "float16"})


def renew_formats(directory: Path) -> None:
    """Write the models of a folder in today's format, with the same weights and so the same numbers."""
    folders = sorted(path for path in directory.iterdir() if path.is_dir())
    for folder in folders:
        if (folder / "config.json").is_file():
            found = open_model(folder)
            architecture = found.saved.architectures[0]
            facts = training_facts(folder)
            write_config(folder, found.saved.config, architecture, found.saved.options)
            if facts:
                write_json(folder / "training.json", facts)
    for folder in folders:
        if is_predictor(folder):
            task = read_task(folder)
            write_task(folder, replace(task, encoder=link_encoder(folder, task.encoder.path)))
        if (folder / "run.json").is_file():
            write_json(folder / "run.json", {k: v for k, v in read_json(folder / "run.json").items() if k != "command"})


if __name__ == "__main__":
    main()

"""Makes the models that ship: an encoder from a pretraining run, and predictors from tables of measured molecules.

python data/make_zoo.py runs/small-exlm ../shared/moleculenet --name exlm-small --tasks bbbp esol
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch

from exlm_chem import model_directory
from exlm_chem.finetuning.run import finetune
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.tokenizer import ExLMTokenizer


def main() -> None:
    """Write everything into the package's zoo, in the place of what was there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="directory of a finished pretraining run")
    parser.add_argument("tables", type=Path, help="folder with NAME.csv.gz for every task")
    parser.add_argument("--name", default="exlm-small", help="name of the encoder")
    parser.add_argument("--about", default="", help="where the molecules came from, for the model card")
    parser.add_argument("--tasks", nargs="+", default=["bbbp", "esol"])
    args = parser.parse_args()

    ship_encoder(args.run, model_directory.SHIPPED / args.name, args.about)
    for task in args.tasks:
        shutil.rmtree(model_directory.SHIPPED / task, ignore_errors=True)
        table = args.tables / f"{task}.csv.gz"
        finetune(table, model_directory.SHIPPED / task, task=task, model=args.name, device="cpu", log=print)


def ship_encoder(run: Path, target: Path, about: str) -> None:
    """Copy a model with weights in half precision, which halves the download and changes no embedding visibly."""
    shutil.rmtree(target, ignore_errors=True)
    ExLMForMaskedLM.from_pretrained(run).save_pretrained(target, dtype=torch.float16)
    ExLMTokenizer.from_pretrained(run).save_pretrained(target)
    for name in ("metrics.csv", "curves.png", "molecule_targets.json"):
        if (run / name).exists():
            shutil.copy(run / name, target / name)
    card = (run / "README.md").read_text(encoding="utf-8")
    (target / "README.md").write_text("\n".join([card, about, ""] if about else [card]), encoding="utf-8")
    facts = json.loads((run / "training.json").read_text(encoding="utf-8"))
    facts["sha256"] = hashlib.sha256((target / "model.safetensors").read_bytes()).hexdigest()
    facts["stored_as"] = "float16"
    (target / "training.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

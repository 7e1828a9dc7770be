"""ExLM in Hugging Face: vectors, what stands in a mask, and a training of one's own, all of a model directory.

pip install 'exlm-chem[hf]'
python examples/huggingface.py runs/my-encoder
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    pipeline,
)

import exlm_chem.hf  # noqa: F401  (makes transformers know our classes)
from exlm_chem import ExLM
from exlm_chem.model_directory import find_model

SMILES = ["CC(C)Cc1ccc([C@@H](C)C(=O)O)cc1", "CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "CCO"]
"""As RDKit writes them, since the tokenizer takes a text as it is; and the longest first, as `ExLM` batches them."""


def vectors(directory: Path) -> torch.Tensor:
    """Embed, as `ExLM.embed` does."""
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModel.from_pretrained(directory)
    batch = tokenizer(SMILES, padding=True, return_tensors="pt")
    with torch.inference_mode():
        pooled: torch.Tensor = model(**batch).pooler_output
    return pooled


def proposals(directory: Path) -> list[str]:
    """Say what may stand in a mask, the most probable first."""
    fill = pipeline("fill-mask", model=str(directory), device="cpu")
    return [f"{found['sequence']} {found['score']:.3f}" for found in fill("c1ccc(<mask>)cc1", top_k=3)]


def train(directory: Path, output: Path, steps: int = 3) -> float:
    """Go on with the pretraining on some molecules; what is written is a model directory as any other."""
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModelForMaskedLM.from_pretrained(directory)
    # every chosen token becomes a mask, as in our own pretraining
    collator = DataCollatorForLanguageModeling(tokenizer, mask_replace_prob=1.0, random_replace_prob=0.0, seed=0)
    settings = TrainingArguments(
        str(output),
        max_steps=steps,
        per_device_train_batch_size=4,
        report_to="none",
        use_cpu=True,
        seed=0,
        save_steps=steps,
    )
    rows = [tokenizer(smiles) for smiles in SMILES]
    trainer = Trainer(model, settings, collator, train_dataset=rows, processing_class=tokenizer)
    loss: float = trainer.train().training_loss
    trainer.save_model()
    return loss


def main(output: Path, model: str = "exlm-small") -> None:
    """Run all of it."""
    directory = find_model(model)
    same = (vectors(directory).numpy() == ExLM.from_pretrained(directory, "cpu", "torch").embed(SMILES)).all()
    print(f"vectors are those of ExLM.embed: {same}", *proposals(directory), sep="\n")
    print(f"loss {train(directory, output):.2f}; written, and read by ExLM: {ExLM.from_pretrained(output, 'cpu')}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

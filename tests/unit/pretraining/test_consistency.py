"""Two SMILES of one molecule shall have one embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.pretraining.batch_plan import Plan
from exlm_chem.pretraining.batching import Batch, MaskedBatches
from exlm_chem.pretraining.corpus import Corpus
from exlm_chem.pretraining.corpus_builder import build_corpus
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from exlm_chem.smiles.molecule import canonical_smiles, randomised_smiles
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()
SMILES = [f"{'C' * (i % 7 + 1)}{'O' * (i % 2)}{'N' * (i % 3)}c1ccc({'C' * (i % 5)}F)cc1" for i in range(200)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.smi"
    path.write_text("\n".join(map(canonical_smiles, SMILES)))
    return path


def batches(file: Path, consistency: bool) -> list[Batch]:
    corpus = Corpus(build_corpus([file], TOKENIZER, cache=file.parent))
    config = make_config(PretrainingOptions(preset="tiny"), TOKENIZER)
    plan = Plan(corpus, config, mask_ratio=0.2, unmasked=0.5, batch_tokens=1024, seed=3)
    made = MaskedBatches(plan, TOKENIZER, consistency=consistency)
    return [made[0, 0, number] for number in range(len(plan.pool(0, 0)))]


def decoded(ids: torch.Tensor) -> str:
    return TOKENIZER.decode([token for token in ids.tolist() if token != TOKENIZER.pad_id])


def test_every_molecule_without_masks_comes_in_other_words_too(file: Path) -> None:
    changed = 0
    for batch in batches(file, consistency=True):
        masked = (batch.inputs.expansion.input_ids == TOKENIZER.mask_id).any(1)
        if batch.others is None:
            continue
        assert not masked[batch.others.rows].any()
        for row, other in zip(batch.others.rows.tolist(), batch.others.input_ids, strict=True):
            plain = batch.inputs.expansion.state_index[row] <= 1
            text = decoded(batch.inputs.expansion.input_ids[row][plain])
            assert decoded(other) != text
            assert canonical_smiles(decoded(other)) == canonical_smiles(text)
            changed += 1
    assert changed > 60  # of 200, half of which have no masks


def test_the_batches_are_the_same_otherwise(file: Path) -> None:
    for one, other in zip(batches(file, consistency=False), batches(file, consistency=True), strict=True):
        assert one.others is None
        assert torch.equal(one.inputs.expansion.input_ids, other.inputs.expansion.input_ids)
        assert torch.equal(one.inputs.targets, other.inputs.targets)


def test_the_loss_brings_two_texts_together(file: Path) -> None:
    def distance(weight: float) -> float:
        options = PretrainingOptions(
            preset="tiny",
            max_steps=20,
            batch_tokens=1024,
            unmasked=0.5,
            molecule_objectives=("descriptors",),
            consistency=weight,
            device="cpu",
            evaluations=1,
        )
        directory = pretrain([file], file.parent / f"run-{weight}", options, cache=file.parent)
        model = ExLMForMaskedLM.from_pretrained(directory).model
        texts = [canonical_smiles(one) for one in SMILES[:50]]
        others = [randomised_smiles(text, seed=1) for text in texts]
        with torch.inference_mode():
            a, b = (
                model.embed(torch.from_numpy(TOKENIZER.pad([TOKENIZER.encode(one) for one in side])))
                for side in (texts, others)
            )
        return float((1 - torch.nn.functional.cosine_similarity(a, b)).mean())

    assert distance(3.0) < 0.5 * distance(0.0)


def test_it_needs_molecules_without_masks() -> None:
    with pytest.raises(ExLMError, match=r"--consistency 1.0 is of molecules without masks; add --unmasked"):
        PretrainingOptions(consistency=1.0)
    assert np.isclose(PretrainingOptions(consistency=1.0, unmasked=0.3).consistency, 1)

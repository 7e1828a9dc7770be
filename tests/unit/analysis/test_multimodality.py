"""Answers of models to the same masks."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch

from exlm_chem.analysis.agreement import ask, describe_masks, filled
from exlm_chem.analysis.masked import MaskedMolecules
from exlm_chem.analysis.multimodality import measure_multimodality
from exlm_chem.analysis.options import MultimodalityOptions
from exlm_chem.data import data_path
from exlm_chem.generation.infill import Infiller
from exlm_chem.storage import read_json


def test_shares_are_shares_and_the_file_says_the_same(tiny_model: Path, tmp_path: Path) -> None:
    options = MultimodalityOptions(masks=(1, 2), number=3, samples=2, device="cpu")
    picture = tmp_path / "picture.png"
    [result] = measure_multimodality([tiny_model], data_path("examples.csv"), picture, options).values()
    assert result["objective"] == "exlm"
    assert list(result["by_masks"]) == ["1", "2"]
    shares = [row[name] for row in result["by_masks"].values() for name in row if name.endswith(("valid", "right"))]
    assert len(shares) == 12
    assert all(0 <= share <= 1 for share in shares)
    assert sum(row["number"] for row in result["by_class"].values()) == 9
    saved = read_json(picture.with_suffix(".json"))["models"][tiny_model.name]
    assert saved["by_masks"] == result["by_masks"]
    assert picture.stat().st_size > 1000


def test_two_models_of_one_name_are_both_asked(tiny_model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny_model, tmp_path / tiny_model.name))
    options = MultimodalityOptions(masks=(1,), number=1, samples=1, device="cpu")
    found = measure_multimodality([tiny_model, other], data_path("examples.csv"), tmp_path / "picture.png", options)
    assert list(found) == [str(tiny_model), str(other)]
    again = measure_multimodality([tiny_model] * 2, data_path("examples.csv"), tmp_path / "picture.png", options)
    assert list(again) == [str(tiny_model)]


def test_a_mode_counts_if_it_makes_a_molecule(tiny_model: Path) -> None:
    infiller = Infiller.from_pretrained(tiny_model, "cpu")
    tokenizer = infiller.tokenizer
    ids = torch.tensor([tokenizer.encode("CO")])
    labels = torch.full_like(ids, -100)
    labels[0, 2], ids[0, 2] = ids[0, 2].clone(), tokenizer.mask_id
    [question] = ask(infiller, MaskedMolecules(ids.numpy(), labels.numpy()))
    assert filled(infiller, question, question.truth) == "CO"
    chances = torch.full((1, tokenizer.vocab_size), 1e-9)
    for token, chance in (("O", 0.6), ("(", 0.3), ("N", 0.1)):
        chances[0, tokenizer.encode(token)[1]] = chance
    question.opinions.copy_(chances.log())
    [mask] = describe_masks(infiller, question, mode=0.05)
    assert (mask["class"], mask["modes"], mask["valid_modes"], mask["right"]) == ("heteroatom", 3, 2, 1.0)
    expected = -sum(share * math.log(share) for share in (0.6, 0.3, 0.1))
    assert mask["entropy"] == pytest.approx(expected, abs=1e-4)

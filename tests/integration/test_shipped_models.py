"""The models that ship: whole, small, as good as their cards say, and still giving the numbers of the README."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from exlm_chem import locations, model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.predictors.predictor import Predictor

ROOT = Path(__file__).parents[2]
EXAMPLE = json.loads((ROOT / "benchmarks/results/example.json").read_text(encoding="utf-8"))


def test_all_are_whole_and_small() -> None:
    assert {"exlm-small", "bbbp", "esol"} <= set(model_directory.available())
    for name in model_directory.available():
        directory = model_directory.find_model(name)
        model_directory.check(directory)
        assert sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) < 15_000_000
    assert sum(file.stat().st_size for file in locations.SHIPPED.rglob("*") if file.is_file()) < 30_000_000


@pytest.mark.parametrize(("name", "tolerance"), [("bbbp", 0.01), ("esol", 0.05)])
def test_predictions_are_those_of_the_readme(name: str, tolerance: float) -> None:
    rows = EXAMPLE["rows"]
    table = Predictor.from_pretrained(name, device="cpu").predict([row["smiles"] for row in rows])
    expected = np.array([float(row[name] or "nan") for row in rows])
    np.testing.assert_allclose(table[name], expected, atol=tolerance, rtol=0)
    assert [reason or "" for reason in table["error"]] == [row["error"] for row in rows]


@pytest.mark.parametrize(("name", "metric", "better_than"), [("bbbp", "roc_auc", 0.6), ("esol", "rmse", 1.2)])
def test_cards_state_what_was_measured(name: str, metric: str, better_than: float) -> None:
    directory = model_directory.find_model(name)
    measured = json.loads((directory / "task.json").read_text(encoding="utf-8"))["metrics"]["test"][metric]
    assert measured > better_than if metric == "roc_auc" else measured < better_than
    card = (directory / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"\| test \|.*\| {measured:.3f} \|", card)


def test_one_molecule_has_one_embedding_however_it_is_written() -> None:
    vectors = ExLM.from_pretrained("exlm-small", device="cpu").embed(["OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(=O)O"])
    assert vectors.shape == (2, 256)
    assert np.array_equal(vectors[0], vectors[1])

"""The models that ship: whole, small, as good as their cards say, and still giving the numbers of the README."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from exlm_chem import locations, model_directory
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.finetuning.card import format_number
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.registry import registered_tasks
from exlm_chem.predictors.training_file import TRAINING_NAME

ROOT = Path(__file__).parents[2]
PREDICTORS = [task for task in registered_tasks() if (locations.SHIPPED / task / "task.json").is_file()]
EXAMPLE = json.loads((ROOT / "benchmarks/results/example.json").read_text(encoding="utf-8"))


def test_all_are_whole_and_small() -> None:
    assert {"exlm-small", *PREDICTORS} == set(model_directory.available())
    for name in model_directory.available():
        model_directory.check(model_directory.find_model(name))
    assert set(PREDICTORS) == set(registered_tasks())
    heads = sum(_bytes(locations.SHIPPED / task) for task in PREDICTORS)
    kept = sum((locations.SHIPPED / task / TRAINING_NAME).stat().st_size for task in PREDICTORS)
    assert _bytes(locations.SHIPPED / "exlm-small") < 15_000_000
    assert heads - kept < 12_000_000
    assert _bytes(locations.SHIPPED) < 40_000_000


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(("name", "tolerance"), [("bbbp", 0.01), ("esol", 0.05)])
def test_predictions_are_those_of_the_readme(name: str, tolerance: float) -> None:
    rows = EXAMPLE["rows"]
    table = Predictor.from_pretrained(name, device="cpu").predict([row["smiles"] for row in rows])
    expected = np.array([float(row[name] or "nan") for row in rows])
    np.testing.assert_allclose(table[name], expected, atol=tolerance, rtol=0)
    assert [reason or "" for reason in table["error"]] == [row["error"] for row in rows]


@pytest.mark.parametrize("name", PREDICTORS)
def test_cards_state_what_was_measured(name: str) -> None:
    directory = model_directory.find_model(name)
    task = json.loads((directory / "task.json").read_text(encoding="utf-8"))
    metric, several = "roc_auc" if task["kind"] == "classification" else "rmse", len(task["columns"]) > 1
    measured = task["metrics"]["test"][metric]
    spread = [column["range"][1] - column["range"][0] for column in task["columns"]]
    assert measured > 0.6 if metric == "roc_auc" else measured < max(spread) / 5
    card = (directory / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"\| test \| {'mean' if several else ''}.*\| {measured:.3g}0* \|", card)
    for block in ("ecfp", "descriptors"):
        assert f"| {block} alone | {format_number(task['metrics']['blocks'][block][metric])} |" in card


def test_one_molecule_has_one_embedding_however_it_is_written() -> None:
    vectors = ExLM.from_pretrained("exlm-small", device="cpu").embed(["OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(=O)O"])
    assert vectors.shape == (2, 256)
    assert np.array_equal(vectors[0], vectors[1])

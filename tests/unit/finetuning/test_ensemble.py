"""Several seeds as one predictor."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning import trainings
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.predictions import read_predictions
from exlm_chem.finetuning.run import finetune
from exlm_chem.heads import network
from exlm_chem.prediction.columns import PredictionColumns
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.predictors.predictor import Predictor

DATA = Path(__file__).parents[2] / "data"


def trained(tmp_path, tiny_model, **options):
    table = tmp_path / "data.csv"
    pd.read_csv(DATA / "esol_150.csv", nrows=60).to_csv(table, index=False)
    given = {"task": "esol", "model": str(tiny_model), "device": "cpu", "split": "random", "seeds": 2, "ensemble": True}
    return finetune(table, tmp_path / "out", FinetuningOptions(**given, **options))


def test_heads_of_all_seeds_are_kept_and_their_spread_is_told(tmp_path, tiny_model, monkeypatch):
    monkeypatch.setattr(network, "EPOCHS", 5)
    result = trained(tmp_path, tiny_model, head="network", features=("exlm",), folds=3)
    predictor = Predictor.from_pretrained(result.directory, "cpu")
    assert (predictor.head.name, len(predictor.head.member_shares)) == ("ensemble", 2)
    columns = PredictionColumns([predictor], PredictionOptions(columns=("spread",)))
    value, spread = columns.begin(["CCO"])().cells
    assert value[0] == pytest.approx(predictor.predict("CCO")["esol"][0])
    assert spread[0] > 0
    facts = json.loads((result.directory / "run.json").read_text("utf-8"))
    assert [run["seed"] for run in facts["runs"]] == [0, 1]
    assert facts["ensemble"]["metrics"] == {part: result.task.metrics[part] for part in ("valid", "test")}
    assert facts["ensemble"]["metrics"]["test"]["rmse"] not in [run["metrics"]["test"]["rmse"] for run in facts["runs"]]
    assert len(facts["cross_validation"]["runs"]) == 3  # each fold is judged by the mean of its seeds
    assert set(read_predictions(result.directory)["seed"]) == {0}
    assert "ensemble: the mean of 2 heads" in (result.directory / "README.md").read_text("utf-8")


def test_weights_of_all_seeds_are_averaged(tmp_path, tiny_model, monkeypatch):
    seeds = []
    original = trainings.combine
    monkeypatch.setattr(
        "exlm_chem.finetuning.run.combine", lambda material, some: seeds.extend(some) or original(material, some)
    )
    result = trained(tmp_path, tiny_model, method="full", epochs=2)
    predictor = Predictor.from_pretrained(result.directory, "cpu")
    own, *others = (
        {name: value.numpy() for name, value in one.model.state_dict().items()}
        for one in (predictor.encoder, *(training.fitted.encoder for training in seeds))
    )
    assert len(others) == 2
    for name, value in own.items():
        np.testing.assert_allclose(value, (others[0][name] + others[1][name]) / 2, atol=1e-6)
    assert any((others[0][name] != others[1][name]).any() for name in own)
    assert "the mean of the weights of 2 seeds" in (result.directory / "README.md").read_text("utf-8")


def test_one_seed_is_no_ensemble():
    with pytest.raises(ExLMError, match="--ensemble needs several seeds"):
        FinetuningOptions(ensemble=True)

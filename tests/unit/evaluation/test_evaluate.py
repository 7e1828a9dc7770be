"""Judging a predictor: which molecules it has seen, and what it says of the others."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from exlm_chem.errors import ExLMError
from exlm_chem.evaluation.evaluate import evaluate_predictor
from exlm_chem.evaluation.options import EvaluateOptions
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.training_molecules import TrainingMolecules
from exlm_chem.storage import sha256

DRUGS = "CCO CCN CCC CC(=O)O c1ccccc1 Oc1ccccc1 CC(C)O CCCO C1CCCCC1 CCS CCCl CCBr OCCO NCCN c1ccncc1 c1ccsc1".split()
CPU = EvaluateOptions(device="cpu")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    labels = np.arange(len(DRUGS)) % 2
    pd.DataFrame({"smiles": [*DRUGS, "C1CC"], "p": [*labels, 1], "other": [*(1 - labels), 1]}).to_csv(path, index=False)
    return path


@pytest.fixture
def predictor(tiny_predictors, tmp_path):
    """A copy that may be changed, beside the encoder that it names."""
    for name in ("salt", "pass"):
        shutil.copytree(tiny_predictors / name, tmp_path / name)
    return tmp_path / "pass"


def test_metrics_are_those_of_the_predictions(predictor, table):
    result = evaluate_predictor(predictor, table, CPU)
    assert list(result.groups) == ["unknown"]
    measured = result.groups["unknown"]["columns"]["pass"]["metrics"]["roc_auc"]["value"]
    outputs = Predictor.from_pretrained(predictor, "cpu").predict(DRUGS)["pass"]
    assert measured == pytest.approx(roc_auc_score(np.arange(len(DRUGS)) % 2, outputs))
    assert any("1 rows are left out" in note or "1 row" in note for note in result.notes)
    assert any("may have been learnt from" in note for note in result.notes)
    turned = evaluate_predictor(predictor, table, EvaluateOptions(device="cpu", target=("other",)))
    again = turned.groups["unknown"]["columns"]["pass"]["metrics"]["roc_auc"]["value"]
    assert again == pytest.approx(1 - measured)


def test_rows_that_were_in_training_are_judged_apart(predictor, table):
    splits = {
        "data_sha256": sha256(table),
        "train": [0, 1, 2, 3, 4, 5, 6, 7],
        "valid": [8, 9, 10, 11],
        "test": [12, 13],
    }
    (predictor / "splits.json").write_text(json.dumps(splits))
    result = evaluate_predictor(predictor, table, CPU)
    assert {name: group["molecules"] for name, group in result.groups.items()} == {
        "new": 2, "test": 2, "valid": 4, "train": 8,
    }  # fmt: skip
    assert any("8 of 16 molecules were learnt from" in note for note in result.notes)
    (predictor / "splits.json").write_text(json.dumps({**splits, "data_sha256": "another"}))
    assert list(evaluate_predictor(predictor, table, CPU).groups) == ["unknown"]


def test_molecules_that_were_in_training_are_found_in_any_table(predictor, table, monkeypatch):
    kept = DRUGS[:10]
    values = (np.arange(10) % 2)[:, None].astype(float)
    training = TrainingMolecules.collect(kept, values, np.where(values > 0, 0.7, 0.3))
    monkeypatch.setattr(Predictor, "training", training)
    result = evaluate_predictor(predictor, table, CPU)
    assert {name: group["molecules"] for name, group in result.groups.items()} == {"new": 6, "train": 10}
    new = result.groups["new"]["columns"]["pass"]
    assert new["sets"]["molecules"] == 6
    assert len(new["error_by_distance"]["fifths"]) == 5
    assert result.groups["train"]["columns"]["pass"]["error_by_distance"]["fifths"][0]["uncertainty"] == 0


def test_kept_molecules_of_the_validation_part_are_no_training(predictor, table, monkeypatch):
    values = (np.arange(12) % 2)[:, None].astype(float)
    monkeypatch.setattr(Predictor, "training", TrainingMolecules.collect(DRUGS[:12], values, values))
    splits = {"data_sha256": sha256(table), "train": [*range(8)], "valid": [8, 9, 10, 11], "test": [12, 13]}
    (predictor / "splits.json").write_text(json.dumps(splits))
    groups = evaluate_predictor(predictor, table, CPU).groups
    assert {name: group["molecules"] for name, group in groups.items()} == {
        "new": 2, "test": 2, "valid": 4, "train": 8,
    }  # fmt: skip


def test_what_does_not_fit_is_refused(predictor, table):
    with pytest.raises(ExLMError, match="'pass' has 1 outputs; name so many columns with --target"):
        evaluate_predictor(predictor, table, EvaluateOptions(target=("p", "other"), device="cpu"))
    with pytest.raises(ExLMError, match="'pass' is a classification; leave --kind regression away"):
        evaluate_predictor(predictor, table, CPU, LabelOptions(kind="regression"))
    with pytest.raises(ExLMError, match="has no column 'none'"):
        evaluate_predictor(predictor, table, EvaluateOptions(target=("none",), device="cpu"))

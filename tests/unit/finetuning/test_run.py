"""The whole run from Python; the command line has tests of its own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from exlm_chem import locations
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.predictions import read_predictions
from exlm_chem.finetuning.run import finetune
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.predictors.task import OutputColumn, Task, task_of_targets

DATA = Path(__file__).parents[2] / "data"


def options_of(**given):
    """Those of a quick head."""
    return FinetuningOptions(features=("exlm",), head="linear", **given)


@pytest.fixture
def shipped(tiny_model, tmp_path, monkeypatch):
    """A folder of models that ship, with the tiny model under the name of the real one."""
    folder = tmp_path / "zoo"
    shutil.copytree(tiny_model, folder / "exlm-small")
    monkeypatch.setattr(locations, "SHIPPED", folder)
    return folder


def test_predictors_that_ship_share_their_encoder(shipped, tmp_path):
    inside = finetune(DATA / "bbbp_300.csv", shipped / "bbbp", options_of(task="bbbp"))
    outside = finetune(DATA / "bbbp_300.csv", tmp_path / "bbbp", options_of(task="bbbp"))
    assert inside.task.encoder.path == "../exlm-small"
    assert outside.task.encoder.path == "."
    assert not (shipped / "bbbp" / "model.safetensors").exists()
    assert locations.available() == ["bbbp", "exlm-small"]
    shutil.move(tmp_path / "bbbp", tmp_path / "elsewhere")  # a predictor of one's own can be moved alone
    tables = [Predictor.from_pretrained(one).predict(["CCO", "c1ccccc1"]) for one in ("bbbp", tmp_path / "elsewhere")]
    np.testing.assert_allclose(tables[0]["bbbp"], tables[1]["bbbp"], atol=1e-6)


def test_a_predictor_can_be_the_start_of_another(shipped, tmp_path):
    finetune(DATA / "bbbp_300.csv", shipped / "bbbp", options_of(task="bbbp"))
    result = finetune(DATA / "esol_150.csv", tmp_path / "esol", options_of(task="esol", model="bbbp"))
    facts = json.loads((tmp_path / "esol" / "run.json").read_text(encoding="utf-8"))
    assert facts["model_sha256"] == ExLM.from_pretrained("exlm-small").fingerprint
    assert result.task.columns[0].unit == "log10(mol/L)"


def test_a_task_of_ones_own_and_what_is_told(tiny_model, tmp_path):
    task = task_of_targets("mine", ["p_np"], "classification")
    told = []
    options = options_of(model=str(tiny_model))
    finetune(DATA / "bbbp_300.csv", tmp_path / "out", options, task=task, log=told.append)
    assert json.loads((tmp_path / "out" / "task.json").read_text(encoding="utf-8"))["name"] == "mine"
    assert "repeated molecules: 1 in 1 extra rows, contradicting labels in 0 of them; all are kept" in told


def test_seeds_are_compared_on_the_validation_part(tiny_model, tmp_path):
    options = options_of(task="esol", model=str(tiny_model), split="random", seeds=3, seed=4)
    result = finetune(DATA / "esol_150.csv", tmp_path / "out", options)
    values = [run["metrics"]["valid"]["rmse"] for run in result.runs]
    assert result.task.metrics["valid"]["rmse"] == min(values)
    assert result.task.metrics["seeds"] == 3


def test_faults_are_told_before_anything_is_read(tmp_path):
    table = tmp_path / "table.csv"
    table.touch()
    for options, message in (
        ({}, "give either a task"),
        ({"task": "nothing"}, "there is no task 'nothing'"),
        ({"task": "esol", "model": "nothing"}, "no model 'nothing'"),
    ):
        with pytest.raises(ExLMError, match=message):
            finetune(table, tmp_path / "out", options_of(**options))
    with pytest.raises(ExLMError, match="there is no file"):
        finetune(tmp_path / "none.csv", tmp_path / "out", options_of(task="esol"))


def test_a_task_that_predicts_every_column(tiny_model, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("smiles,A 1,B-2\n" + "".join(f"{'C' * n}O,{n % 2},{n % 3 % 2}\n" for n in range(1, 25)))
    task = Task("panel", "classification", every=OutputColumn("panel_{slug}", "{target}"))
    options = options_of(model=str(tiny_model), split="random")
    result = finetune(table, tmp_path / "out", options, task=task)
    assert [column.name for column in result.task.columns] == ["panel_a_1", "panel_b_2"]


def test_what_was_predicted_is_written(tiny_model, tmp_path):
    options = options_of(targets=("NR-AhR", "SR-p53"), model=str(tiny_model), split="random", seeds=2)
    result = finetune(DATA / "tox21_200.csv", tmp_path / "out", options)
    table, splits = read_predictions(tmp_path / "out"), json.loads((tmp_path / "out" / "splits.json").read_text())
    for part in ("train", "valid", "test"):
        assert set(table["row"][table["part"] == part]) == set(splits[part])
    assert set(table["seed"]) == {0, 1}
    assert not table["y"].isna().any()
    for run in result.runs:
        of_run = table[(table["part"] == "test") & (table["seed"] == run["seed"])]
        for name, column in run["metrics"]["test"]["columns"].items():
            mine = of_run[of_run["target"] == name]
            assert roc_auc_score(mine["y"], mine["prediction"]) == pytest.approx(column["roc_auc"], abs=1e-6)


def test_cross_validation_beside_the_predictor(tiny_model, tmp_path):
    told = []
    known = {"task": "esol", "model": str(tiny_model), "split": "random", "folds": 3, "repeats": 2}
    result = finetune(DATA / "esol_150.csv", tmp_path / "out", options_of(**known), log=told.append)
    table = read_predictions(tmp_path / "out")
    tested = table[table["part"] == "test"]
    assert tested.groupby("row")["fold"].count().eq(2).all()  # once in every repeat
    errors = ((tested["y"] - tested["prediction"]) ** 2).groupby(tested["fold"]).mean() ** 0.5
    summary = result.task.metrics["cross_validation"]["test"]
    assert (summary["scored"], len(set(table["fold"]))) == (6, 6)
    assert (summary["mean"], summary["sd"]) == pytest.approx((errors.mean(), errors.std()), abs=1e-5)
    assert any(line.startswith("cross-validation: test rmse") for line in told)
    card, cut = (tmp_path / "out" / "README.md").read_text(), "; cut 2 times, each with the next seed"
    assert f"Cross-validation (3 folds of whole molecules, seed 0; the next fold validates{cut})" in card
    assert any(line.endswith(cut) for line in told)
    # the predictor is the one without cross-validation, and the folds can be had again
    plain = finetune(DATA / "esol_150.csv", tmp_path / "plain", options_of(**{**known, "folds": None, "repeats": 1}))
    assert plain.runs[0]["metrics"] == result.runs[0]["metrics"]
    again = {**known, "split": str(tmp_path / "out" / "folds.json"), "repeats": 1}
    finetune(DATA / "esol_150.csv", tmp_path / "again", options_of(**again))
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "again"), table)


def test_three_files_are_the_split(tiny_model, tmp_path):
    table = pd.read_csv(DATA / "esol_150.csv")
    table.columns = ["smiles", "y"]
    again = table.iloc[[0]].assign(y=99.0)  # a molecule of the training, measured otherwise
    parts = {"train": table[:100], "valid": table[100:120], "test": pd.concat([table[120:], again])}
    parts["test"].iloc[3, 0] = "nothing"
    for name, part in parts.items():
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    files, told = [tmp_path / f"{name}.csv" for name in parts], []
    options = options_of(targets=("y",), model=str(tiny_model))
    finetune(files, tmp_path / "out", options, log=told.append)
    splits = json.loads((tmp_path / "out" / "splits.json").read_text(encoding="utf-8"))
    assert (splits["train"], splits["valid"][0], splits["test"][-1]) == ([*range(100)], 100, 150)
    assert splits["left_out"][0]["row"] == 123
    assert "line 5 of test.csv" in " ".join(told)
    assert any("1 in train and test), 1 of them with labels that contradict each other" in line for line in told)
    with pytest.raises(ExLMError, match="give one table, or three: TRAIN VALID TEST"):
        finetune(files[:2], tmp_path / "two", options)
    with pytest.raises(ExLMError, match="three tables are the split; leave --folds away"):
        finetune(files, tmp_path / "two", options_of(targets=("y",), model=str(tiny_model), folds=3))


def test_limits_and_weights_reach_training_and_judgement(tiny_model, tmp_path):
    table = pd.read_csv(DATA / "esol_150.csv")
    table.columns = ["smiles", "y"]
    table["w"] = [0.0] * 20 + [1.0] * 130
    table["y"] = [f">{-2.0}" if y > -2 else str(y) for y in table["y"]]
    table.to_csv(tmp_path / "data.csv", index=False)
    options = {"targets": ("y",), "model": str(tiny_model), "split": "random"}
    result = finetune(tmp_path / "data.csv", tmp_path / "out", options_of(**options, weights="w"))
    made = read_predictions(tmp_path / "out").query("part == 'test'")
    assert set(made["bound"]) == {0, 1}
    error = (made["prediction"] - made["y"]) * ~((made["bound"] == 1) & (made["prediction"] > made["y"]))
    assert result.runs[0]["metrics"]["test"]["rmse"] == pytest.approx((error**2).mean() ** 0.5, abs=1e-5)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["data"]["limits"] == (table["y"] == ">-2.0").sum()
    table["w"] = (table["y"] == ">-2.0").astype(int)
    table.to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(ExLMError, match="all labels of column 'y' that have a weight are -2, so nothing can be learnt"):
        finetune(tmp_path / "data.csv", tmp_path / "no", options_of(**options, weights="w"))
    table["w"] = "x"
    table.to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(ExLMError, match=r"data\.csv, line 2, column 'w': 'x' is no weight"):
        finetune(tmp_path / "data.csv", tmp_path / "no", options_of(**options, weights="w"))
    with pytest.raises(ExLMError, match="--balance is for classes"):
        finetune(DATA / "esol_150.csv", tmp_path / "no", options_of(task="esol", balance=True))

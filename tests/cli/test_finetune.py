"""``exlm-chem finetune`` as a user runs it, on real tables, and its predictors in use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exlm_chem import model_directory
from exlm_chem.predictors.predictor import Predictor

EXLM_CHEM = Path(sys.executable).with_name("exlm-chem")
DATA = Path(__file__).parents[1] / "data"


def run(*args):
    return subprocess.run(
        [EXLM_CHEM, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def run_here(monkeypatch, *args):
    """Run the command in this process, which is faster; give the exit status."""
    from exlm_chem.cli import main

    monkeypatch.setattr(sys, "argv", ["exlm-chem", *map(str, args)])
    with pytest.raises(SystemExit) as ending:
        main.main()
    return ending.value.code


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_classification_from_table_to_predictions(tiny_model, tmp_path):
    output = tmp_path / "my-bbbp"
    done = run("finetune", DATA / "bbbp_300.csv", "--task", "bbbp", "-m", tiny_model, "-o", output)
    assert (done.returncode, done.stdout) == (0, f"{output}\n"), done.stderr
    log = done.stderr.splitlines()
    assert log[0].endswith("bbbp_300.csv: 294 molecules, 294 labels")
    assert log[1].startswith("6 rows are left out, the first: line 13: impossible valence")
    assert any(line.startswith("test: roc_auc 0.") for line in log)
    assert [path.name for path in tmp_path.iterdir()] == ["my-bbbp"]  # no temporary directory is left

    task, splits, facts = (load(output / name) for name in ("task.json", "splits.json", "run.json"))
    assert model_directory.check(output)
    assert task["columns"][0]["meaning"].startswith("Probability that the molecule passes")
    assert task["metrics"]["test"]["molecules"] == len(splits["test"]) == 30
    assert sorted(splits["train"] + splits["valid"] + splits["test"] + [r["row"] for r in splits["left_out"]]) == list(
        range(300)
    )
    assert facts["data"]["sha256"] == splits["data_sha256"]
    assert facts["versions"]["torch"]
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "| test | bbbp | 0." in card
    assert str(tiny_model.parent) not in card

    # the metrics are those of the predictions that a user gets
    predicted = run("predict", DATA / "bbbp_300.csv", "-m", output, "-o", tmp_path / "predicted.csv")
    assert predicted.returncode == 0, predicted.stderr
    table = pd.read_csv(tmp_path / "predicted.csv")
    assert table["error"].notna().sum() == 6
    from sklearn.metrics import roc_auc_score

    for part in ("valid", "test"):
        rows = table.iloc[splits[part]]
        assert roc_auc_score(rows["p_np"], rows["bbbp"]) == pytest.approx(task["metrics"][part]["roc_auc"], abs=1e-3)


def test_regression_with_the_kind_seen_from_the_labels(tiny_model, tmp_path):
    target = "measured log solubility in mols per litre"
    output = tmp_path / "logs"
    options = ("--target", target, "-m", tiny_model, "-o", output, "--split", "random", "--seed", 7, "--seeds", 2)
    done = run("finetune", DATA / "esol_150.csv", *options)
    assert done.returncode == 0, done.stderr
    assert f"esol_150.csv: column '{target}': taken as measurements\n" in done.stderr
    task = load(output / "task.json")
    labels = pd.read_csv(DATA / "esol_150.csv").iloc[load(output / "splits.json")["train"]][target]
    assert task["columns"][0]["range"] == [labels.min(), labels.max()]
    assert 0.3 < task["metrics"]["test"]["rmse"] < labels.std()
    assert task["name"] == "logs"
    assert [one["seed"] for one in load(output / "run.json")["runs"]] == [7, 8]
    values = Predictor.from_pretrained(output).predict(["CCO", "c1ccc2ccccc2c1"])[target]
    assert values[0] > values[1]  # ethanol is more soluble than naphthalene


def test_several_assays_with_missing_labels_trained_in_full(tiny_model, tmp_path):
    output = tmp_path / "assays"
    assays = ["NR-AhR", "SR-MMP", "SR-p53"]
    options = [option for assay in assays for option in ("--target", assay)]
    options += ["--method", "full", "--epochs", "2", "--standardise", "parent", "--pooling", "first"]
    done = run("finetune", DATA / "tox21_200.csv", *options, "-m", tiny_model, "-o", output)
    assert done.returncode == 0, done.stderr
    assert "of 2 is the best on the validation part" in done.stderr
    task, facts = load(output / "task.json"), load(output / "run.json")
    known = pd.read_csv(DATA / "tox21_200.csv")[assays].notna().sum().sum()
    assert facts["data"]["known_labels"] == known < 600
    assert (task["standardise"], task["pooling"], len(task["columns"])) == ("parent", "first", 3)
    assert len(facts["runs"][0]["history"]) == 3
    predictor = Predictor.from_pretrained(output)
    table = predictor.predict(["CC(=O)[O-].[Na+]", "nothing"])
    assert table.loc[0, "smiles_used"] == "CC(=O)O"
    assert np.isnan(table.loc[1, assays].astype(float)).all()
    assert table.loc[0, assays].between(0, 1).all()


def test_splits_of_a_column_and_the_same_result_for_the_same_seed(tiny_model, tmp_path, monkeypatch, capsys):
    table = pd.read_csv(DATA / "esol_150.csv", names=["smiles", "y"], header=0)
    table["part"] = ["train"] * 100 + ["test"] * 50
    table.to_csv(tmp_path / "data.csv", index=False)
    for name in ("one", "two"):
        options = ("--target", "y", "--kind", "regression", "--split", "part")
        arguments = ("finetune", tmp_path / "data.csv", *options, "-m", tiny_model, "-o", tmp_path / name)
        assert run_here(monkeypatch, *arguments) == 0
    assert "valid: no molecules\n" in capsys.readouterr().err
    one, two = (tmp_path / name / "head.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert load(tmp_path / "one" / "splits.json")["test"] == list(range(100, 150))


@pytest.mark.parametrize(
    ("table", "options", "status", "message"),
    [
        ("smiles,y\nC,1\nCC,high\n", ["--target", "y"], 1, "column 'y': 1 of 2 labels is no plain number: 'high'"),
        (
            "smiles,y\nC,1\nCC,2\n",
            ["--target", "y"],
            1,
            "with --positive '1' or --positive '2'; if they",
        ),
        ("smiles,y\nC,1\nCC,0\n", ["--task", "bbbp", "--kind", "regression"], 1, "leave --kind regression away"),
        ("smiles,y\nC,1\n", ["--target", "z"], 1, "has no column 'z'; its columns are: 'smiles', 'y'"),
        ("smiles,y\nC,1\n", ["--task", "bbbp"], 1, "has no column 'p_np'"),
        ("smiles,y\nC,1\n", ["--task", "esol", "--target", "y"], 2, "give either --task or --target"),
        ("smiles,y\nC,1\n", [], 2, "give either --task or --target"),
        (
            "smiles,y\nC,1\nCC,0\n",
            ["--target", "y"],
            1,
            "of 2 molecules leaves none to learn from; use --split random",
        ),
        (
            "smiles,y\nC,1\nCC,0\n",
            ["--target", "y", "--split", "random", "--method", "full"],
            1,
            "needs validation molecules",
        ),
    ],
)
def test_faults_leave_nothing_behind(tiny_model, tmp_path, monkeypatch, capsys, table, options, status, message):
    (tmp_path / "data.csv").write_text(table, encoding="utf-8")
    arguments = ("finetune", tmp_path / "data.csv", *options, "-m", tiny_model, "-o", tmp_path / "out")
    assert run_here(monkeypatch, *arguments) == status
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_nothing_is_written_over(tiny_model, tmp_path, monkeypatch, capsys):
    (tmp_path / "precious").touch()
    arguments = (DATA / "bbbp_300.csv", "--target", "p_np", "-m", tiny_model, "-o", tmp_path)
    assert run_here(monkeypatch, "finetune", *arguments) == 1
    assert capsys.readouterr().err == f"exlm-chem: {tmp_path} exists already; choose another output directory\n"

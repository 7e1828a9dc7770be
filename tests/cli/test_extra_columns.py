"""Columns of a user's table that a predictor reads besides the molecules, from ``finetune`` to ``predict``."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.predictors.predictor import Predictor
from tests.cli.runner import run_here

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """Molecules with a label that follows from the pH and the assay alone."""
    path = tmp_path_factory.mktemp("columns") / "assay.csv"
    rows = pd.read_csv(DATA / "esol_150.csv", names=["smiles", "y"], header=0)[:80]
    random = np.random.default_rng(0)
    rows["pH"] = random.uniform(2, 10, len(rows)).round(1)
    rows["assay"] = random.choice(["cell", "enzyme"], len(rows))
    rows["y"] = rows["pH"] + 5 * (rows["assay"] == "cell")
    rows.to_csv(path, index=False)
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    return lambda *args: run_here(monkeypatch, capsys, *args)


@pytest.fixture
def predictor(command, table, tiny_model) -> Path:
    output = table.parent / "mine"
    if not output.exists():
        options = ("--extra-columns", "ph,assay", "--features", "exlm,ecfp", "--head", "linear", "--split", "random")
        done = command("finetune", table, "--target", "y", *options, "-m", tiny_model, "--device", "cpu", "-o", output)
        assert done.status == 0, done.err
        assert "read besides the molecules: 'ph', a number; 'assay', one of 'cell', 'enzyme'\n" in done.err
    return output


def test_what_follows_from_a_column_is_learnt_and_told(predictor, table, command):
    labels = pd.read_csv(table)["y"]
    task = json.loads((predictor / "task.json").read_text("utf-8"))
    assert task["metrics"]["test"]["rmse"] < 0.3 * labels.std()
    assert [spec["name"] for spec in task["features"]] == ["exlm", "ecfp", "columns"]
    card = (predictor / "README.md").read_text()
    assert "besides the molecules it needs 'ph', a number; 'assay', one of 'cell', 'enzyme' |" in card
    assert 'extra={"ph": ..., "assay": ...}' in command("models", "show", predictor).out
    judged = json.loads(command("evaluate", predictor, table, "--json").out)
    assert judged["groups"]["test"]["columns"]["y"]["metrics"]["rmse"]["value"] == pytest.approx(
        task["metrics"]["test"]["rmse"], abs=1e-4
    )
    rows = pd.read_csv(table)
    rows["ph"] = ["low", *rows.pop("pH")[1:]]
    rows.to_csv(table.parent / "low.csv", index=False)
    notes = json.loads(command("evaluate", predictor, table.parent / "low.csv", "--json").out)["notes"]
    told = "1 rows get no prediction and are not judged, the first in line 2: column 'ph': 'low' is no number"
    assert told in notes


def test_rows_of_one_molecule_have_their_own_answers(predictor, command, tmp_path):
    rows = "CCO,3,cell CCO,9,cell CCO,9,enzyme CCO,,cell CCO,3,animal CCO,low,cell x,3,"
    (tmp_path / "in.csv").write_text("\n".join(["smiles,pH,assay", *rows.split()]) + "\n")
    found = {}
    for size in ("1", "1000"):
        output = tmp_path / f"{size}.csv"
        done = command("predict", tmp_path / "in.csv", "-m", predictor, "--chunk-size", size, "-o", output)
        assert done.status == 0, done.err
        found[size] = pd.read_csv(output)
    pd.testing.assert_frame_equal(*found.values())
    made = found["1"]
    low, high, enzyme, empty, unmet = made["y"][:5]
    assert high - low > 4 < high - enzyme
    assert low < empty < high
    assert unmet < high
    assert made["note"].fillna("").tolist()[3:5] == [
        "ph is taken as unknown: it is empty",
        "assay is taken as unknown: it is 'animal', which was not met in training",
    ]
    assert made["error"][5] == "column 'ph': 'low' is no number"
    assert "column" not in made["error"][6]
    assert "in 1 row, ph is taken as unknown; in 1 row, assay is taken as unknown" in done.err

    told = Predictor.from_pretrained(predictor, "cpu").predict(["CCO", "CCO"], {"ph": [3, 9.0], "assay": "cell"})
    assert told["y"].tolist() == pytest.approx([low, high], abs=1e-3)
    done = command("predict", "CCO", "-m", predictor, "--extra", "ph=9", "--extra", "assay=cell", "--json")
    assert json.loads(done.out)["y"] == pytest.approx(high, abs=1e-3)


def test_rows_of_one_molecule_have_their_own_pictures(predictor, command, tmp_path):
    (tmp_path / "in.csv").write_text("smiles,pH,assay\nCCCO,3,cell\nCCCO,9,cell\nCCCO,9,cell\n")
    done = command(
        "predict", tmp_path / "in.csv", "-m", predictor, "--explain", tmp_path / "seen", "-o", tmp_path / "o.csv"
    )
    assert done.status == 0, done.err
    made = pd.read_csv(tmp_path / "o.csv")
    first, second, third = made["y_explained"]
    assert first != second == third
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == sorted({first, second})


def test_columns_that_are_missing_are_named(predictor, table, command, tmp_path):
    done = command(
        "predict", "CCO", "-m", predictor, "--extra", "ph=9", "--extra", "assay=cell", "--reference", "drugs"
    )
    assert "'mine' reads columns besides the molecules, and a reference set is molecules alone" in done.err
    done = command("predict", DATA / "esol_150.csv", "-m", predictor)
    assert (done.status, done.out) == (1, "")
    assert "esol_150.csv has no column 'ph'" in done.err
    assert "--extra 'ph=VALUE' gives all rows the same" in done.err
    done = command("predict", "CCO", "-m", predictor, "--extra", "temperature=9")
    assert "no predictor reads a column 'temperature' besides the molecules; those that are read are 'ph'" in done.err
    with pytest.raises(ExLMError, match="column 'ph' is missing"):
        Predictor.from_pretrained(predictor, "cpu").predict("CCO", {"assay": "cell"})
    with pytest.raises(ExLMError, match="column 'ph' has 2 cells for 1 molecules"):
        Predictor.from_pretrained(predictor, "cpu").predict("CCO", {"ph": [1, 2]})
    for options, message in (
        (["--extra-columns", "y"], "'y' is a column of labels; leave it out"),
        (["--extra-columns", "temperature"], "has no column 'temperature'"),
        (["--extra-columns", "pH", "--method", "full"], "leave --features and --head and --extra-columns away"),
    ):
        done = command("finetune", table, "--target", "y", *options, "-o", tmp_path / "out")
        assert done.status != 0
        assert message in " ".join(done.err.split())

"""``exlm-chem evaluate``."""

import json
from pathlib import Path

from tests.cli.runner import run_here

DATA = Path(__file__).parents[1] / "data"


def test_a_table_for_one_column(tiny_predictors, monkeypatch, capsys):
    args = (tiny_predictors / "pass", DATA / "bbbp_300.csv", "--target", "p_np", "--device", "cpu")
    done = run_here(monkeypatch, capsys, "evaluate", *args)
    assert done.status == 0
    assert "294 of 294 molecules may have been learnt from" in done.err
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[3:7]] == ["roc_auc", "pr_auc", "mcc", "balanced_accuracy"]


def test_several_columns_and_json(tiny_predictors, tmp_path, monkeypatch, capsys):
    path = tmp_path / "two.csv"
    path.write_text("smiles,s,d\nCCO,0.5,1\nCCN,0.25,\nCCC,1.5,2.5\nCCS,2,2.25\n", encoding="utf-8")
    args = ("evaluate", tiny_predictors / "sol", path, "--device", "cpu")
    done = run_here(monkeypatch, capsys, *args)
    assert [line.split()[:2] for line in done.out.splitlines()[3:5]] == [["sol", "4"], ["logd", "3"]]
    assert "mean of 2 of 2 columns" in done.out
    result = json.loads(run_here(monkeypatch, capsys, *args, "--json").out)
    assert result["main_metric"] == "rmse"
    assert result["groups"]["unknown"]["columns"]["logd"]["known"] == 3


def test_no_predictor(tmp_path, monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "evaluate", tmp_path / "none", DATA / "bbbp_300.csv")
    assert done.status == 1
    assert len(done.err.splitlines()) == 1

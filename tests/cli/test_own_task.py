"""A task of a user's own file: what it says reaches the predictor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .runner import run_here

QUICK = ("--features", "exlm", "--head", "linear")
"""What is trained: it is the task that is tested here."""

TABLE = Path(__file__).parents[1] / "data" / "bbbp_300.csv"
TASK = """
[brain]
kind = "classification"
title = "Into the brain"
licence = "CC0 1.0"
[[brain.columns]]
target = "p_np"
threshold = 0.7
direction = "higher"
meaning = "Probability of passing."
"""


def test_a_file_of_ones_own(monkeypatch: Any, capsys: Any, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(TASK, encoding="utf-8")
    line = ("finetune", TABLE, "--task", tmp_path / "my.toml", "-m", tiny_model, "-o", tmp_path / "brain", *QUICK)
    done = run_here(monkeypatch, capsys, *line)
    assert done.status == 0, done.err
    saved = json.loads((tmp_path / "brain/task.json").read_text())
    assert (saved["name"], saved["title"]) == ("brain", "Into the brain")
    assert (saved["columns"][0]["name"], saved["columns"][0]["threshold"]) == ("brain", 0.7)
    assert "Probability of passing." in (tmp_path / "brain/README.md").read_text()


def test_every_column_of_a_table(monkeypatch: Any, capsys: Any, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[mine]\nkind = "classification"\n[mine.every]\ndirection = "lower"\n')
    table = TABLE.with_name("tox21_200.csv")
    line = ("finetune", table, "--task", tmp_path / "my.toml", "-m", tiny_model, "-o", tmp_path / "mine", *QUICK)
    done = run_here(monkeypatch, capsys, *line)
    assert done.status == 0, done.err
    columns = json.loads((tmp_path / "mine/task.json").read_text())["columns"]
    assert [column["name"] for column in columns] == ["mine_NR-AhR", "mine_SR-MMP", "mine_SR-p53"]
    assert {column["direction"] for column in columns} == {"lower"}


def test_a_file_that_is_wrong(monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(TASK.replace("threshold", "treshold"), encoding="utf-8")
    done = run_here(monkeypatch, capsys, "finetune", TABLE, "--task", tmp_path / "my.toml", "-o", tmp_path / "brain")
    assert (done.status, done.out) == (1, "")
    assert "my.toml: brain.columns[0].treshold is no entry (is 'threshold' meant?)" in done.err
    assert not (tmp_path / "brain").exists()

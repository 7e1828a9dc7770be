"""``exlm-chem compare``."""

import json
from pathlib import Path

import pytest

from tests.cli.runner import run_here

RUNS = Path(__file__).parents[1] / "data" / "runs"


def test_a_table_and_a_sentence(tmp_path, monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "compare", RUNS / "ecfp", RUNS / "descriptors", "-o", tmp_path / "a.png")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["run", "rmse", "sd", "to", "the", "best", "p"]
    assert lines[1].split()[0] == "descriptors"
    assert lines[-1] == "descriptors is best (RMSE 0.973) and better beyond chance than ecfp"
    assert (tmp_path / "a.png").exists()


def test_json(monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "compare", RUNS / "ecfp", RUNS / "descriptors", "--json", "--metric", "mae")
    result = json.loads(done.out)
    assert (result["metric"], result["test"], len(result["folds"])) == ("mae", "tukey", 25)


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        ([RUNS / "ecfp"], 1, "give at least two runs"),
        ([RUNS / "ecfp", RUNS], 1, "cannot be read: no such file or directory"),
        ([RUNS / "ecfp", RUNS / "descriptors", "--test", "t"], 2, "'t' is not one of"),
        ([RUNS / "ecfp", RUNS / "descriptors", "-o", "x.doc"], 1, "'x.doc' is no picture"),
    ],
)
def test_what_cannot_be_compared(args, status, message, monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "compare", *args)
    assert done.status == status
    assert message in " ".join(done.err.replace("│", " ").split())

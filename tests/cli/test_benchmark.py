"""``exlm-chem benchmark``."""

import json

import pytest

from tests.cli.runner import run_here


@pytest.mark.slow
def test_a_table_of_ones_own(tiny_model, tmp_path, monkeypatch, capsys):
    rows = [f"{'C' * n}{end},{n + len(end) / 10}" for n in range(1, 16) for end in ("O", "N", "c1ccccc1", "C1CCNCC1")]
    (tmp_path / "mine.csv").write_text("\n".join(["smiles,y", *rows]), encoding="utf-8")
    args = [
        "benchmark",
        tmp_path / "mine.csv",
        "--target",
        "y",
        "-m",
        tiny_model,
        "--head",
        "linear",
        "--device",
        "cpu",
    ]
    args += ["--features", "exlm", "--features", "descriptors", "--seeds", 1, "--split", "random"]
    done = run_here(monkeypatch, capsys, *args)
    assert done.status == 0
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[4:7]] == ["features", "exlm", "descriptors"]
    assert lines[-1].startswith("mine.csv: ")
    assert "exlm against descriptors" in lines[-1]
    result = json.loads(run_here(monkeypatch, capsys, *args, "--json").out)
    assert [trial["head"] for trial in result["tables"][0]["trials"]] == ["linear", "linear"]


def test_nothing_to_compare(monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "benchmark")
    assert (done.status, done.err) == (1, "exlm-chem: give either a table or --suite moleculenet\n")

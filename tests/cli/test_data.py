"""``exlm-chem data``: the list, a table fetched, a table described."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .runner import run_here

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def _nothing_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPCHEM_DATA_DIR", str(tmp_path))


@pytest.mark.usefixtures("_nothing_fetched")
def test_list(monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "data")
    assert done.status == 0
    lines = done.out.splitlines()
    assert len(lines) == 1 + 11
    assert lines[0].split() == ["name", "what", "kind", "outputs", "molecules", "metric", "ships", "licence", "here"]
    assert [line.split()[0] for line in lines[1:4]] == ["bbbp", "bace", "clintox"]
    assert "data fetch NAME" in done.err
    told = json.loads(run_here(monkeypatch, capsys, "data", "list", "--json").out)
    assert len(told) == 11
    assert told[0]["address"].endswith("/BBBP.csv")


@pytest.mark.usefixtures("_nothing_fetched")
def test_all_that_is_known_of_one(monkeypatch: Any, capsys: Any) -> None:
    out = run_here(monkeypatch, capsys, "data", "list", "muv").out
    assert "source     MUV, Rohrer and Baumann, J. Chem. Inf. Model. 2009, 49, 169" in out
    assert "molecules  93,087\n" in out
    assert "muv_466  MUV-466  probability  higher  Probability that the molecule activates the sphingosine" in out
    assert "one for every column of the table" in run_here(monkeypatch, capsys, "data", "list", "toxcast").out
    (told,) = json.loads(run_here(monkeypatch, capsys, "data", "list", "esol", "--json").out)
    assert told["name"] == "esol"


@pytest.mark.usefixtures("_nothing_fetched")
def test_list_on_a_terminal(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    out = re.sub("\x1b\\[[0-9;]*m", "", run_here(monkeypatch, capsys, "data").out)
    assert "12 x class" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.usefixtures("_nothing_fetched")
def test_fetch_a_file_that_was_downloaded_by_hand(monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "BBBP.csv").write_text("num,name,p_np,smiles\n1,ethanol,1,CCO\n2,glucose,0,OCC1OC(O)C(O)C(O)C1O\n")
    done = run_here(monkeypatch, capsys, "data", "fetch", "bbbp", "--from", "BBBP.csv", "-o", "bbbp.csv")
    assert (done.status, done.out) == (0, "bbbp.csv\n")
    assert (tmp_path / "bbbp.csv").read_text() == "smiles,p_np\nCCO,1\nOCC1OC(O)C(O)C(O)C1O,0\n"
    assert "BBBP.csv is not the file that was published" in done.err
    assert "licence as far as it is known: CC0 1.0 for the table (AttentiveFP)" in done.err
    again = run_here(monkeypatch, capsys, "data", "fetch", "bbbp", "--from", "BBBP.csv", "-o", "bbbp.csv", "--json")
    assert (again.status, again.out) == (1, "")
    assert "bbbp.csv is there already; choose another name with -o" in again.err


@pytest.mark.usefixtures("_nothing_fetched")
def test_fetch_without_network(monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    import urllib.request

    def unreachable(*_: Any, **__: Any) -> Any:
        raise urllib.request.URLError(OSError(-2, "Name or service not known"))  # type: ignore[attr-defined]

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    done = run_here(monkeypatch, capsys, "data", "fetch", "esol")
    address = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/delaney-processed.csv"
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        f"exlm-chem: the network cannot be reached (name or service not known); download {address} by hand, "
        "and give the file with --from FILE\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_describe(monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "data", "describe", DATA / "bbbp_300.csv")
    assert (done.status, done.err) == (0, "")
    assert "bbbp_300.csv: table of text, UTF-8, cells between commas; 300 rows, 2 columns\n" in done.out
    assert "p_np    class     300        0          2  0: 150 (50.0%), 1: 150 (50.0%)\n" in done.out
    assert "6 x impossible valence, first in line 13: atom 6 (N at position 12) has 4 bonds" in done.out
    assert "  exlm-chem finetune " in done.out
    assert "\x1b" not in done.out


def test_describe_for_programs(monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "data", "describe", DATA / "tox21_200.csv", "--json")
    told = json.loads(done.out)
    assert told["rows"] == 200
    assert [column["kind"] for column in told["columns"]] == ["SMILES", "class", "class", "class"]
    assert told["advice"]["commands"][0].startswith("exlm-chem finetune ")


@pytest.mark.parametrize(("action", "example"), [("fetch", "bbbp"), ("describe", "measured.csv")])
def test_a_name_is_needed(action: str, example: str, monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "data", action)
    assert done.status == 2
    assert f"exlm-chem data {action} {example}" in done.err


def test_a_task_that_is_not_known(monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "data", "fetch", "toxicity")
    assert done.status == 1
    assert "there is no task 'toxicity'" in done.err

"""Tables from a server of our own: checked, written in one form, and never by half."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from exlm_chem.data_sets.catalogue import known_tables
from exlm_chem.data_sets.fetching import deepchem_folder, fetch
from exlm_chem.errors import ExLMError

FILE = b'mol,CID,Class,note\nCCO,1,1,"a, b"\nc1ccccc1 ,2,,\nC1CC,3,0.0,x\n'


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class BreaksOff(BaseHTTPRequestHandler):
    """Promises more than it sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_: Any) -> None:
        pass


def served(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a folder for DeepChem beside it."""
    for name in ("here", "deepchem", "public"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("DEEPCHEM_DATA_DIR", str(tmp_path / "deepchem"))
    (tmp_path / "public/bace.csv").write_bytes(FILE)
    (tmp_path / "public/bace.csv.gz").write_bytes(gzip.compress(FILE))
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    yield from served(partial(Quiet, directory=folder / "public"))


def task(folder: Path, address: str, extra: str = "", columns: str = 'columns = [{target = "Class"}]') -> str:
    """A task of one's own whose table is at an address."""
    text = f'[mine]\nkind = "classification"\nlicence = "CC0 1.0"\n{columns}\n[mine.table]\n'
    (folder / "my.toml").write_text(f'{text}address = "{address}"\nsmiles = "mol"\n{extra}')
    return str(folder / "my.toml")


def test_a_table_of_one_form(folder: Path, server: str) -> None:
    said: list[str] = []
    md5 = hashlib.md5(FILE, usedforsecurity=False).hexdigest()
    done = fetch(task(folder, f"{server}/bace.csv", f'md5 = "{md5}"\nrows = 3'), log=said.append)
    table = gzip.decompress((folder / "here/mine.csv.gz").read_bytes())
    assert table == b'smiles,Class\nCCO,1\n"c1ccccc1 ",\nC1CC,0.0\n'
    assert (done.rows, done.checked, said) == (3, True, [])
    noted = json.loads((folder / "here/mine.csv.gz.source.json").read_text())
    assert noted["sha256"] == hashlib.sha256((folder / "here/mine.csv.gz").read_bytes()).hexdigest()
    assert noted["file_sha256"] == hashlib.sha256(FILE).hexdigest()
    assert noted["licence"] == "CC0 1.0"
    assert sorted(path.name for path in Path().iterdir()) == ["mine.csv.gz", "mine.csv.gz.source.json"]


def test_a_table_that_was_changed_since(folder: Path, server: str) -> None:
    fetch(task(folder, f"{server}/bace.csv"), "bace.csv", log=lambda _: None)
    assert [(one.here, one.changed) for one in known_tables() if one.name == "bace"] == [("bace.csv", False)]
    Path("bace.csv").write_text("smiles,Class\nCCO,0\n")
    assert [(one.here, one.changed) for one in known_tables() if one.name == "bace"] == [("bace.csv", True)]


def test_what_is_not_checked_is_said(folder: Path, server: str) -> None:
    said: list[str] = []
    done = fetch(task(folder, f"{server}/bace.csv.gz", "rows = 5"), "a.csv", log=said.append)
    assert not done.checked
    assert said == [
        f"no checksum of {server}/bace.csv.gz was ever published, so the file was not checked",
        "a.csv has 3 rows, and the table that our figures are from has 5",
    ]


def test_every_column_is_a_label_where_the_task_says_so(folder: Path, server: str) -> None:
    fetch(task(folder, f"{server}/bace.csv", columns=""), "a.csv", log=lambda _: None)
    assert Path("a.csv").read_text().splitlines()[0] == "smiles,CID,Class,note"


def test_another_file_is_refused_unless_it_is_given(folder: Path, server: str) -> None:
    mine = task(folder, f"{server}/bace.csv", f'md5 = "{"0" * 32}"')
    with pytest.raises(ExLMError, match=r"bace.csv is not the file that was published .*give it with --from FILE"):
        fetch(mine, log=lambda _: None)
    assert list(Path().iterdir()) == []
    said: list[str] = []
    assert fetch(mine, file=folder / "public/bace.csv", log=said.append).rows == 3
    assert "it is taken all the same" in said[0]


def test_what_is_there_already_stays(folder: Path, server: str) -> None:
    Path("a.csv").write_text("mine")
    with pytest.raises(ExLMError, match=r"a.csv is there already; choose another name with -o"):
        fetch(task(folder, f"{server}/bace.csv"), "a.csv")
    assert Path("a.csv").read_text() == "mine"


FAILURES = {
    "not found": ("{server}/no.csv", "no.csv answers 404 .*; download http.*no.csv by hand, and give the file"),
    "nobody answers": ("http://127.0.0.1:9/a.csv", r"the network cannot be reached \(connection refused\); download"),
    "no such host": ("http://no.such.host.invalid/a.csv", r"the network cannot be reached \(.*\); download"),
    "no table": ("{server}/page.csv", "page.csv is a web page or XML document"),
    "another table": ("{server}/other.csv", "has no column 'mol'"),
    "a ragged row": ("{server}/ragged.csv", "ragged.csv, line 3: wrong number of cells: .*; download it again"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_nothing_is_left_of_what_fails(what: str, folder: Path, server: str) -> None:
    (folder / "public/page.csv").write_text("<html><body>moved</body></html>")
    (folder / "public/other.csv").write_text("smiles,Class\nCCO,1\n")
    (folder / "public/ragged.csv").write_text("mol,CID,Class\nCCO,1,1\nCCO,1,1,1,1\n")
    address, message = FAILURES[what]
    with pytest.raises(ExLMError, match=message):
        fetch(task(folder, address.format(server=server)), log=lambda _: None)
    assert list(Path().iterdir()) == []


def test_a_download_that_breaks_off(folder: Path) -> None:
    for address in served(BreaksOff):
        with pytest.raises(ExLMError, match=r"the download broke off .*; try again, or download .* by hand"):
            fetch(task(folder, f"{address}/a.csv"), log=lambda _: None)
    assert list(Path().iterdir()) == []


def test_what_deepchem_has_fetched_is_taken(folder: Path) -> None:
    md5 = hashlib.md5(FILE, usedforsecurity=False).hexdigest()
    (deepchem_folder() / "bace.csv").write_bytes(FILE)
    said: list[str] = []
    assert fetch(task(folder, "http://127.0.0.1:9/bace.csv", f'md5 = "{md5}"'), log=said.append).checked
    assert said == [f"taken from {folder / 'deepchem/bace.csv'}, where DeepChem has put it"]


def test_a_task_without_a_table(folder: Path) -> None:
    (folder / "my.toml").write_text('[mine]\nkind = "regression"\ncolumns = [{target = "y"}]\n')
    with pytest.raises(ExLMError, match=r"task 'mine' does not say where its table is; add \[mine.table\] to"):
        fetch(str(folder / "my.toml"))


def test_the_list_says_what_is_here(folder: Path) -> None:
    (folder / "here/esol.csv").write_text("smiles,y\n")
    (deepchem_folder() / "HIV.csv").write_text("smiles,y\n")
    here = {one.name: one.here for one in known_tables() if one.here}
    assert here == {"esol": "esol.csv", "hiv": str(folder / "deepchem/HIV.csv")}
    ships = {one.name for one in known_tables() if one.predictor}
    assert {"bbbp", "esol"} <= ships
    assert {one.outputs for one in known_tables() if one.name in ("toxcast", "tox21")} == {None, 12}

"""``exlm-chem predict`` on files as people have them."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exlm_chem.cli import main as main_module

EXLM_CHEM = Path(sys.executable).with_name("exlm-chem")
PEPTIDE = "NCC(=O)" * 225 + "O"  # 900 heavy atoms and one


def start(*args, stdin=b""):
    """Run the command in a process of its own."""
    command = [EXLM_CHEM, "predict", *map(str, args)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=300)


@pytest.fixture
def run(monkeypatch, capsys, tiny_predictors):
    """Run the command in this process, which saves the seconds that torch takes to load."""

    def run_here(*args, model="pass"):
        chosen = [] if model is None else ["--model", str(tiny_predictors / model)]
        monkeypatch.setattr(sys, "argv", ["exlm-chem", "predict", *map(str, args), *chosen, "--device", "cpu"])
        try:
            main_module.main()
            status = 0
        except SystemExit as ending:
            status = ending.code or 0
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run_here


def read(text):
    csv.field_size_limit(10_000_000)
    return list(csv.reader(io.StringIO(text.decode() if isinstance(text, bytes) else text, newline="")))


def test_messy_csv_in_a_process(tiny_predictors, tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    cells = [
        ["1", "CCO", "theirs", "1.50", 'a, "b"'],
        ["2", "", "", "", ""],
        ["2", "C1CC", "", "", "two\r\nlines"],
        ["3", PEPTIDE, "", "", ""],
        ["4", "C" * 1_000_000, "", "", "y" * 1_000_000],
        ["5", " c1ccccc1O ", "", "007", ""],
    ]
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["id", "smiles", "error", "id", "pass"], *cells])  # \r\n is its line end
    content = ("\ufeff" + buffer.getvalue()).encode()
    source.write_bytes(content)
    result = start(source, "--model", tiny_predictors / "pass", "-o", target, "--chunk-size", 4)
    assert result.returncode == 0, result.stderr
    assert result.stdout == b""
    assert result.stderr.decode() == (
        "6 rows, 2 predicted, 4 without a value "
        "(1 no SMILES in this row, 1 not SMILES, 1 too long for this model, 1 too long)\n"
    )
    rows = read(target.read_bytes())
    assert rows[0] == ["id", "smiles", "error", "id", "pass", "pass_pass", "note", "pass_error"]
    assert [row[:5] for row in rows[1:]] == cells
    assert [bool(row[5]) for row in rows[1:]] == [True, False, False, False, False, True]
    assert rows[4][7].startswith("too long for this model: 1,576 tokens, and it reads ")
    assert [row[7] for row in rows[1:] if row is not rows[4]] == [
        "",
        "no SMILES in this row",
        "not SMILES at position 1: ring closure 1 is never closed",
        "too long: 1,000,000 characters, and 10,000 are read at most",
        "",
    ]
    assert source.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv", "out.csv.columns.json"]


def test_packed_smi_from_stdin_in_a_process(tiny_predictors):
    packed = gzip.compress(b"CCO ethyl alcohol\r\nCC(C\r\n\r\nN ammonia\r\n")
    result = start("-", "--model", tiny_predictors / "sol", stdin=packed)
    assert result.returncode == 0, result.stderr
    rows = read(result.stdout)
    assert rows[0] == ["smiles", "name", "sol", "logd", "note", "error"]
    assert [(row[0], row[1], bool(row[2]), bool(row[5])) for row in rows[1:]] == [
        ("CCO", "ethyl alcohol", True, False),
        ("CC(C", "", False, True),
        ("", "", False, True),
        ("N", "ammonia", True, False),
    ]


def test_several_predictors_and_smiles_as_arguments(run, tiny_predictors):
    status, out, _ = run("CCO", "C[N+](C)(C)C", "nonsense", "--model", tiny_predictors / "sol")
    rows = read(out)
    assert status == 0
    assert rows[0] == ["smiles", "sol", "logd", "pass", "note", "error"]
    assert [row[0] for row in rows[1:]] == ["CCO", "C[N+](C)(C)C", "nonsense"]
    assert [all(row[1:4]) for row in rows[1:]] == [True, True, False]


def test_json_and_jsonl(run, tmp_path):
    status, out, _ = run("CCO", "C1CC", "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [list(record) for record in records] == [["smiles", "pass", "note", "error"]] * 2
    assert (records[0]["error"], records[1]["pass"]) == (None, None)
    run("CCO", "C1CC", "-o", tmp_path / "o.jsonl")
    assert (tmp_path / "o.jsonl").read_text() == out


@pytest.mark.parametrize(("count", "first"), [(2, "smiles"), (50, "smiles,pass,note,error")])
def test_table_on_a_terminal_and_csv_if_it_is_long(run, monkeypatch, count, first):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    status, out, err = run(*["c1cc[nH]c1"] * count)
    assert status == 0
    assert len(out.splitlines()) == count + 1
    assert first in out.splitlines()[0]
    assert ("," in out) == (count > 40)
    assert "c1cc[nH]c1" in out
    assert err == f"{count} rows, {count} predicted\n"


def test_on_invalid(run, tmp_path):
    source = tmp_path / "in.smi"
    source.write_text("CCO\nC1CC\nCCN\n")
    assert [row[0] for row in read(run(source, "--on-invalid", "skip")[1])] == ["smiles", "CCO", "CCN"]
    status, _, err = run(source, "--on-invalid", "raise", "-o", tmp_path / "o.csv")
    assert (status, err) == (
        1,
        f"exlm-chem: {source}, line 2: not SMILES at position 1: ring closure 1 is never closed\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.smi"]


def test_failures_are_one_sentence_and_leave_nothing(run, tmp_path, tiny_predictors):
    names = {
        "empty.csv": b"",
        "cut.smi.gz": gzip.compress(os.urandom(99_000).hex().encode())[:-9000],
        "columns.csv": b"name,value\nx,1\n",
        "book.xlsx": b"PK\x03\x04 and so on",
        "good.csv": b"smiles\nCCO\n",
    }
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link.csv").symlink_to(tmp_path / "good.csv")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "task.json").write_text("{")
    before = sorted(os.listdir(tmp_path))  # noqa: PTH208
    out = ("-o", tmp_path / "out.csv")
    cases = [
        (("empty.csv", *out), "is empty; it should hold one molecule per line"),
        (("cut.smi.gz", *out), "ends too early: the file is cut off; copy or download it again"),
        (("columns.csv", *out), "its columns are: 'name', 'value'; choose one with --smiles-column"),
        (("book.xlsx", *out), "is an Excel workbook or a zip archive; open it and save it as CSV"),
        (("missing.csv", *out), "check the name and the folder"),
        (("good.csv", "-o", tmp_path / "good.csv"), "is the input, which is never written over"),
        (("good.csv", "-o", tmp_path / "link.csv"), "is the input, which is never written over"),
        (("good.csv", "-o", tmp_path / "none" / "o.csv"), "make it first"),
        (("good.csv", *out, "--model", tmp_path / "broken"), "task.json is broken: it is no valid JSON"),
        (("good.csv", *out, "--model", tiny_predictors / "tiny"), "make a predictor with finetune"),
        (("good.csv", *out, "--task", "bpbp"), "no task 'bpbp' ships with exlm-chem; the tasks are: "),
    ]
    for (name, *args), message in cases:
        status, stdout, err = run(tmp_path / name, *args)
        assert (status, stdout) == (1, ""), name
        assert message in err
        assert err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == before  # noqa: PTH208
    assert {name: (tmp_path / name).read_bytes() for name in names} == names


def test_wrong_usage(run):
    status, _, err = run("CCO", model=None)
    assert status == 2
    assert "name a task" in err
    assert run()[0] == 2
    assert run("CCO", "--chunk-size", "0")[0] == 2
    assert run("CCO", "--on-invalid", "drop")[0] == 2


def test_terminated_leaves_nothing_behind(tiny_predictors, tmp_path):
    command = [EXLM_CHEM, "predict", "-", "--model", tiny_predictors / "pass", "-o", "out.csv", "--chunk-size", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdin.write(b"smiles\nCCO\n" + b"CCC\n" * 20_000)  # more than is looked at to see what it is
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    process.terminate()
    assert process.wait(timeout=60) == 143
    process.stdin.close()
    assert list(tmp_path.iterdir()) == []

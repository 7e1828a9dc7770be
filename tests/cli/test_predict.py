"""``exlm-chem predict`` on files as people have them."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import time

import pytest

from tests.cli.runner import EXLM_CHEM, environment, run, run_here

PEPTIDE = "NCC(=O)" * 225 + "O"  # 900 heavy atoms and one


@pytest.fixture
def predict(monkeypatch, capsys, tiny_predictors):
    """Run the command in this process, which saves the seconds that torch takes to load."""

    def predict(*args, model="pass"):
        chosen = [] if model is None else ["--model", tiny_predictors / model]
        return run_here(monkeypatch, capsys, "predict", *args, *chosen, "--device", "cpu")

    return predict


def read(text):
    csv.field_size_limit(10_000_000)
    return list(csv.reader(io.StringIO(text, newline="")))


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
    result = run("predict", source, "--model", tiny_predictors / "pass", "-o", target, "--chunk-size", 4)
    assert result.status == 0, result.err
    assert result.out == ""
    assert result.err == (
        "6 rows, 2 predicted, 4 without a value "
        "(1 no SMILES in this row, 1 not SMILES, 1 too long for this model, 1 too long)\n"
    )
    rows = read(target.read_bytes().decode())
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
    result = run("predict", "-", "--model", tiny_predictors / "sol", stdin=packed)
    assert result.status == 0, result.err
    rows = read(result.out)
    assert rows[0] == ["smiles", "name", "sol", "logd", "note", "error"]
    assert [(row[0], row[1], bool(row[2]), bool(row[5])) for row in rows[1:]] == [
        ("CCO", "ethyl alcohol", True, False),
        ("CC(C", "", False, True),
        ("", "", False, True),
        ("N", "ammonia", True, False),
    ]


def test_several_predictors_and_smiles_as_arguments(predict, tiny_predictors):
    done = predict("CCO", "C[N+](C)(C)C", "nonsense", "--model", tiny_predictors / "sol")
    rows = read(done.out)
    assert done.status == 0
    assert rows[0] == ["smiles", "sol", "logd", "pass", "note", "error"]
    assert [row[0] for row in rows[1:]] == ["CCO", "C[N+](C)(C)C", "nonsense"]
    assert [all(row[1:4]) for row in rows[1:]] == [True, True, False]


def test_json_and_jsonl(predict, tmp_path):
    done = predict("CCO", "C1CC", "--json")
    records = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 0
    assert [list(record) for record in records] == [["smiles", "pass", "note", "error"]] * 2
    assert (records[0]["error"], records[1]["pass"]) == (None, None)
    predict("CCO", "C1CC", "-o", tmp_path / "o.jsonl")
    assert (tmp_path / "o.jsonl").read_text() == done.out


@pytest.mark.parametrize(("count", "first"), [(2, "smiles"), (50, "smiles,pass,note,error")])
def test_table_on_a_terminal_and_csv_if_it_is_long(predict, monkeypatch, count, first):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = predict(*["c1cc[nH]c1"] * count)
    assert done.status == 0
    assert len(done.out.splitlines()) == count + 1
    assert first in done.out.splitlines()[0]
    assert ("," in done.out) == (count > 40)
    assert "c1cc[nH]c1" in done.out
    assert done.err == f"{count} rows, {count} predicted\n"


def test_on_invalid(predict, tmp_path):
    source = tmp_path / "in.smi"
    source.write_text("CCO\nC1CC\nCCN\n")
    assert [row[0] for row in read(predict(source, "--on-invalid", "skip").out)] == ["smiles", "CCO", "CCN"]
    done = predict(source, "--on-invalid", "raise", "-o", tmp_path / "o.csv")
    assert (done.status, done.err) == (
        1,
        f"exlm-chem: {source}, line 2: not SMILES at position 1: ring closure 1 is never closed\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.smi"]


def test_failures_are_one_sentence_and_leave_nothing(predict, tmp_path, tiny_predictors):
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
        (("book.xlsx", *out), "is a damaged Excel workbook or zip archive; copy it again"),
        (("missing.csv", *out), "check the name and the folder"),
        (("good.csv", "-o", tmp_path / "good.csv"), "is the input, which is never written over"),
        (("good.csv", "-o", tmp_path / "link.csv"), "is the input, which is never written over"),
        (("good.csv", "-o", tmp_path / "none" / "o.csv"), "make it first"),
        (("good.csv", *out, "--model", tmp_path / "broken"), "task.json is broken: it is no valid JSON"),
        (("good.csv", *out, "--model", tiny_predictors / "tiny"), "make a predictor with finetune"),
        (("good.csv", *out, "--task", "bpbp"), "no task 'bpbp' ships with exlm-chem; the tasks are: "),
    ]
    for (name, *args), message in cases:
        done = predict(tmp_path / name, *args)
        assert (done.status, done.out) == (1, ""), name
        assert message in done.err
        assert done.err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == before  # noqa: PTH208
    assert {name: (tmp_path / name).read_bytes() for name in names} == names


def test_wrong_usage(predict):
    done = predict("CCO", model=None)
    assert done.status == 2
    assert "name a task" in done.err
    assert predict().status == 2
    assert predict("CCO", "--chunk-size", "0").status == 2
    assert predict("CCO", "--on-invalid", "drop").status == 2


def test_terminated_leaves_nothing_behind(tiny_predictors, tmp_path):
    command = [EXLM_CHEM, "predict", "-", "--model", tiny_predictors / "pass", "-o", "out.csv", "--chunk-size", "1"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
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

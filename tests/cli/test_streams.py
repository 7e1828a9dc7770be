"""Standard streams that are closed, full or without a reader, and outputs that are no ordinary files."""

import json
import os
import resource
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.runner import EXLM_CHEM, Result, environment, run, run_here

CLOSED = "exlm-chem: stdout cannot be written: it is closed\n"
FULL = "exlm-chem: stdout cannot be written: no space left on device\n"


@pytest.fixture
def molecules(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,smiles\n1,CCO\n2,C1CC\n")
    return path


@pytest.fixture
def predict(tiny_predictors, monkeypatch, capsys):
    return lambda *args: run_here(
        monkeypatch, capsys, "predict", *args, "--model", tiny_predictors / "pass", "--device", "cpu"
    )


@pytest.mark.parametrize("args", [["tokenize", "CCO"], ["models", "show", "bbbp"], ["--help"]])
@pytest.mark.parametrize(("redirect", "message"), [(">&-", CLOSED), ("> /dev/full", FULL)])
def test_a_result_that_cannot_be_printed_is_a_failure(args, redirect, message):
    assert run(*args, redirect=redirect) == Result(1, "", message)


def test_a_table_that_cannot_be_printed_is_a_failure(molecules, tiny_predictors):
    args = ["predict", molecules, "--model", tiny_predictors / "pass"]
    assert run(*args, redirect="> /dev/full") == Result(1, "", FULL)
    assert run(*args, redirect=">&-") == Result(1, "", CLOSED)


@pytest.mark.parametrize("redirect", ["> /dev/full", "2> /dev/full", "<&- >&- 2>&-"])
def test_with_an_output_file_the_work_is_done(redirect, molecules, tiny_predictors, tmp_path):
    target = tmp_path / "out.csv"
    done = run("predict", molecules, "--model", tiny_predictors / "pass", "-o", target, redirect=redirect)
    assert (done.status, done.out) == (0, "")
    assert done.err == ("" if "2>" in redirect else "2 rows, 1 predicted, 1 without a value (1 not SMILES)\n")
    assert len(target.read_text().splitlines()) == 3


@pytest.mark.parametrize("terminal", [True, False])
def test_results_go_to_stdout_also_while_progress_is_shown(terminal, molecules, tiny_predictors):
    args = ["predict", molecules, "--model", tiny_predictors / "pass", "--device", "cpu"]
    ours, theirs = os.openpty() if terminal else os.pipe()
    try:
        stderr = f"2> /proc/{os.getpid()}/fd/{theirs}"
        done = run(*args, env={"TERM": "xterm", "FORCE_COLOR": "1"}, redirect=stderr)
        os.set_blocking(ours, False)
        shown = os.read(ours, 1 << 16)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.status == 0
    assert done.out.startswith("id,smiles,pass,note,error\n1,CCO,0.")
    assert (b"\x1b[" in shown) is terminal
    assert b"smiles,pass" not in shown


def test_a_message_that_cannot_be_printed_changes_nothing():
    assert run("tokenize", "CCO", "C1x", redirect="2> /dev/full") == Result(1, "C C O\n", "")
    assert run("tokenize", "CCO", redirect="2>&-") == Result(0, "C C O\n", "")


def test_closed_stdin():
    done = run("tokenize", "-", redirect="<&-")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("exlm-chem: stdin is closed; ")
    assert done.err.count("\n") == 1


def test_where_a_model_lies_need_not_be_read(tmp_path, tiny_model):
    data = tmp_path / "data.csv"
    rows = "".join(f"{'C' * n}O,{n % 2}\n{'C' * n}N,{(n + 1) % 2}\n" for n in range(1, 13))
    data.write_text("smiles,label\n" + rows)
    args = ["finetune", data, "--target", "label", "--model", tiny_model, "--split", "random", "--device", "cpu"]
    args += ["--features", "exlm", "--head", "linear"]
    done = run(*args, "-o", tmp_path / "model", redirect="> /dev/full")
    assert done.status == 0, done.err
    assert (tmp_path / "model" / "task.json").is_file()


@pytest.mark.parametrize("kind", ["itself", "link", "hard link"])
def test_the_input_is_never_written_over(kind, molecules, predict, tmp_path):
    content, other = molecules.read_text(), tmp_path / "other.csv"
    os.link(molecules, other) if kind == "hard link" else other.symlink_to(molecules)
    target = molecules if kind == "itself" else other
    message = f"exlm-chem: {target} is the input, which is never written over; choose another name\n"
    assert predict(molecules, "-o", target) == Result(1, "", message)
    assert molecules.read_text() == content


def test_the_input_is_known_through_stdin_and_stdout(molecules, tiny_predictors, tmp_path):
    content, other = molecules.read_text(), tmp_path / "other.csv"
    other.symlink_to(molecules)
    for source, output, redirect in (("-", ["-o", other], f"< {molecules}"), (molecules, [], f">> {molecules}")):
        done = run("predict", source, *output, "--model", tiny_predictors / "pass", redirect=redirect)
        assert (done.status, done.out) == (1, "")
        assert done.err.endswith(" is the input, which is never written over; choose another name\n")
        assert molecules.read_text() == content


def test_what_is_no_ordinary_file_stays_what_it_is(molecules, predict, tmp_path):
    (tmp_path / "null.csv").symlink_to(os.devnull)
    assert predict(molecules, "-o", tmp_path / "null.csv").status == 0
    assert (tmp_path / "null.csv").is_symlink()
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert predict(molecules, "-o", tmp_path / "loop.csv").err.endswith(
        "/loop.csv is a link that leads to itself; choose another name, or remove it\n"
    )
    assert (tmp_path / "loop.csv").is_symlink()
    assert "/dev/full cannot be written: no space left on device" in predict(molecules, "-o", "/dev/full").err


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.csv.gz", "pipe.jsonl", "pipe.parquet", "pipe.npz"])
def test_a_pipe_is_written_into(name, molecules, tiny_model, tmp_path, monkeypatch, capsys):
    pipe, got = tmp_path / name, tmp_path / ("got" + "".join(Path(name).suffixes))
    os.mkfifo(pipe)
    with subprocess.Popen(["bash", "-c", f'cat "{pipe}" > "{got}"']) as reader:
        done = run_here(monkeypatch, capsys, "embed", molecules, "-o", pipe, "--model", tiny_model, "--device", "cpu")
        assert (done.status, reader.wait(timeout=60)) == (0, 0), done.err
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    plain = tmp_path / ("plain" + "".join(Path(name).suffixes))
    assert run_here(monkeypatch, capsys, "embed", molecules, "-o", plain, "--model", tiny_model, "--device", "cpu").err
    if name.endswith("npz"):
        import numpy as np

        with np.load(got) as one, np.load(plain) as two:
            assert one["vectors"].tobytes() == two["vectors"].tobytes()
    else:
        assert got.read_bytes() == plain.read_bytes()


def test_descriptors_are_appended_to(molecules, tiny_predictors, tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    args = ["predict", molecules, "--model", tiny_predictors / "pass", "-o", "/dev/stdout"]
    assert run(*args, redirect=f">> {log}").status == 0
    assert [line.split(",")[0] for line in log.read_text().splitlines()] == ["before", "id", "1", "2"]


@pytest.mark.parametrize("name", ["o.csv", "o.csv.gz", "o.csv.zst", "o.jsonl", "o.parquet", "o.npz", "o.npy"])
def test_a_full_disk_leaves_nothing(name, tiny_model, tmp_path, monkeypatch, capsys):
    source = tmp_path / "in.smi"
    source.write_text("".join(f"{'C' * (1 + n % 40)}O\n" for n in range(100)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        done = run_here(monkeypatch, capsys, "embed", source, "-o", tmp_path / name, "--model", tiny_model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done == Result(1, "", f"exlm-chem: {tmp_path / name} cannot be written: file too large\n")
    assert list(tmp_path.iterdir()) == [source]


def test_after_a_kill_the_next_run_cleans_up(molecules, tiny_predictors, tmp_path, predict):
    target = tmp_path / "out.csv"
    command = f'yes CCO | exec "{EXLM_CHEM}" predict - --model "{tiny_predictors}/pass" -o "{target}"'
    deadline = time.monotonic() + 120
    with subprocess.Popen(["bash", "-c", command], stderr=subprocess.DEVNULL, env=environment()) as shell:
        while not (parts := list(tmp_path.glob(".out.csv.*.part"))):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(int(parts[0].name.split(".")[3]), signal.SIGKILL)
        shell.wait(timeout=60)
    assert parts[0].is_file()
    assert predict(molecules, "-o", target).status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv", "out.csv.columns.json"]


def test_numbers_are_numbers_in_json_lines(molecules, predict, tiny_model, tmp_path, monkeypatch, capsys):
    lines = predict(molecules, "--json").out.splitlines()
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in lines)
    assert isinstance(first["pass"], float)
    assert second["pass"] is None
    target = tmp_path / "o.jsonl"
    run_here(monkeypatch, capsys, "embed", molecules, "-o", target, "--model", tiny_model, "--device", "cpu")
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in target.read_text().splitlines())
    assert isinstance(first["exlm_0"], float)
    assert len(str(first["exlm_0"]).lstrip("-").replace(".", "").strip("0")) <= 9  # digits of a 32-bit number
    assert second["exlm_0"] is None

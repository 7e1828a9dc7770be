"""The command line as a whole: help, exit statuses, and how failures look."""

import doctest
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
import typer

from exlm_chem import __version__
from exlm_chem.cli import main as main_module
from exlm_chem.errors import ExLMError
from tests.cli.runner import EXLM_CHEM, Result, environment, run, run_here

ROOT = Path(__file__).parents[2]


def test_help_lists_every_command():
    result = run("--help")
    assert (result.status, result.err) == (0, "")
    for name, line in main_module.COMMANDS.items():
        assert f"  {name}" in result.out
        assert line in result.out


def test_help_loads_nothing_heavy():
    code = "import sys; from exlm_chem.cli.main import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"torch", "pandas", "rdkit", "numpy"}.isdisjoint(loaded)


WITHOUT_TORCH = (
    "import sys; sys.modules.update(torch=None, accelerate=None); from exlm_chem.cli.main import main; main()"
)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("predict", "--task", "bbbp", "--backend", "auto", "CCO"), 0, "CCO"),
        (("evaluate", "bbbp", "TABLE", "--json"), 0, "roc_auc"),
        (("info", "--json"), 0, '"torch_threads": null'),
        (("pretrain", "data/examples.csv", "-o", "never"), 1, "run: pip install 'exlm-chem[torch]'"),
    ],
)
def test_torch_is_needed_only_where_it_is_used(arguments, status, said, tmp_path):
    table = tmp_path / "table.csv"
    rows = (ROOT / "tests/data/bbbp_300.csv").read_text("utf-8").splitlines(keepends=True)[:41]
    table.write_text("".join(rows), encoding="utf-8")
    arguments = [table if one == "TABLE" else one for one in arguments]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    assert said in done.stdout + done.stderr


def test_torch_is_no_part_of_the_default_installation():
    asked = requires("exlm-chem")
    assert any(line.startswith("onnxruntime") for line in asked)
    assert all("extra ==" in line for line in asked if line.startswith(("torch", "accelerate")))


@pytest.mark.parametrize("name", sorted({*main_module.COMMANDS, *main_module.all_commands()}))
def test_help_of_a_command_ends_with_an_example(name, monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, *name.split(), "--help")
    assert done.status == 0
    *_, title, example = done.out.rstrip().splitlines()
    assert title == "  Example:"
    assert example.startswith(f"    exlm-chem {name} ")


def test_version():
    result = run("--version")
    assert result == Result(0, f"exlm-chem {__version__}\n", "")


@pytest.mark.parametrize("args", [["predikt"], ["info", "--no-such-option"], ["models", "show"], []])
def test_wrong_usage_ends_with_2(args):
    result = run(*args)
    assert result.status == 2
    assert "Usage: exlm-chem" in result.out + result.err
    assert "Traceback" not in result.err


def test_failure_is_one_sentence(tmp_path):
    result = run("models", "check", tmp_path)
    assert (result.status, result.out) == (1, "")
    problem = f"{tmp_path} is no complete model directory: config.json is missing; copy it again with all files"
    assert result.err == f"exlm-chem: {problem}\n"


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["--debug", "models", "check", "nowhere"], {}),
        (["models", "check", "nowhere", "--debug"], {}),
        (["models", "check", "nowhere"], {"EXLM_CHEM_DEBUG": "1"}),
    ],
)
def test_debug_shows_the_traceback(args, env):
    result = run(*args, env=env)
    assert result.status == 1
    assert "Traceback (most recent call last)" in result.err
    assert "exlm-chem: no model 'nowhere'" in result.err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ExLMError("the file is empty"), "exlm-chem: the file is empty\n"),
        (PermissionError(13, "Permission denied", "a.csv"), "exlm-chem: a.csv: permission denied\n"),
        (OSError("disk trouble"), "exlm-chem: disk trouble\n"),
        (
            ValueError("a\nb"),
            "exlm-chem: unexpected ValueError: a b; run with --debug to see where it comes from\n",
        ),
    ],
)
def test_errors_of_a_command(error, message, monkeypatch, capsys):
    def fail():
        raise error

    monkeypatch.setattr("exlm_chem.machine.versions", fail)
    assert run_here(monkeypatch, capsys, "info") == Result(1, "", message)


@pytest.mark.parametrize("where", ["exlm_chem.machine.versions", "exlm_chem.cli.main.app"])
def test_interruption_is_quiet(where, monkeypatch, capsys):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    assert run_here(monkeypatch, capsys, "info") == Result(130, "", "")


def test_reader_that_goes_away_is_no_error():
    process = subprocess.Popen([EXLM_CHEM, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=60)


def test_info(monkeypatch, capsys):
    done = run_here(monkeypatch, capsys, "info")
    assert done.status == 0
    assert f"exlm-chem        {__version__}" in done.out
    assert "speed cpu        fp32 " in done.out


def test_doctests():
    assert doctest.testmod(main_module).failed == 0
    assert isinstance(main_module.app, typer.Typer)

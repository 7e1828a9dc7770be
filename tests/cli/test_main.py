"""The command line as a whole: help, exit statuses, and how failures look."""

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from exlm_chem import __version__
from exlm_chem.cli import main as main_module
from exlm_chem.errors import ExLMError

EXLM_CHEM = Path(sys.executable).with_name("exlm-chem")


def run(*args, **env):
    return subprocess.run(
        [EXLM_CHEM, *args], capture_output=True, text=True, check=False, env={**os.environ, **env}, timeout=120
    )


def run_here(monkeypatch, *args):
    """Run main() in this process; give the exit status."""
    monkeypatch.setattr(sys, "argv", ["exlm-chem", *args])
    with pytest.raises(SystemExit) as ending:
        main_module.main()
    return ending.value.code or 0


def test_help_lists_every_command():
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for name, line in main_module.COMMANDS.items():
        assert f"  {name}" in result.stdout
        assert line in result.stdout


def test_help_loads_nothing_heavy():
    code = "import sys; from exlm_chem.cli.main import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"torch", "pandas", "rdkit", "numpy"}.isdisjoint(loaded)


@pytest.mark.parametrize("name", main_module.COMMANDS)
def test_help_of_a_command_ends_with_an_example(name, monkeypatch, capsys):
    assert run_here(monkeypatch, name, "--help") == 0
    text = capsys.readouterr().out
    *_, title, example = text.rstrip().splitlines()
    assert title == "  Example:"
    assert example.startswith(f"    exlm-chem {name} ")


def test_version():
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"exlm-chem {__version__}\n", "")


@pytest.mark.parametrize("args", [["predikt"], ["info", "--no-such-option"], ["models", "show"], []])
def test_wrong_usage_ends_with_2(args):
    result = run(*args)
    assert result.returncode == 2
    assert "Usage: exlm-chem" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_failure_is_one_sentence(tmp_path):
    result = run("models", "check", str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    problem = f"{tmp_path} is no complete model directory: config.json is missing; copy it again with all files"
    assert result.stderr == f"exlm-chem: {problem}\n"


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["--debug", "models", "check", "nowhere"], {}),
        (["models", "check", "nowhere", "--debug"], {}),
        (["models", "check", "nowhere"], {"EXLM_CHEM_DEBUG": "1"}),
    ],
)
def test_debug_shows_the_traceback(args, env):
    result = run(*args, **env)
    assert result.returncode == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert "exlm-chem: no model 'nowhere'" in result.stderr


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
    assert run_here(monkeypatch, "info") == 1
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("where", ["exlm_chem.machine.versions", "exlm_chem.cli.main.app"])
def test_interruption_is_quiet(where, monkeypatch, capsys):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    assert run_here(monkeypatch, "info") == 130
    assert capsys.readouterr() == ("", "")


def test_reader_that_goes_away_is_no_error():
    process = subprocess.Popen([EXLM_CHEM, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=60)


def test_info(monkeypatch, capsys):
    assert run_here(monkeypatch, "info") == 0
    text = capsys.readouterr().out
    assert f"exlm-chem        {__version__}" in text
    assert "speed cpu        fp32 " in text


def test_doctests():
    assert doctest.testmod(main_module).failed == 0
    assert isinstance(main_module.app, typer.Typer)

"""The README does what it says: its commands and its Python run, its numbers are those of the benchmarks."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from tests.cli.runner import run_here

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a fresh checkout with a smaller corpus, and is the working directory."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "data").mkdir()
    for file in (ROOT / "data").iterdir():
        (tmp_path / "data" / file.name).symlink_to(file)
    corpus = tmp_path / "data" / "zinc_20k.smi.gz"
    with gzip.open(corpus, "rb") as file:
        molecules = b"".join(islice(file, 500))  # the whole would take seconds to read
    corpus.unlink()
    corpus.write_bytes(gzip.compress(molecules))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def arguments(commands: str, folder: Path) -> list[list[str]]:
    """Let a shell read the commands; give the arguments of every ``exlm-chem`` in them."""
    folder.mkdir()
    noted, command = folder / "noted", folder / "exlm-chem"
    command.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >> '{noted}'; echo >> '{noted}'\n", encoding="utf-8")
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "-ec", commands], env=environment, check=True)
    return [line.split("\0")[:-1] for line in noted.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_commands_run(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    commands = "".join(blocks("bash"))
    assert commands.count("exlm-chem") >= 6
    commands = commands.replace("--max-time 1m", "--max-steps 2 --batch-tokens 1024")  # all but the minute
    commands = commands.replace(
        "exlm-chem finetune", "exlm-chem finetune --features exlm --head linear"
    )  # and the average
    called = arguments(commands, tmp_path_factory.mktemp("shell") / "bin")
    assert len(called) == commands.count("exlm-chem")
    for args in called:
        done = run_here(monkeypatch, capsys, *args)
        assert done.status == 0, done.err
    assert {"predictions.csv", "runs"} <= {path.name for path in checkout.iterdir()}
    assert {"my-bbbp", "mine.csv", "first", "vectors.npz"} <= {path.name for path in (checkout / "runs").iterdir()}


@pytest.mark.slow
@pytest.mark.usefixtures("checkout")
def test_python_runs() -> None:
    code = "\n".join(block for block in blocks("python") if "deepchem" not in block)
    checks = "\nassert vectors.shape == (2, 256)\nassert table['error'].notna().tolist() == [False, True]\n"
    exec(code + checks, {})  # noqa: S102


@pytest.mark.slow
@pytest.mark.deepchem
@pytest.mark.filterwarnings("ignore")  # DeepChem 2.8 is older than the libraries that it calls
@pytest.mark.usefixtures("checkout")
def test_deepchem_runs() -> None:
    pytest.importorskip("deepchem", exc_type=ImportError)
    (code,) = (block for block in blocks("python") if "deepchem" in block)
    checks = "\nassert len(train) > len(valid) > 0\nassert len(test) > 0\n"
    exec(code + checks, {})  # noqa: S102


def test_numbers_are_those_of_the_benchmarks() -> None:
    command = [sys.executable, "-m", "benchmarks.table", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

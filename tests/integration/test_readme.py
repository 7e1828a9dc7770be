"""The README does what it says: its commands and its Python run, its numbers are those of the benchmarks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like a fresh checkout to a command that is run in it."""
    for name in ("data", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.slow
def test_commands_run(checkout: Path) -> None:
    folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    commands = "".join(blocks("bash"))
    assert commands.count("exlm-chem") >= 6
    commands = commands.replace("--max-time 1m", "--max-steps 2 --batch-tokens 1024")  # all but the minute
    commands = commands.replace(
        "exlm-chem finetune", "exlm-chem finetune --features exlm --head linear"
    )  # and the average
    result = subprocess.run(
        ["bash", "-ec", commands], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert {"predictions.csv", "runs"} <= {path.name for path in checkout.iterdir()}
    assert {"my-bbbp", "mine.csv", "first", "vectors.npz"} <= {path.name for path in (checkout / "runs").iterdir()}


@pytest.mark.slow
def test_python_runs(checkout: Path) -> None:
    code = "\n".join(block for block in blocks("python") if "deepchem" not in block)
    checks = "\nassert vectors.shape == (2, 256)\nassert table['error'].notna().tolist() == [False, True]\n"
    result = subprocess.run(
        [sys.executable, "-c", code + checks], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.deepchem
def test_deepchem_runs(checkout: Path) -> None:
    pytest.importorskip("deepchem", exc_type=ImportError)
    (code,) = (block for block in blocks("python") if "deepchem" in block)
    checks = "\nassert len(train) > len(valid) > 0\nassert len(test) > 0\n"
    result = subprocess.run(
        [sys.executable, "-c", code + checks], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_numbers_are_those_of_the_benchmarks() -> None:
    command = [sys.executable, "-m", "benchmarks.table", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

"""``exlm-chem pretrain`` as a user starts, kills and resumes it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from exlm_chem.data import data_path
from exlm_chem.embedding.embedder import ExLM

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
COMMAND = [sys.executable, "-m", "exlm_chem.cli.main", "pretrain"]
SMALL_RUN = ["--preset", "tiny", "--batch-tokens", "1024", "--precision", "fp32", "--device", "cpu", "--valid", "0.05"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )


@pytest.fixture(scope="module")
def molecules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "zinc.smi"
    file.write_bytes(b"\n".join(gzip.decompress(data_path("zinc_20k.smi.gz").read_bytes()).split(b"\n")[:400]))
    return file


@pytest.mark.slow
def test_killed_and_resumed_equals_never_killed(molecules: Path, tmp_path: Path) -> None:
    arguments = [molecules, *SMALL_RUN, "--max-steps", 14, "--checkpoint-minutes", 0.0001]
    whole = run(*arguments, "-o", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.strip() == str(tmp_path / "whole")
    assert "validation loss" in whole.stderr

    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments), "-o", str(killed)],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(killed.glob("checkpoints/step-*[0-9]")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -9, "the run ended before it could be killed"
    again = run(*arguments, "-o", killed, "--resume")
    assert again.returncode == 0, again.stderr
    assert "resumed from step-" in again.stderr
    ours, theirs = load_file(killed / "model.safetensors"), load_file(tmp_path / "whole" / "model.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)

    embedding = ExLM.from_pretrained(killed).embed(["CCO"])
    assert embedding.shape == (1, 96)
    facts = json.loads((killed / "run.json").read_text())
    assert facts["steps"] == 14
    assert facts["corpus"]["files"] == ["zinc.smi"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["missing.smi"], 1, "missing.smi"),
        (["FILE", "--preset", "huge"], 2, "'huge' is not one of"),
        (["FILE", "--objective", "bert"], 2, "'bert' is not one of 'exlm', 'mlm'"),
        (["FILE", "--max-time", "soon"], 2, "'soon' is no time"),
        (["FILE", "--mask-ratio", "1.5"], 1, "--mask-ratio must lie between 0 and 1"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], status: int, message: str, molecules: Path, tmp_path: Path
) -> None:
    result = run(*[molecules if a == "FILE" else a for a in arguments], "-o", tmp_path / "out")
    assert result.returncode == status
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_directory_in_use_is_kept(molecules: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    result = run(molecules, *SMALL_RUN, "-o", tmp_path)
    assert result.returncode == 1
    assert "is not empty; add --resume" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["precious.txt"]


def test_duration() -> None:
    from exlm_chem.cli.pretrain import parse_duration

    assert [parse_duration(text) for text in ("90", "90s", "2m", "0.5h", "1d")] == [90, 90, 120, 1800, 86400]

"""Several processes on this machine (gloo) train as one process does."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.distributed.elastic.multiprocessing.errors import record
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from tests.integration.processes import METHOD, command, prepare

STEPS = 4
OPTIONS = f"--preset tiny --max-steps {STEPS} --precision fp32 --device cpu --batch-tokens 1024 --valid 0.1 --seed 3"


@record
def work(*args: str) -> None:
    """Be one of several processes; of the first that fails, the error is told."""
    command(*args)


def run(output: Path, molecules: Path, *options: str, processes: int = 1) -> None:
    """Run ``exlm-chem pretrain`` in this process, or in several as ``torchrun`` does."""
    args = ("pretrain", str(molecules), "-o", str(output), *OPTIONS.split(), *options)
    if processes == 1:
        command(*args)
        return
    prepare()
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id="test",
        max_restarts=0,
        start_method=METHOD,
    )
    elastic_launch(config, work)(*args)


def losses(directory: Path) -> list[tuple[float, float, str]]:
    with (directory / "metrics.csv").open(newline="") as table:
        return [
            (float(row["train_loss"]), float(row["validation_loss"]), row["molecules"]) for row in csv.DictReader(table)
        ]


@pytest.fixture(scope="module")
def molecules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "molecules.smi"
    file.write_text("\n".join(f"{'C' * (i % 17 + 1)}{'(=O)' * (i % 2)}N{'c1ccccc1' * (i % 3)}" for i in range(900)))
    return file


@pytest.fixture(scope="module")
def alone(molecules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process that takes two batches a step: what two processes take together."""
    directory = tmp_path_factory.mktemp("alone") / "run"
    run(directory, molecules, "--accumulation", "2")
    return directory


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one(alone: Path, molecules: Path, tmp_path: Path) -> None:
    run(tmp_path / "two", molecules, processes=2)
    for ours, theirs in zip(losses(tmp_path / "two"), losses(alone), strict=True):
        assert ours[:2] == pytest.approx(theirs[:2], rel=1e-5)
        assert ours[2] == theirs[2]
    weights, expected = (load_file(d / "model.safetensors") for d in (tmp_path / "two", alone))
    for name, tensor in expected.items():
        torch.testing.assert_close(weights[name], tensor, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_sharded_weights_train_resume_and_come_together(molecules: Path, tmp_path: Path) -> None:
    alone, directory = tmp_path / "alone", tmp_path / "sharded"
    run(alone, molecules, "--accumulation", "2", "--optimizer", "adamw")
    sharded = ("--fsdp", "--optimizer", "adamw", "--checkpoint-minutes", "0.000001")
    run(directory, molecules, *sharded, processes=2)
    shutil.rmtree(max((directory / "checkpoints").iterdir()))  # as if killed before the last step
    (directory / "model.safetensors").unlink()
    run(directory, molecules, *sharded, "--resume", processes=2)
    for ours, theirs in zip(losses(directory), losses(alone), strict=True):
        assert ours[:2] == pytest.approx(theirs[:2], rel=1e-4)
    weights, expected = (load_file(d / "model.safetensors") for d in (directory, alone))
    assert weights.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(weights[name], tensor, atol=1e-4, rtol=0)

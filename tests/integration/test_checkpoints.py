"""Checkpoints: a run can be killed at any moment, and no disk is too full to keep what was there."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from tests.integration.processes import command, started

OPTIONS = "--preset tiny --batch-tokens 512 --precision fp32 --device cpu --valid 0.05 --max-steps 15 --ema 0.99"
EVERY_STEP = ["--checkpoint-minutes", "0.000001"]


@pytest.fixture(scope="module")
def molecules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "molecules.smi"
    file.write_text("\n".join(f"{'C' * (i % 11 + 1)}{'(=O)' * (i % 2)}N{'c1ccccc1' * (i % 3)}" for i in range(300)))
    return file


def arguments(molecules: Path, output: Path, *options: str) -> list[str]:
    return ["pretrain", str(molecules), "-o", str(output), *OPTIONS.split(), *options]


def checkpoints(output: Path) -> set[Path]:
    return set(output.glob("checkpoints/step-*[0-9]"))


@pytest.mark.slow
def test_killed_at_random_moments_equals_never_killed(molecules: Path, tmp_path: Path) -> None:
    command(*arguments(molecules, tmp_path / "whole"))
    # The same line every time, as in a job script: it starts, and it goes on.
    line = arguments(molecules, tmp_path / "killed", "--resume", *EVERY_STEP)
    moments = random.Random(5)
    killed = 0
    while killed < 2:
        with started(tmp_path / "errors", *line) as process:
            known = checkpoints(tmp_path / "killed")
            while process.is_alive() and not checkpoints(tmp_path / "killed") - known:
                time.sleep(0.01)
            time.sleep(moments.random() / 2)
            process.kill()
            process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL, (tmp_path / "errors").read_text()
        killed += 1
    assert killed
    command(*line)
    ours, theirs = (load_file(tmp_path / name / "model.safetensors") for name in ("killed", "whole"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_with_a_checkpoint_and_a_sentence(signal_number: int, molecules: Path, tmp_path: Path) -> None:
    output, errors = tmp_path / "run", tmp_path / "errors"
    with started(errors, *arguments(molecules, output, "--max-steps", "100000", "--evaluations", "100000")) as process:
        while not (output / "metrics.csv").exists() and process.is_alive():  # it comes with the first step
            time.sleep(0.05)
        os.kill(process.pid, signal_number)
        process.join(timeout=60)
    said = errors.read_text()
    assert process.exitcode == 1, said
    assert f"stopped by {signal.Signals(signal_number).name} after step" in said
    assert "--resume" in said
    assert "Traceback" not in said
    assert len(checkpoints(output)) == 1


def test_a_full_disk_keeps_the_checkpoint_before(molecules: Path, tmp_path: Path) -> None:
    options = PretrainingOptions(
        preset="tiny", max_steps=6, batch_tokens=512, precision="fp32", device="cpu", checkpoint_minutes=1e-6
    )
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(progress: object, _share: float, _loss: float) -> None:
        if progress.step == 4:  # from here on no file may be larger than 400 kB, which pictures are not
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))

    try:
        with pytest.raises(ExLMError, match=r"checkpoint of step 4 could not be written .*step-000000003 is whole"):
            pretrain([molecules], tmp_path / "run", options, report=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(p.name for p in (tmp_path / "run" / "checkpoints").iterdir()) == ["step-000000002", "step-000000003"]
    lines: list[str] = []
    pretrain([molecules], tmp_path / "run", options, resume=True, log=lines.append)
    assert any(line.startswith("resumed from step-000000003") for line in lines)
    whole = pretrain([molecules], tmp_path / "whole", options)
    ours, theirs = (load_file(d / "model.safetensors") for d in (tmp_path / "run", whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_measurements_go_to_tensorboard(molecules: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    options = PretrainingOptions(
        preset="tiny",
        max_steps=2,
        evaluations=2,
        batch_tokens=512,
        device="cpu",
        validation=0.2,
        loggers=("tensorboard",),
    )
    directory = pretrain([molecules], tmp_path / "run", options)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folders = {file.parent for file in directory.rglob("events.out.tfevents*")}
    logs = [EventAccumulator(str(folder)).Reload() for folder in folders]
    (log,) = [log for log in logs if "validation_loss" in log.Tags()["scalars"]]
    assert [event.step for event in log.Scalars("validation_loss")] == [1, 2]

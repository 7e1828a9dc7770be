"""Whoever sends a checkpoint cannot run code: nothing in it is unpickled, and what does not fit is one sentence."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining.checkpoint import STATE, _digest
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from exlm_chem.storage import sha256

OPTIONS = PretrainingOptions(
    preset="tiny", max_steps=4, batch_tokens=512, precision="fp32", device="cpu", ema=0.9, checkpoint_minutes=1e-6
)
# What accelerate, torch and transformers look for, besides the files that are ours.
FOREIGN = """custom_checkpoint_0.pkl optimizer.bin optimizer_1.bin scheduler.bin random_states_0.pkl scaler.pt
pytorch_model.bin pytorch_model_fsdp.bin dl_state_dict.bin sampler.bin .metadata training_args.bin model.pt
state.pkl random-0.pkl average.pt""".split()
OURS = "model.safetensors average.safetensors optimizer.safetensors random-0.safetensors".split()


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.mkdir, (self.mark,)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Molecules, and a run of which only the checkpoint of step 3 is left."""
    folder = tmp_path_factory.mktemp("run")
    molecules = folder / "molecules.smi"
    molecules.write_text("\n".join(f"{'C' * (i % 9 + 1)}N{'c1ccccc1' * (i % 3)}" for i in range(200)))
    pretrain([molecules], folder / "run", OPTIONS, cache=folder)
    shutil.rmtree(folder / "run" / "checkpoints" / "step-000000004")
    return molecules, folder / "run"


def seal(checkpoint: Path, change: dict[str, Any] | None = None) -> None:
    """Write the hashes anew, as someone who sends a folder would."""
    content = json.loads((checkpoint / STATE).read_text())
    for name, value in (change or {}).items():
        *path, last = name.split(".")
        place = content["state"]
        for part in path:
            place = place[part]
        place[last] = value
    files = {file.name: sha256(file) for file in checkpoint.iterdir() if file.name != STATE}
    digest = _digest(files, content["state"])
    (checkpoint / STATE).write_text(json.dumps({**content, "files": files, "sha256": digest}))


def copied(interrupted: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path, Path]:
    molecules, run = interrupted
    shutil.copytree(run, tmp_path / "run")
    (checkpoint,) = (path for path in (tmp_path / "run" / "checkpoints").iterdir() if path.name == "step-000000003")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-000000002", ignore_errors=True)
    return molecules, tmp_path / "run", checkpoint


def test_foreign_files_are_never_opened(interrupted: tuple[Path, Path], tmp_path: Path) -> None:
    molecules, run, checkpoint = copied(interrupted, tmp_path)
    for name in FOREIGN:
        (checkpoint / name).write_bytes(pickle.dumps(Payload(tmp_path / "mark")))
    seal(checkpoint)
    lines: list[str] = []
    pretrain([molecules], run, OPTIONS, resume=True, cache=molecules.parent, log=lines.append)
    assert any(line.startswith("resumed from step-000000003") for line in lines)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", OURS)
def test_a_pickle_in_the_place_of_tensors_is_refused(name: str, interrupted: tuple[Path, Path], tmp_path: Path) -> None:
    molecules, run, checkpoint = copied(interrupted, tmp_path)
    (checkpoint / name).write_bytes(pickle.dumps(Payload(tmp_path / "mark")))
    seal(checkpoint)
    with pytest.raises(ExLMError, match=name):
        pretrain([molecules], run, OPTIONS, resume=True, cache=molecules.parent)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("value", [None, "text", [1], {"a": 1}, -1, 10**300, True])
@pytest.mark.parametrize("name", ["progress.step", "progress.batches", "progress.seconds", "progress.window.loss"])
def test_numbers_that_are_none_are_refused(
    name: str, value: Any, interrupted: tuple[Path, Path], tmp_path: Path
) -> None:
    if name == "progress.window.loss" and value == -1:
        pytest.skip("a loss may be negative")
    molecules, run, checkpoint = copied(interrupted, tmp_path)
    seal(checkpoint, {name: value})
    with pytest.raises(ExLMError, match=rf"step-000000003.*{name.rpartition('.')[2]}"):
        pretrain([molecules], run, OPTIONS, resume=True, cache=molecules.parent)


@pytest.mark.parametrize("name", ["progress", "progress.window", "progress.history", "options", "corpus"])
@pytest.mark.parametrize("value", [None, "text", [1], {"a": 1}, 3])
def test_parts_that_are_something_else_are_refused(
    name: str, value: Any, interrupted: tuple[Path, Path], tmp_path: Path
) -> None:
    molecules, run, checkpoint = copied(interrupted, tmp_path)
    seal(checkpoint, {name: value})
    with pytest.raises(ExLMError, match="step-000000003"):
        pretrain([molecules], run, OPTIONS, resume=True, cache=molecules.parent)

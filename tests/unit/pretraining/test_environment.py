"""Junk in the environment is a sentence before any work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from accelerate.state import AcceleratorState

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining.accelerator import make_accelerator
from exlm_chem.pretraining.environment import COUNTS, check_environment
from exlm_chem.pretraining.options import PretrainingOptions


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> Iterator[None]:
    """Accelerate reads the environment once in a process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


OPTIONS = PretrainingOptions(device="cpu")


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", ["junk", "1.5", "-7", "1" * 30, " "])
def test_a_count_that_is_none(name: str, value: str) -> None:
    with pytest.raises(ExLMError, match=f"^the environment variable {name} is '{value[:4]}.*; correct or unset it"):
        check_environment({name: value})


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2, as if torchrun had started this process, but RANK is not set"),
        ({"LOCAL_RANK": "0"}, "LOCAL_RANK is 0, as if torchrun had started this process, but RANK is not set"),
        ({"RANK": "7"}, "RANK is 7, but WORLD_SIZE is 1"),
    ],
)
def test_processes_that_nobody_started(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(ExLMError, match=sentence):
        check_environment(variables)


def test_what_torchrun_sets_is_right() -> None:
    check_environment({"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "29500"})
    check_environment({"LOCAL_RANK": "", "HOME": "junk", "RANK": "0", "WORLD_SIZE": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCELERATE_USE_CPU", "junk"),
        ("ACCELERATE_DEBUG_MODE", "perhaps"),
        ("ACCELERATE_TORCH_DEVICE", "junk"),
        ("ACCELERATE_TORCH_DEVICE", "meta"),
        ("ACCELERATE_DYNAMO_BACKEND", "junk"),
        ("ACCELERATE_USE_DEEPSPEED", "true"),
        ("ACCELERATE_USE_MEGATRON_LM", "true"),
        ("FORK_LAUNCHED", "junk"),
    ],
)
def test_what_accelerate_cannot_obey(name: str, value: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ExLMError, match=name):
        make_accelerator(OPTIONS, tmp_path)
    monkeypatch.delenv(name)
    assert make_accelerator(OPTIONS, tmp_path).device.type == "cpu"


def test_the_environment_does_not_change_what_is_computed(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    assert make_accelerator(OPTIONS, tmp_path).gradient_accumulation_steps == 1

"""What is known of the machine."""

from __future__ import annotations

import pytest
import torch

from exlm_chem import machine
from exlm_chem.cli.info import _in_words


@pytest.mark.parametrize(
    ("flags", "found", "words"),
    [
        ({"avx2", "fma"}, [False, False, False], "bf16 no, amx no, vnni no"),
        ({"avx512_vnni", "avx512f"}, [False, False, True], "bf16 no, amx no, vnni yes"),
        ({"amx_bf16", "amx_tile", "avx_vnni"}, [True, True, True], "bf16 yes, amx yes, vnni yes"),
        ({"asimd", "bf16"}, [True, False, False], "bf16 yes, amx no, vnni no"),
        (None, [None, None, None], "not known"),
    ],
)
def test_instructions(flags: set[str] | None, found: list[bool | None], words: str, monkeypatch) -> None:
    monkeypatch.setattr(machine, "_processor_flags", lambda: flags)
    assert list(machine.instructions().values()) == found
    assert _in_words(machine.instructions()) == words


def test_they_are_among_the_facts_of_a_bug_report() -> None:
    assert machine.devices()["instructions"] == machine.instructions()


def test_measuring_the_speed_draws_no_numbers_of_a_run() -> None:
    before = torch.get_rng_state()
    speed = machine.multiplication_speed(size=64, seconds=0.001, precisions=("fp32", "bf16", "fp16"))
    assert list(speed) == ["fp32", "bf16", "fp16"]
    assert torch.equal(torch.get_rng_state(), before)

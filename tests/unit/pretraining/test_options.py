"""What a run may be asked for."""

from __future__ import annotations

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.options import declared
from exlm_chem.pretraining.options import FREE, PretrainingOptions

NUMBERS = [one for one in declared(PretrainingOptions) if one.type in (int, float)]


@pytest.mark.parametrize("one", NUMBERS, ids=lambda one: one.name)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -1, 10**30, "4", True])
def test_no_number_may_be_senseless(one, value: object) -> None:
    with pytest.raises(ExLMError, match=rf"^{one.flag} must be a (whole )?number.*, not .*\.$"):
        PretrainingOptions(**{one.name: value})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"states": 0}, "--states must be a whole number of at least 1 and of at most 256, not 0."),
        ({"max_seconds": 0}, "--max-time must be a number larger than 0, not 0."),
        ({"validation": 1}, "--valid must be a number of at least 0 and smaller than 1, not 1."),
        ({"device": "meta"}, "--device must be one of auto, cpu, not 'meta'."),
        ({"preset": "huge"}, "--preset must be one of tiny, small, base, paper, not 'huge'."),
        (
            {"scheme": "t.json", "mask_by": "fragment"},
            "--mask-by fragment reads SMILES; it cannot be used with --tokenizer",
        ),
        ({"scheme": "t.json", "randomise": 0.5}, "--randomise is for molecules, and --tokenizer t.json is for text"),
        (
            {"scheme": "t.json", "molecule_objectives": ("ecfp",)},
            "--molecule-objective is for molecules, and --tokenizer",
        ),
        ({"loggers": ("paper",)}, "--log must be one of tensorboard, wandb, not 'paper'."),
        ({"seed": 2**32}, "--seed must be a whole number of at least 0 and of at most 4294967295, not 4294967296."),
        ({"ema": 0.9, "fsdp": True, "optimizer": "adamw"}, "--ema needs all weights in one place; leave it away"),
        ({"fsdp": True}, "--optimizer muon needs whole matrices, which --fsdp cuts; use --optimizer adamw with it."),
    ],
)
def test_what_cannot_be_is_one_sentence(values: dict, sentence: str) -> None:
    with pytest.raises(ExLMError) as caught:
        PretrainingOptions(**values)
    assert str(caught.value).startswith(sentence)


def test_three_epochs_when_nothing_says_how_long() -> None:
    assert PretrainingOptions().epochs == 3
    assert PretrainingOptions(max_steps=7).epochs is None


def test_what_may_change_in_a_resumed_run() -> None:
    assert {one.name for one in declared(PretrainingOptions)} > FREE
    saved = {"states": 4, "seed": 0, "max_steps": 10}
    assert PretrainingOptions(max_steps=20).changed_since(saved) is None
    assert PretrainingOptions(states=2).changed_since(saved) == "states"

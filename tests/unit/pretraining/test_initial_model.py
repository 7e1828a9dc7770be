"""A run that starts from a model that exists."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM, ExLMModel
from exlm_chem.pretraining.initial_model import describe_start, initial_model, make_config
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from exlm_chem.tokenizer import ExLMTokenizer

TOKENIZER = ExLMTokenizer()


def start(options: PretrainingOptions) -> tuple[ExLMForMaskedLM, list[str]]:
    lines: list[str] = []
    return initial_model(options, make_config(options, TOKENIZER), log=lines.append), lines


def test_all_weights_are_taken_over(tiny_model: Path) -> None:
    model, lines = start(PretrainingOptions(init_from=str(tiny_model), preset="paper"))
    theirs = load_file(tiny_model / "model.safetensors")
    assert model.training
    assert all(torch.equal(value, theirs[name]) for name, value in model.state_dict().items())
    assert lines == [f"starts from {tiny_model}."]


def test_heads_that_do_not_fit_are_new(tiny_model: Path, tmp_path: Path) -> None:
    ExLMModel.from_pretrained(tiny_model).save_pretrained(tmp_path)  # the encoder alone
    TOKENIZER.save_pretrained(tmp_path)
    options = PretrainingOptions(init_from=str(tmp_path), states=2)
    config = make_config(options, TOKENIZER, {"ecfp": 2048})
    lines: list[str] = []
    model = initial_model(options, config, log=lines.append)
    theirs = load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(value, theirs[name]) for name, value in model.model.state_dict().items())
    assert model.config.num_states == 2
    assert lines == [f"starts from {tmp_path}; new: lm_head, molecule_heads.ecfp, transitions."]


def test_mlm_goes_on_from_exlm(tiny_model: Path) -> None:
    model, _ = start(PretrainingOptions(init_from=str(tiny_model), objective="mlm"))
    assert model.config.objective == "mlm"
    assert model.transitions is None


def test_without_it_the_weights_are_the_seeds() -> None:
    options = PretrainingOptions(preset="tiny")
    models = []
    for make in (lambda: start(options)[0], lambda: ExLMForMaskedLM(make_config(options, TOKENIZER))):
        torch.manual_seed(3)
        models.append(make())
    assert all(torch.equal(a, b) for a, b in zip(*(m.state_dict().values() for m in models), strict=True))
    assert describe_start(options) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"init_from": "no-such-model"}, "no model 'no-such-model'"),
        ({"scheme": "selfies"}, "reads tokens of another kind; add --tokenizer lossless"),
    ],
)
def test_what_cannot_be_started_from(changes: dict, sentence: str, tiny_model: Path, tmp_path: Path) -> None:
    options = replace(PretrainingOptions(init_from=str(tiny_model)), **changes)
    (tmp_path / "m.smi").write_text("CCO\n")
    with pytest.raises(ExLMError, match=sentence):
        pretrain([tmp_path / "m.smi"], tmp_path / "run", options, cache=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"m.smi"}  # nothing was prepared


def test_a_run_goes_on_from_a_model_and_says_so(tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.smi"
    file.write_text("\n".join(f"{'C' * (i % 7 + 1)}O" for i in range(50)))
    options = PretrainingOptions(
        init_from=str(tiny_model), max_steps=1, batch_tokens=512, device="cpu", learning_rate=1e-9, precision="fp32"
    )
    directory = pretrain([file], tmp_path / "run", options, cache=tmp_path)
    ours, theirs = (ExLM.from_pretrained(path, "cpu").embed(["CCO"]) for path in (directory, tiny_model))
    assert abs(ours - theirs).max() < 1e-4
    facts = json.loads((directory / "training.json").read_text())
    assert facts["started_from"] == describe_start(options)
    assert facts["started_from"]["name"] == tiny_model.name == facts["options"]["init_from"]
    assert facts["options"]["preset"] == "custom"  # its sizes are those of no preset
    assert str(tiny_model) not in (directory / "training.json").read_text()
    assert f"| started from | the weights of {tiny_model.name} |" in (directory / "README.md").read_text()

"""Whole runs in one process: what is learnt, and that an interruption changes nothing."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM, prepare_inputs
from exlm_chem.modeling.alignment import best_path
from exlm_chem.pretraining.corpus_files import CorpusFiles
from exlm_chem.pretraining.measurements import Progress
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain
from exlm_chem.tokenizer import ExLMTokenizer

OPTIONS = PretrainingOptions(
    preset="tiny", max_steps=12, batch_tokens=1024, precision="fp32", device="cpu", evaluations=3, validation=0.1
)


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    file = tmp_path / "molecules.smi"
    file.write_text("\n".join(f"{'C' * (i % 7 + 1)}{'(=O)' * (i % 2)}N{'c1ccccc1' * (i % 3)}" for i in range(200)))
    return file


def metrics(directory: Path) -> list[dict[str, str]]:
    """The table of a run."""
    with (directory / "metrics.csv").open(newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.parametrize("objective", ["exlm", "mlm"])
def test_a_tiny_set_is_memorised(objective: str, tmp_path: Path) -> None:
    file = tmp_path / "two.smi"
    file.write_text("\n".join(["c1ccncc1O", "CC(=O)NCCS"] * 8))
    options = replace(OPTIONS, objective=objective, max_steps=120, batch_tokens=512, validation=0.0, evaluations=3)
    directory = pretrain(CorpusFiles([file], [file]), tmp_path / "model", options)
    last = metrics(directory)[-1]
    assert float(last["validation_accuracy"]) > 0.95
    assert last["infeasible"] == "0"


def test_guided_training_ends_on_own_states(molecules: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, max_steps=150, batch_tokens=256, guided=0.5, learning_rate=1e-3)
    directory = pretrain([molecules], tmp_path / "run", options)
    model, tokenizer = ExLMForMaskedLM.from_pretrained(directory).eval(), ExLMTokenizer.from_pretrained(directory)
    ids = torch.tensor([tokenizer.encode("CCCCCC(=O)Nc1ccccc1")])
    labels = torch.full_like(ids, -100)
    labels[0, [2, 6, 9, 14]], ids[0, [2, 6, 9, 14]] = ids[0, [2, 6, 9, 14]], tokenizer.mask_id
    with torch.inference_mode():
        graph = model(prepare_inputs(model.config, ids, labels)).graph
    path, _ = best_path(graph.match, graph.transitions, graph.target_length, graph.state_length)
    assert (path[0] // model.config.num_states).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_run_that_goes_on_for_longer_is_measured_as_often_as_asked(molecules: Path, tmp_path: Path) -> None:
    pretrain([molecules], tmp_path / "run", replace(OPTIONS, max_steps=3))
    pretrain([molecules], tmp_path / "run", replace(OPTIONS, max_steps=12), resume=True)
    assert [row["step"] for row in metrics(tmp_path / "run")] == ["1", "2", "3", "4", "8", "12"]


def test_the_card_names_the_files_of_this_run_and_not_of_another_with_their_content(
    molecules: Path, tmp_path: Path
) -> None:
    options, copied = replace(OPTIONS, max_steps=1), Path(shutil.copy(molecules, tmp_path / "copied.smi"))
    for file in (molecules, copied):
        directory = pretrain([file], tmp_path / file.stem, options, cache=tmp_path / "cache")
        assert json.loads((directory / "training.json").read_text())["corpus"]["files"] == [file.name]
        assert file.name in (directory / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")  # of the compiler
def test_compiled_layers_learn_the_same(molecules: Path, tmp_path: Path) -> None:
    # AdamW: Muon makes directions of gradients in bfloat16, where the last bit of a product decides about much more.
    options = replace(OPTIONS, max_steps=2, ema=0.9, optimizer="adamw", learning_rate=1e-3)
    plain = pretrain([molecules], tmp_path / "plain", options)
    compiled = pretrain([molecules], tmp_path / "compiled", replace(options, compile=True))
    ours, theirs = load_file(compiled / "model.safetensors"), load_file(plain / "model.safetensors")
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=1e-4, rtol=0)


def test_interrupted_and_resumed_equals_never_interrupted(molecules: Path, tmp_path: Path) -> None:
    whole = pretrain([molecules], tmp_path / "whole", OPTIONS)
    parts = tmp_path / "parts"

    def interrupt(progress: Progress, _share: float, _loss: float) -> None:
        if progress.step == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(ExLMError, match="stopped by SIGTERM after step 5; the same command with --resume"):
        pretrain([molecules], parts, OPTIONS, report=interrupt)
    with pytest.raises(ExLMError, match="is not empty; add --resume"):
        pretrain([molecules], parts, OPTIONS)
    with pytest.raises(ExLMError, match="another --mask-ratio"):
        pretrain([molecules], parts, replace(OPTIONS, mask_ratio=0.3), resume=True)
    lines: list[str] = []
    pretrain([molecules], parts, OPTIONS, resume=True, log=lines.append)
    assert any(line.startswith("resumed from step-000000005") for line in lines)
    ours, theirs = load_file(parts / "model.safetensors"), load_file(whole / "model.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    timings = ("seconds", "molecules_per_second", "tokens_per_second", "gemm_share")
    measured = [[{k: v for k, v in row.items() if k not in timings} for row in metrics(d)] for d in (parts, whole)]
    assert measured[0] == measured[1]


def test_a_broken_checkpoint_is_passed_over(molecules: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, checkpoint_minutes=1e-6)
    directory = pretrain([molecules], tmp_path / "run", replace(options, max_steps=6))
    newest = max((directory / "checkpoints").iterdir())
    weights = newest / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    lines: list[str] = []
    pretrain([molecules], directory, options, resume=True, log=lines.append)
    assert any("is broken (model.safetensors)" in line for line in lines)
    assert any(line.startswith("resumed from step-000000005") for line in lines)


def test_resume_from_nothing_starts_from_the_beginning(molecules: Path, tmp_path: Path) -> None:
    directory = pretrain([molecules], tmp_path / "new", replace(OPTIONS, max_steps=2), resume=True)
    model = ExLMForMaskedLM.from_pretrained(directory)
    assert model.config.objective == "exlm"
    assert "2 steps" in (directory / "README.md").read_text()
    assert {"curves.png", "rejected.csv", "metrics.csv", "run.json", "training.json", "tokenizer.json"} <= {
        f.name for f in directory.iterdir()
    }


def test_accumulated_batches_give_one_step(molecules: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, max_steps=2, accumulation=3, batch_tokens=256)
    directory = pretrain([molecules], tmp_path / "run", options)
    rows = metrics(directory)
    assert rows[-1]["step"] == "2"
    assert int(rows[-1]["tokens"]) > 2 * 2 * 200


def test_molecule_objectives_are_learnt_resumed_and_saved(molecules: Path, tmp_path: Path) -> None:
    objectives = ("descriptors", "ecfp")
    options = replace(OPTIONS, molecule_objectives=objectives, unmasked=0.3, max_steps=30, evaluations=5)
    run = pretrain([molecules], tmp_path / "run", replace(options, checkpoint_minutes=1e-6))
    rows, whole = metrics(run), load_file(run / "model.safetensors")
    for name in objectives:
        losses = [float(row[f"validation_{name}"]) for row in rows]
        assert losses[-1] < 0.8 * losses[0]

    shutil.rmtree(max((run / "checkpoints").iterdir()))  # as if it had been killed before the last step
    (run / "model.safetensors").unlink()
    again = pretrain([molecules], run, options, resume=True)
    resumed = load_file(again / "model.safetensors")
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    assert set(json.loads((again / "molecule_targets.json").read_text())) == set(objectives)
    assert ExLMForMaskedLM.from_pretrained(again).config.molecule_objectives["ecfp"] == 2048

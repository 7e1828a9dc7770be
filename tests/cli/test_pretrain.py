"""``exlm-chem pretrain`` as a user starts, kills and resumes it."""

from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path

import pytest
from accelerate.state import AcceleratorState

from exlm_chem.cli.main import load_command
from exlm_chem.data import data_path
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.options import declared
from exlm_chem.pretraining.durations import parse_duration
from exlm_chem.pretraining.options import PretrainingOptions
from tests.cli.runner import run, run_here

SMALL_RUN = ["--preset", "tiny", "--batch-tokens", "1024", "--precision", "fp32", "--device", "cpu", "--valid", "0.05"]


@pytest.fixture(scope="module")
def molecules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "zinc.smi"
    file.write_bytes(b"\n".join(gzip.decompress(data_path("zinc_20k.smi.gz").read_bytes()).split(b"\n")[:400]))
    return file


def test_a_run_leaves_a_model_and_goes_on_where_it_is_asked_to(
    molecules: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    arguments = ["pretrain", molecules, *SMALL_RUN, "-o", tmp_path / "run", "--resume"]
    done = run(*arguments, "--max-steps", 8)
    assert done.status == 0, done.err
    assert done.out.strip() == str(tmp_path / "run")
    assert "validation loss" in done.err

    again = run_here(monkeypatch, capsys, *arguments, "--max-steps", 10)
    assert again.status == 0, again.err
    assert "resumed from step-000000008" in again.err
    assert ExLM.from_pretrained(tmp_path / "run").embed(["CCO"]).shape == (1, 96)
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["steps"] == 10
    assert facts["corpus"]["files"] == ["zinc.smi"]


def test_text_with_a_tokenizer_of_hugging_face(word_tokenizer: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "text.txt").write_text("the cat sat on a mat\na dog ran on the mat\n" * 20)
    line = ["pretrain", tmp_path / "text.txt", *SMALL_RUN, "--tokenizer", word_tokenizer, "--evaluations", 1]
    line += ["--cache", tmp_path / "cache", "-o", tmp_path / "run", "--resume"]
    for steps in (2, 3):
        done = run_here(monkeypatch, capsys, *line, "--max-steps", steps)
        assert done.status == 0, done.err
        assert "texts to learn from" in done.err
    assert "resumed from step-000000002" in done.err
    assert ExLMForMaskedLM.from_pretrained(tmp_path / "run").config.vocab_size == 13
    facts = json.loads((tmp_path / "run" / "training.json").read_text())
    assert (facts["steps"], facts["options"]["scheme"]) == (3, "text")
    assert "An encoder of text" in (tmp_path / "run" / "README.md").read_text()

    assert run_here(monkeypatch, capsys, "models", "check", tmp_path / "run").status == 0
    assert "an encoder of text" in run_here(monkeypatch, capsys, "models", "show", tmp_path / "run").out
    for command in (["fill", "C[MASK]C"], ["embed", "CCO", "-o", tmp_path / "vectors.npz"]):
        refused = run_here(monkeypatch, capsys, *command, "--model", tmp_path / "run")
        assert refused.status == 1
        assert "reads text, not SMILES; use a model of molecules" in refused.err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["missing.smi"], 1, "missing.smi"),
        (["FILE", "--preset", "huge"], 2, "'huge' is not one of"),
        (["FILE", "--objective", "bert"], 2, "'bert' is not one of 'exlm', 'mlm'"),
        (["FILE", "--max-time", "soon"], 2, "'soon' is no time"),
        (["FILE", "--mask-ratio", "1.5"], 2, "--mask-ratio must be a number larger than 0"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], status: int, message: str, molecules: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    line = ["pretrain", *[molecules if a == "FILE" else a for a in arguments], "-o", tmp_path / "out"]
    result = run_here(monkeypatch, capsys, *line)
    assert result.status == status
    assert message in result.err
    assert "Traceback" not in result.err
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_directory_in_use_is_kept(molecules: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    result = run_here(monkeypatch, capsys, "pretrain", molecules, *SMALL_RUN, "-o", tmp_path)
    assert result.status == 1
    assert "is not empty; add --resume" in result.err
    assert [file.name for file in tmp_path.iterdir()] == ["precious.txt"]


def test_duration() -> None:
    assert [parse_duration(text) for text in ("90", "90s", "2m", "0.5h", "1d")] == [90, 90, 120, 1800, 86400]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        *(("--learning-rate " + value, 2) for value in ("nan", "inf", "-inf", "0", "-1", "1e999")),
        *(("--epochs " + value, 2) for value in ("nan", "inf", "0", "-2")),
        *(("--seed " + value, 2) for value in ("-1", "9" * 31)),
        *(("--device " + value, 2) for value in ("meta", "hpu", "cuda:0", "''")),
        *(("--batch-tokens " + value, 2) for value in ("0", "-5", "9" * 31)),
        ("--batch-tokens 10", 1),
        *(("--max-time " + value, 2) for value in ("-1", "nan", "1e5", "''")),
        *(("--valid " + value, 1) for value in ("nan", "-1", "1", "1-2", "missing.smi")),
        *((flag + " nan", 2) for flag in ("--ema", "--guided", "--unmasked", "--randomise", "--clip", "--mask-ratio")),
        ("--states 0", 2),
        ("--max-time 0", 2),
        ("--max-time " + "9" * 400, 2),
        ("--molecule-objective descriptors,logp", 2),
        ("--log paper", 2),
        ("--num-workers 100000", 2),
        ("--checkpoint-minutes nan", 2),
        ("--init-from nowhere", 1),
        ("--tokenizer nowhere", 1),
    ],
)
def test_hostile_values_are_one_sentence_before_any_work(
    arguments: str, status: int, molecules: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["pretrain", molecules, *shlex.split(arguments), "-o", "out", "--cache", tmp_path / "cache"]
    done = run_here(monkeypatch, capsys, *line)
    assert done.status == status
    *_, last = lines = done.err.splitlines()
    assert len(lines) == (1 if status == 1 else 4), lines
    assert arguments.split(maxsplit=1)[0] in last or arguments.split()[1] in last
    assert "unexpected" not in last
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_is_of_the_molecules_without_masks_too(molecules: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    tokens = []
    for more in ([], ["--unmasked", 0.9, "--consistency", 1], ["--unmasked", 0.9, "--molecule-objective", "ecfp"]):
        line = ["pretrain", molecules, *SMALL_RUN, *more, "--dry-run", "--cache", tmp_path / "cache"]
        done = run_here(monkeypatch, capsys, *line)
        assert done.status == 0, done.err
        (row,) = (row for row in done.out.splitlines() if row.startswith("tokens"))
        tokens.append(int(row.split()[1].replace(",", "")))
    assert tokens[1] == tokens[2] < tokens[0]


def test_all_options_of_the_class_are_flags() -> None:
    flags = {flag for parameter in load_command("pretrain").params for flag in parameter.opts}
    assert {one.flag for one in declared(PretrainingOptions)} <= flags


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"LOCAL_RANK": "junk"}, "the environment variable LOCAL_RANK is 'junk'"),
        ({"WORLD_SIZE": "2"}, "the environment variable WORLD_SIZE is 2"),
        ({"ACCELERATE_USE_CPU": "junk"}, "the environment variable ACCELERATE_USE_CPU is 'junk'"),
        ({"ACCELERATE_TORCH_DEVICE": "meta"}, "ACCELERATE_TORCH_DEVICE"),
    ],
)
def test_a_hostile_environment_is_one_sentence_before_any_work(
    variables: dict[str, str], message: str, dry: list[str], molecules: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)  # as in a new process: the environment is read once
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    line = ["pretrain", molecules, *SMALL_RUN, *dry, "-o", tmp_path / "out", "--cache", tmp_path / "c"]
    done = run_here(monkeypatch, capsys, *line)
    assert done.status == 1
    (sentence,) = done.err.splitlines()
    assert message in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_is_one_sentence(molecules: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "file").write_text("")
    line = ["pretrain", molecules, *SMALL_RUN, "-o", tmp_path / "out", "--cache", tmp_path / "file"]
    done = run_here(monkeypatch, capsys, *line)
    assert done.status == 1
    assert "prepared corpora cannot be kept in" in done.err
    assert not (tmp_path / "out").exists()

"""A run touches its directory only when nothing is left that could be refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.pretraining import run as run_module
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.pretraining.run import pretrain

OPTIONS = PretrainingOptions(preset="tiny", max_steps=1, batch_tokens=512, device="cpu", validation=0.0)


def content(directory: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_refused_resume_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    first, second = tmp_path / "a.smi", tmp_path / "b.smi"
    first.write_text("CCO\nCCN\nC1CC\n" * 10)
    second.write_text("CCO\nCCN\nC!C\n" * 20)
    run = pretrain([first], tmp_path / "run", OPTIONS, cache=tmp_path)
    before = content(run)
    with pytest.raises(ExLMError, match="was made from other molecules"):
        pretrain([second], run, OPTIONS, resume=True, cache=tmp_path)
    with pytest.raises(ExLMError, match="was made with another --tokenizer"):
        pretrain([first], run, replace(OPTIONS, scheme="atomwise"), resume=True, cache=tmp_path)
    assert content(run) == before


def test_a_refused_run_makes_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match="cannot be read"):
        pretrain([tmp_path / "missing.smi"], tmp_path / "run", OPTIONS, cache=tmp_path)
    (tmp_path / "none.smi").write_text("!!\n")
    with pytest.raises(ExLMError, match="no molecule to train on"):
        pretrain([tmp_path / "none.smi"], tmp_path / "run", OPTIONS, cache=tmp_path)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("changes", [{"batch_tokens": 10}, {"states": 256, "batch_tokens": 256}])
def test_a_batch_that_can_hold_nothing_is_refused_before_the_corpus_is_read(changes: dict, tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match=r"does not fit into --batch-tokens"):
        pretrain([tmp_path / "missing.smi"], tmp_path / "run", replace(OPTIONS, **changes), cache=tmp_path)


def test_a_corpus_too_small_for_validation_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.smi"
    file.write_text("CCO\nCCN\n")
    lines: list[str] = []
    run = pretrain([file], tmp_path / "run", OPTIONS, cache=tmp_path, log=lines.append)
    sentence = "No molecule is kept for validation, so no validation loss is measured; use a larger --valid, or a file."
    assert sentence in lines
    assert not any("nan" in line for line in lines)
    for name in ("run.json", "training.json"):
        facts = json.loads((run / name).read_text(), parse_constant=pytest.fail)
    assert facts["last_measurement"]["validation_loss"] is None
    assert "| validation loss | not measured (0 molecules kept apart) |" in (run / "README.md").read_text()


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"m\xff\n.smi")
    file.write_bytes(b"CCO\nCCN na\xffme\nbad\xff x\n")
    with pytest.raises(ExLMError, match=r"r\\udcff' is no UTF-8"):
        pretrain([file], tmp_path / os.fsdecode(b"r\xff"), OPTIONS, cache=tmp_path)
    assert list(tmp_path.iterdir()) == [file]
    run = pretrain([file], tmp_path / "run", OPTIONS, cache=tmp_path)
    assert json.loads((run / "training.json").read_text())["corpus"]["rejected"] == 1
    assert r"('m\udcff\n.smi')" in (run / "README.md").read_text()


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("multiplies", [True, False])
def test_bfloat16_that_is_emulated_is_said_to_be_slow(precision, multiplies, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(run_module, "processor_multiplies_bfloat16", lambda: multiplies)
    file = tmp_path / "a.smi"
    file.write_text("CCO\nCCN\n")
    lines: list[str] = []
    pretrain([file], tmp_path / "run", replace(OPTIONS, precision=precision), cache=tmp_path, log=lines.append)
    assert any("many times slower" in line for line in lines) == (precision == "bf16" and not multiplies)

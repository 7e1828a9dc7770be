"""Ablations: every variant can be made, and what is measured is measured on the same masks."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from exlm_chem.analysis import ablation
from exlm_chem.analysis.ablation import CHANGES, MEASURES, measure_ablation
from exlm_chem.analysis.options import AblationOptions
from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.pretraining.corpus_builder import text_hash
from exlm_chem.pretraining.initial_model import make_config
from exlm_chem.pretraining.options import PretrainingOptions
from exlm_chem.storage import read_json
from exlm_chem.tokenizer import ExLMTokenizer


@pytest.mark.parametrize("variant", CHANGES)
def test_a_variant_changes_what_it_says(variant: str) -> None:
    changes = CHANGES[variant]  # type: ignore[index]
    options = PretrainingOptions(preset="tiny", **changes)
    config = make_config(options, ExLMTokenizer())
    names = {"states": "num_states", "mask_ratio": None}
    for name, value in changes.items():
        found = names.get(name, name)
        assert found is None or getattr(config, found) == value


@pytest.fixture
def few(tmp_path: Path) -> Path:
    path = tmp_path / "few.smi"
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as file:
        path.write_text("".join(line for line, _ in zip(file, range(400), strict=False)), encoding="utf-8")
    return path


def test_a_variant_is_measured_and_kept(tmp_path: Path, few: Path) -> None:
    options = AblationOptions(variants=("k1",), passes=0.01, seeds=1, batch_tokens=1024)
    models, cache = tmp_path / "models", tmp_path / "cache"
    summary = measure_ablation([few], tmp_path / "ablation.png", options, models=models, cache=cache)
    assert list(summary) == ["k1"]
    assert set(summary["k1"]) == set(MEASURES)
    assert summary["k1"]["loss_per_masked_token"][0] > 0
    assert list(read_json(tmp_path / "ablation.json")["cells"]) == ["k1, seed 0"]
    assert ExLMForMaskedLM.from_pretrained(models / "k1-0").config.num_states == 1
    (tmp_path / "ablation.json").unlink()
    with pytest.raises(ExLMError, match=r"k1-0 is there, but not its numbers"):
        measure_ablation([few], tmp_path / "ablation.png", options, models=models, cache=cache)


def test_all_variants_are_measured_on_the_same_molecules(tmp_path: Path, few: Path, monkeypatch) -> None:
    share = 0.05 * 2**64
    long = next(text for text in ("C" * length for length in range(430, 900)) if text_hash(text) < share)
    few.write_text(few.read_text(encoding="utf-8") + long + "\n", encoding="utf-8")  # too long for eight states
    asked: list[NDArray[np.int64]] = []

    def measure(_model: ExLMForMaskedLM, ids: NDArray[np.int64], *_: object) -> dict[str, float]:
        asked.append(ids)
        return dict.fromkeys(MEASURES, 0.0)

    monkeypatch.setattr(ablation, "measure_model", measure)
    options = AblationOptions(variants=("k8", "mlm"), passes=0.01, seeds=1, batch_tokens=1024)
    measure_ablation([few], tmp_path / "ablation.png", options, cache=tmp_path / "cache")
    assert np.array_equal(*asked)
    few.write_text("C\n" + few.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ExLMError, match="from other molecules"):
        measure_ablation([few], tmp_path / "ablation.png", options, cache=tmp_path / "cache")


def test_equal_seconds_are_cpu_seconds_of_exlm(tmp_path: Path, few: Path) -> None:
    options = AblationOptions(variants=("mlm-equal-seconds",), passes=0.3, seeds=1, batch_tokens=1024)
    measure_ablation([few], tmp_path / "ablation.png", options, cache=tmp_path / "cache")
    cells = read_json(tmp_path / "ablation.json")["cells"]
    exlm, mlm, longer = (cells[f"{name}, seed 0"] for name in ("exlm", "mlm", "mlm-equal-seconds"))
    wanted = 0.3 * 379 * exlm["cpu_seconds"] / mlm["cpu_seconds"]  # of 400 lines 379 are learnt from
    assert wanted <= longer["molecules"] < wanted + 60  # the last batch is a whole one

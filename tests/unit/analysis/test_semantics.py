"""Repeated masked language models: what is repeated, what is lost, and a grid that goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exlm_chem.analysis.options import SemanticsOptions
from exlm_chem.analysis.semantics import Cell, measure_semantics
from exlm_chem.data import data_path
from exlm_chem.errors import ExLMError
from exlm_chem.storage import read_json
from exlm_chem.tokenizer import ExLMTokenizer

OPTIONS: dict[str, Any] = {"steps": 1, "batch": 2, "held_out": 40}


def test_every_token_but_the_ends_is_repeated_and_masked_by_itself() -> None:
    tokenizer = ExLMTokenizer()
    ids = tokenizer.pad([tokenizer.encode("CCO"), tokenizer.encode("N")])
    cell = Cell(ids, np.zeros((0, 2)), tokenizer, SemanticsOptions(**OPTIONS), copies=3, masked=0.5)
    repeated = cell.repeated(np.arange(2))
    assert tokenizer.decode(repeated[0]) == "CCCCCCOOO"
    assert tokenizer.decode(repeated[1]) == "NNN"
    masked, labels = cell.hidden(np.arange(2), np.random.default_rng(0))
    hidden = masked == tokenizer.mask_id
    assert 0 < hidden.sum() < 12
    assert (hidden == (labels >= 0)).all()
    assert (masked.where(~hidden, labels).numpy() == repeated).all()


def test_a_grid_goes_on_where_it_stopped(tmp_path: Path) -> None:
    molecules = data_path("zinc_20k.smi.gz").with_name("examples.csv")
    with pytest.raises(ExLMError, match="42 are needed"):
        measure_semantics(molecules, tmp_path / "grid.png", SemanticsOptions(**OPTIONS))
    few = tmp_path / "few.smi"
    few.write_text("\n".join("C" * (n % 9 + 1) + "O" * (n % 3) for n in range(60)), encoding="utf-8")
    said: list[str] = []
    first = SemanticsOptions(copies=(1,), masked=(0.3,), **OPTIONS)
    measure_semantics(few, tmp_path / "grid.png", first, log=said.append)
    one = read_json(tmp_path / "grid.json")["cells"]
    cells = measure_semantics(few, tmp_path / "grid.png", SemanticsOptions(copies=(1, 2), masked=(0.3,), **OPTIONS))
    assert list(cells) == ["1 copies, 0.3 masked", "2 copies, 0.3 masked"]
    assert cells["1 copies, 0.3 masked"] == one["1 copies, 0.3 masked"]
    assert cells["2 copies, 0.3 masked"]["lost"] == pytest.approx(0.09)
    assert (tmp_path / "grid.png").stat().st_size > 1000
    few.write_text("\n".join("N" * (n % 9 + 1) + "O" * (n % 3) for n in range(60)), encoding="utf-8")
    with pytest.raises(ExLMError, match="from other molecules"):
        measure_semantics(few, tmp_path / "grid.png", first)

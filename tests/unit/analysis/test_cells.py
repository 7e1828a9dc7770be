"""Cells are measured once, and never mixed with those of other settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from exlm_chem.analysis.cells import Cells
from exlm_chem.errors import ExLMError


def test_other_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cells.json"
    Cells(path, {"seed": 0, "masked": (0.1,)}).get("a", lambda: {"loss": 0.5})
    assert Cells(path, {"seed": 0, "masked": (0.1,)}).cells == {"a": {"loss": 0.5}}
    with pytest.raises(ExLMError, match="other settings"):
        Cells(path, {"seed": 1, "masked": (0.1,)})
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ExLMError, match="holds no cells"):
        Cells(path, {})

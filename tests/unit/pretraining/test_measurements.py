"""What a run says of itself."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from exlm_chem.pretraining.measurements import Measurement

NOTHING = {field.name: math.nan for field in fields(Measurement)} | {"step": 1, "molecules": 8, "infeasible": 0}


def test_without_validation_molecules_there_is_no_nan_to_read() -> None:
    known = dict.fromkeys(("train_loss", "molecules_per_second", "tokens_per_second", "gemm_share"), 1.0)
    text = str(Measurement(**NOTHING | known))
    assert "no molecules for validation" in text
    assert "nan" not in text


def test_the_picture_is_drawn_whatever_mplbackend_says(tmp_path: Path) -> None:
    code = (
        "import math, pathlib, os; from dataclasses import fields\n"
        "from exlm_chem.pretraining.measurements import Measurement, draw_history\n"
        "values = {field.name: 1.0 for field in fields(Measurement)}\n"
        f"draw_history([Measurement(**values)] * 2, pathlib.Path({str(tmp_path)!r}))\n"
        "assert os.environ['MPLBACKEND'] == 'junk'"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "MPLBACKEND": "junk"}, check=True, timeout=120)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")

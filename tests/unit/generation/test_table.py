"""Files of proposals."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.generation.infill import Infiller
from exlm_chem.generation.options import FillFileOptions
from exlm_chem.generation.table import fill_file


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text("valid,smiles\na,C[MASK]O\nb,CC\nc,\nd,c1ccc([MASK])cc1\n", encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_row_for_each_proposal(molecules: Path, tiny_predictors: Path, tmp_path: Path) -> None:
    infiller = Infiller.from_pretrained(tiny_predictors / "tiny", device="cpu")
    options = FillFileOptions(number=3, report=str(tmp_path / "page.html"), device="cpu")
    summary = fill_file(molecules, infiller, tmp_path / "out.csv", options, predictors=[tiny_predictors / "sol"])
    rows = rows_of(tmp_path / "out.csv")
    assert [row["valid"] for row in rows] == ["a"] * 3 + ["b", "c"] + ["d"] * 3
    assert [row["parent"] for row in rows if row["proposal"]] == ["C[MASK]O"] * 3 + ["c1ccc([MASK])cc1"] * 3
    assert "no mask: there is none in 'CC'" in rows[3]["error"]
    assert rows[4]["error"] == "no SMILES in this row"
    assert all((row["fill_valid"] == "yes") == bool(row["sol"]) for row in rows if row["proposal"])
    assert (summary.rows, summary.failed) == (4, 2)
    assert "filled by 6 proposals" in str(summary)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Proposals for masked places" in page


def test_rows_that_cannot_be_filled(molecules: Path, tiny_model: Path, tmp_path: Path) -> None:
    infiller = Infiller.from_pretrained(tiny_model, device="cpu")
    fill_file(molecules, infiller, tmp_path / "out.jsonl", FillFileOptions(number=1, on_invalid="skip"))
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    with pytest.raises(ExLMError, match=r"in\.csv, line 3: no mask"):
        fill_file(molecules, infiller, tmp_path / "none.csv", FillFileOptions(on_invalid="raise"))
    with pytest.raises(ExLMError, match="is the input, which is never written over"):
        fill_file(molecules, infiller, tmp_path / "none.csv", FillFileOptions(report=str(molecules)))
    assert not (tmp_path / "none.csv").exists()


def test_an_ended_run_goes_on_and_gives_the_same_file(
    molecules: Path, tiny_predictors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exlm_chem.generation.table.MOLECULES_AT_A_TIME", 1)
    infiller = Infiller.from_pretrained(tiny_predictors / "tiny", device="cpu")
    whole, out = tmp_path / "whole.csv", tmp_path / "out.csv"
    sol = [tiny_predictors / "sol"]
    told = fill_file(molecules, infiller, whole, FillFileOptions(number=3, device="cpu"), predictors=sol)
    options = FillFileOptions(number=3, device="cpu", resume=True)

    def end(rows: int) -> None:
        if rows == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_file(molecules, infiller, out, options, predictors=sol, progress=end)
    assert not out.exists()
    with pytest.raises(ExLMError, match=r"out\.csv\.part was begun with other options"):
        fill_file(molecules, infiller, out, replace(options, number=4), predictors=sol)
    with pytest.raises(ExLMError, match="was begun with other model or predictors"):
        fill_file(molecules, infiller, out, options)
    asked: list[str] = []
    fill = infiller.fill
    monkeypatch.setattr(infiller, "fill", lambda text, how: asked.append(text) or fill(text, how))
    again = fill_file(molecules, infiller, out, options, predictors=sol)
    assert asked == ["c1ccc([MASK])cc1"]  # the two before it are known, and one row is empty
    assert out.read_bytes() == whole.read_bytes()
    assert str(again) == str(told)
    assert not (tmp_path / "out.csv.part").exists()

"""Files as people have them, through the command line: see `tests.integration.field_cases`."""

import csv
import io
import json
from pathlib import Path

import pytest

from exlm_chem import Predictor
from tests.cli.runner import run_here
from tests.integration.field_cases import CASES, LABELS

FOLDER = Path(__file__).parents[1] / "data" / "field_cases"


@pytest.fixture(scope="module")
def predictor(tiny_predictors):
    return Predictor.from_pretrained(tiny_predictors / "pass", device="cpu")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_field_case(case, predictor, tiny_predictors, tmp_path, monkeypatch, capsys):
    file, out = FOLDER / case.name, tmp_path / "out.csv"
    if case.text:
        file = tmp_path / case.name
        file.write_bytes(case.text.encode() if isinstance(case.text, str) else case.text)
    done = run_here(monkeypatch, capsys, "predict", "--model", tiny_predictors / "pass", file, "-o", out, *case.options)
    if case.refused:
        assert (done.status, out.exists()) == (1, False)
        assert case.refused in done.err
        assert len(done.err.splitlines()) == 1
        return
    assert done.status == 0, done.err
    *told, summary = done.err.splitlines()
    assert len(told) == bool(case.told)
    assert case.told in done.err
    text = out.read_bytes().decode("utf-8", "surrogateescape")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == (*case.columns, "pass", "note", "error")
    for column, cells in (case.cells or {}).items():
        assert [row[header.index(column)] for row in rows] == cells
    if case.rows:
        _check_rows(case.rows, rows, predictor)
    assert summary.startswith(f"{len(rows)} row")


def _check_rows(expected, rows, predictor):
    assert len(rows) == len(expected)
    right = predictor.predict([one[1:] if one.startswith("=") else "" for one in expected])["pass"]
    for one, row, value in zip(expected, rows, right, strict=True):
        if one.startswith("="):
            assert row[-1] == ""
            assert float(row[-3]) == pytest.approx(value, rel=1e-4)
        else:
            assert row[-3] == ""
            assert one in row[-1]


@pytest.mark.parametrize("case", LABELS, ids=lambda case: f"{case.name} {' '.join(case.options)}".strip())
def test_labels_of_a_field_case(case, tiny_model, tmp_path, monkeypatch, capsys):
    # What the labels are is decided before a head sees them, so the quickest one is enough.
    head = ("--features", "exlm", *(() if "--head" in case.options else ("--head", "linear")))
    labels = (FOLDER / case.name, "--target", case.target, *case.options)
    args = (*labels, "--model", tiny_model, *head, "-o", tmp_path / "run")
    done = run_here(monkeypatch, capsys, "finetune", *args)
    assert done.status == bool(case.refused), done.err
    assert (case.refused or case.decided) in done.err
    assert (tmp_path / "run").exists() is not bool(case.refused)
    if not case.refused:
        assert case.decided in str(json.loads((tmp_path / "run" / "run.json").read_text("utf-8")))

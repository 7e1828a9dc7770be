"""What is said about a file on the command line, and what is told about it, is the same in every command."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.runner import run_here

FIELD_CASES = Path(__file__).parents[1] / "data" / "field_cases"


@pytest.fixture
def run(monkeypatch, capsys):
    return lambda *args: run_here(monkeypatch, capsys, *args)


def test_advice_that_is_followed_helps(run, tiny_predictors, tmp_path):
    predict = ("predict", "--model", tiny_predictors / "pass")
    for name, option, count in (("28_preamble.csv", "--header-line 3", 2), ("29_no_header.csv", "--header-line 0", 3)):
        refused = run(*predict, FIELD_CASES / name, "-o", tmp_path / "out.csv")
        assert (refused.status, list(tmp_path.iterdir())) == (1, [])
        assert f"give {option}" in refused.err
        done = run(*predict, FIELD_CASES / name, *option.split())
        assert done.status == 0
        rows = done.out.splitlines()[1:]
        assert len(rows) == count
        assert all(row.endswith(",") for row in rows)


def test_guesses_are_told_on_stderr_in_one_line(run, tiny_predictors, tiny_model, tmp_path):
    file = FIELD_CASES / "27_ligand_codes.csv"
    told = "27_ligand_codes.csv: the SMILES are read from column 'ligand_smiles'\n"
    assert told in run("predict", "--model", tiny_predictors / "pass", file).err
    assert told in run("embed", "--model", tiny_model, file, "-o", tmp_path / "v.npz").err
    assert told in run("tokenize", file).err
    for args in (("predict", "--model", tiny_predictors / "pass"), ("tokenize",)):
        assert "ligand_smiles" not in run(*args, file, "--smiles-column", "Ligand SMILES").err
        assert "ligand_smiles" not in run(*args, file, "--smiles-column", "ligand").err


def test_bytes_and_encodings(run, tiny_predictors, tmp_path):
    file, out = FIELD_CASES / "53a_gbk.csv", tmp_path / "out.csv"
    predict = ("predict", "--model", tiny_predictors / "pass", file, "-o", out)
    assert "line 1: not UTF-8; such bytes are kept as they are" in run(*predict).err
    lines = zip(out.read_bytes().splitlines(), file.read_bytes().splitlines(), strict=True)
    assert all(ours.startswith(theirs) for ours, theirs in lines)
    assert "UTF-8" not in run(*predict, "--encoding", "gbk").err
    assert out.read_text("utf-8").splitlines()[2].startswith("乙醇,CCO,")
    wrong = run(*predict, "--encoding", "klingon")
    assert wrong.status in {1, 2}
    assert "--encoding must be an encoding that Python knows" in wrong.err


def test_json_lines_keep_their_types(run, tiny_predictors):
    done = run("predict", "--model", tiny_predictors / "pass", FIELD_CASES / "47_lines.jsonl", "--json")
    assert [json.loads(line)["y"] for line in done.out.splitlines()] == [1, 2]


def test_a_workbook_is_predicted_as_the_table_in_it(run, tiny_predictors, tmp_path):
    table = pd.DataFrame({"id": ["a", "b", "c"], "SMILES": ["CCO", None, "C1CC"], "IC50": [1.5, 20, None]})
    table.to_csv(tmp_path / "in.csv", index=False)
    with pd.ExcelWriter(tmp_path / "in.xlsx") as file:
        pd.DataFrame({"who": ["J."]}).to_excel(file, sheet_name="About", index=False)
        table.to_excel(file, sheet_name="Data", index=False)
    predict = ("predict", "--model", tiny_predictors / "pass")
    plain, book = (
        run(*predict, tmp_path / name, *more) for name, *more in (("in.csv",), ("in.xlsx", "--sheet", "Data"))
    )
    rows = [list(csv.reader(done.out.splitlines())) for done in (plain, book)]
    assert [row[3:] for row in rows[0]] == [row[3:] for row in rows[1]]
    assert [row[:3] for row in rows[1]] == [
        ["id", "SMILES", "IC50"],
        ["a", "CCO", "1.5"],
        ["b", "", "20"],
        ["c", "C1CC", ""],
    ]
    assert "sheet 'Data' is read" in run(*predict, tmp_path / "in.xlsx").err

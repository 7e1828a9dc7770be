"""JSON Lines in and out."""

import io
import json
import pickle
import sys
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.tables.formats.json_lines import JsonCell
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.writers import open_writer

FIELD_CASE = Path(__file__).parents[2] / "data" / "field_cases" / "47_lines.jsonl"


def read(path):
    with MoleculeReader(path) as reader:
        return reader.columns, list(reader)


def test_every_line_is_a_row():
    columns, records = read(FIELD_CASE)
    assert columns == ["smiles", "y"]
    assert [(record.line, record.smiles, record.cells) for record in records] == [
        (1, "CCO", ["CCO", "1"]),
        (2, "CCN", ["CCN", "2"]),
    ]


def test_values_go_through_as_they_are(tmp_path):
    lines = ['{"id": 1.50, "smiles": "CCO", "ok": true, "no": null, "list": [1, "a", {"b": 2.5}]}', '{"smiles": "é"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    columns, records = read(tmp_path / "a.jsonl")
    rows = [record.cells for record in records]
    assert columns == ["id", "smiles", "ok", "no", "list"]
    assert rows[0] == ["1.50", "CCO", "true", "", '[1, "a", {"b": 2.5}]']
    for name in ("o.jsonl", "o.csv"):
        with open_writer(str(tmp_path / name), columns) as writer:
            writer.write(rows)
    written = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]
    assert written[0] == json.loads(lines[0])
    assert written[1] == {"id": None, "smiles": "é", "ok": None, "no": None, "list": None}
    assert (tmp_path / "o.csv").read_text("utf-8").splitlines()[1] == '1.50,CCO,true,,"[1, ""a"", {""b"": 2.5}]"'


def test_lines_that_are_no_objects_have_a_reason(tmp_path):
    deep, long = "[" * 100_000, '{"smiles": NaN, "n": 1' + "0" * 5000 + "}"
    lines = ['{"smiles": "C", "a": 1, "a": 2}', "", "[1]", "{broken", deep, long, ""]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    columns, records = read(tmp_path / "a.jsonl")
    assert columns == ["smiles", "a", "a_2", "n"]
    assert [record.line for record in records] == [1, 2, 3, 4, 5, 6]
    assert records[0].cells == ["C", "1", "2", ""]
    assert [bool(record.error) for record in records] == [False, False, True, True, True, False]
    assert "at position 1 of '{broken'" in records[3].error


def test_json_lines_under_other_names_and_from_stdin(tmp_path, monkeypatch):
    for name in ("a.json", "a.txt", "a", "a.ndjson"):
        (tmp_path / name).write_bytes(FIELD_CASE.read_bytes())
        assert len(read(tmp_path / name)[1]) == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FIELD_CASE.read_bytes())))
    assert [record.smiles for record in read(Path("-"))[1]] == ["CCO", "CCN"]


def test_no_objects(tmp_path):
    (tmp_path / "a.jsonl").write_text("CCO\n")
    with pytest.raises(ExLMError, match="holds no JSON object; each line should be one"):
        read(tmp_path / "a.jsonl")


def test_cells_can_be_sent_to_other_processes():
    cell = pickle.loads(pickle.dumps(JsonCell("1.50", 1.5)))  # noqa: S301
    assert (cell, cell.as_py()) == ("1.50", 1.5)


@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz", ".parquet", ".jsonl"])
def test_halves_of_characters_are_written_as_escapes(tmp_path, suffix):
    path, out = tmp_path / "a.jsonl", tmp_path / f"out{suffix}"
    path.write_text('{"smiles": "CCO", "name": "a\\ud800b"}\n')
    with MoleculeReader(path) as reader, open_writer(str(out), reader.columns) as writer:
        writer.write(record.cells for record in reader)
    with MoleculeReader(out) as reader:
        assert [record.cells[1] if suffix == ".jsonl" else str(record.cells[1]) for record in reader] == [
            "a\ud800b" if suffix == ".jsonl" else "a\\ud800b"
        ]


def test_a_table_that_cannot_be_finished_is_no_file(tmp_path):
    pytest.importorskip("pyarrow")
    with (
        pytest.raises(ValueError, match="1 year"),
        open_writer(str(tmp_path / "out.parquet"), ["age"], [int]) as writer,
    ):
        writer.write([["1 year"]])
    assert list(tmp_path.iterdir()) == []

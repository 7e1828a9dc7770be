"""Excel workbooks: what people see in a sheet is what is read."""

import datetime as dt
import gzip
import io
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exlm_chem.errors import ExLMError
from exlm_chem.tables.formats import workbook
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader

HEADER = ["name", "SMILES", "IC50"]


def written(path, **sheets):
    """Write sheets, each a list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def read(path, **options):
    with MoleculeReader(path, ReadOptions(**options)) as reader:
        return reader, list(reader)


def test_cells_are_what_is_seen(tmp_path):
    day, noon = (dt.datetime.fromisoformat(text) for text in ("2026-01-05", "2026-01-05 12:30"))
    rows = [
        ["SMILES", "whole", "real", "sum", "tiny", "yes", "day", "noon", "hour", "text", "error"],
        ["CCO", 5, 5.0, 0.1 + 0.2, 1e-7, True, day, noon, dt.time(8, 15), "=? \u00b5M", "#N/A"],
    ]
    reader, (record,) = read(written(tmp_path / "a.xlsx", S=rows))
    assert reader.columns == rows[0]
    seen = ["5", "5", "0.3", "1e-07", "TRUE", "2026-01-05", "2026-01-05 12:30:00", "08:15:00", "=? \u00b5M", "#N/A"]
    assert record.cells[1:9] == seen[:8]
    assert record.cells[10] == "#N/A"
    assert reader.form == {"format": "Excel workbook", "encoding": None, "sheet": "S", "header_line": 1}


def test_rows_have_the_numbers_of_excel(tmp_path):
    """A cell with two lines is in one row, an empty row is one, and those at the end are none."""
    header = ["the\nname", *HEADER[1:]]
    rows = [["a", "CCO", 1], ["two\nlines", "CCN", 2], [], ["b", None, 3], ["c", "CC", None, None, "far"]]
    reader, records = read(written(tmp_path / "a.xlsx", S=[header, *rows, [None], [" "] * 9]))
    assert [record.line for record in records] == [2, 3, 4, 5, 6]
    assert [record.smiles for record in records] == ["CCO", "CCN", "", "", "CC"]
    assert records[1].cells[0] == "two\nlines"
    assert [len(record.cells) for record in records] == [len(reader.columns)] * 5
    assert reader.columns == [*header, "", ""]
    _, records = read(written(tmp_path / "b.xlsx", S=rows[:2]), header_line=0)
    assert [(record.line, record.smiles) for record in records] == [(1, "CCO"), (2, "CCN")]


def test_a_row_beyond_the_columns_is_told(tmp_path):
    rows = [HEADER, *([f"m{n}", "C" * n, n] for n in range(1, 60)), ["x", "CCO", 1, "lost"]]
    _, records = read(written(tmp_path / "a.xlsx", S=rows))
    assert {record.error for record in records[:-1]} == {None}
    assert records[-1].error == "wrong number of cells: 4 in line 61, 3 in the header; without a column: 'lost'"


def test_names_of_columns_below_a_title(tmp_path):
    path = written(tmp_path / "a.xlsx", S=[[], ["SAR of series 3"], [], HEADER, ["a", "CCO", 1]])
    with pytest.raises(ExLMError, match=r"line 2 \('SAR of series 3,,'\) names no column of SMILES, but line 4 does"):
        read(path)
    _, (record,) = read(path, header_line=4)
    assert (record.line, record.cells) == (5, ["a", "CCO", "1"])
    _, (record,) = read(written(tmp_path / "b.xlsx", S=[[], [], HEADER, ["a", "CCO", 1]]))
    assert record.line == 4


def test_which_sheet(tmp_path):
    notes, data = [["made by", "J."], ["in", 2026]], [HEADER, ["a", "CCO", 1]]
    path = written(tmp_path / "a.xlsx", Notes=notes, Data=data, Empty=[])
    reader, records = read(path)
    assert len(records) == 1
    assert reader.notes == ["a.xlsx: sheet 'Data' is read, the only one with a column of SMILES"]
    assert read(path, sheet="Data")[0].notes == []
    with pytest.raises(ExLMError, match="has no sheet 'data 2'; it has 'Notes', 'Data', 'Empty'"):
        read(path, sheet="data 2")
    path = written(tmp_path / "b.xlsx", One=data, Two=[HEADER, ["b", "CCN", 2]])
    with pytest.raises(ExLMError, match="has the sheets 'One', 'Two'; name one of them with --sheet"):
        read(path)
    assert read(path, sheet="Two")[1][0].smiles == "CCN"
    path = written(tmp_path / "c.xlsx", One=[["structure", "y"], ["CCO", 1]], Two=[["x", "y"], ["a", 1]])
    assert read(path, smiles_column="Structure")[1][0].smiles == "CCO"
    path = written(tmp_path / "d.xlsx", One=data, Two=data)
    book = openpyxl.load_workbook(path)
    book["One"].sheet_state = "hidden"
    book.save(path)
    assert read(path)[0].notes == []
    with pytest.raises(ExLMError, match="has no sheet with anything in it"):
        read(written(tmp_path / "e.xlsx", One=[], Two=[[None]]))
    (tmp_path / "f.csv").write_text("smiles\nC\n")
    with pytest.raises(ExLMError, match=r"f.csv is no Excel workbook; leave --sheet away"):
        read(tmp_path / "f.csv", sheet="One")


def test_formulas_that_nobody_computed_are_told(tmp_path):
    path = written(tmp_path / "a.xlsx", S=[HEADER, ["a", "CCO", "=1+1"], ["b", "CCN", "=C2*2"], ["c", "CC", 3]])
    reader, records = read(path)
    assert [record.cells[2] for record in records] == ["", "", "3"]
    remedy = "open and save the workbook in Excel to compute them"
    assert reader.notes == [f"a.xlsx: 2 formulas have no value, the first in C2; {remedy}"]


def test_under_another_name_packed_and_through_stdin(tmp_path, monkeypatch):
    path = written(tmp_path / "a.csv", S=[HEADER, ["a", "CCO", 1]])
    (tmp_path / "b.xlsx.gz").write_bytes(gzip.compress(path.read_bytes()))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    for one in (path, tmp_path / "b.xlsx.gz", Path("-")):
        assert [record.smiles for record in read(one)[1]] == ["CCO"]


def test_what_is_no_workbook(tmp_path, monkeypatch):
    path = written(tmp_path / "a.xlsx", S=[HEADER, ["a", "CCO", 1]])
    content = path.read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.xlsx").write_text("smiles\nCCO\n")
    for name, part in (("a.zip", "a.csv"), ("b.xlsx", "xl/workbook.bin"), ("c.xlsx", "xl/workbook.xml")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(part, "smiles\nCCO\n")
    for name, message in (
        ("cut.xlsx", "is a damaged Excel workbook or zip archive; copy it again"),
        ("text.xlsx", "is a damaged Excel workbook or zip archive; copy it again"),
        ("a.zip", "is a zip archive; unpack it first"),
        ("b.xlsx", "is a binary Excel workbook"),
        ("c.xlsx", "is no Excel workbook, or is damaged: "),
    ):
        with pytest.raises(ExLMError, match=rf"{name} {message}"):
            read(tmp_path / name)
    monkeypatch.setattr(workbook, "_LARGEST", 100)
    with pytest.raises(ExLMError, match="has more than 100 bytes when it is unpacked; save the table as CSV"):
        read(path)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_texts_stay_as_they_are(tmp_path_factory, rows):
    rows = [[f"x{cell}" for cell in row] for row in rows]  # no formulas, and none that is empty to the eye
    path = tmp_path_factory.mktemp("any") / "a.xlsx"
    _, records = read(written(path, S=[["smiles", "text"], *rows]))
    assert [record.cells for record in records] == rows

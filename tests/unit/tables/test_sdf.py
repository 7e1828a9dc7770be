"""Data items of SDF: nothing is glued, swallowed or lost."""

import io
import os
import sys
import threading
from pathlib import Path

import pytest
from rdkit import Chem

from exlm_chem.errors import ExLMError
from exlm_chem.tables.reader import MoleculeReader

FIELD_CASES = Path(__file__).parents[2] / "data" / "field_cases"
BLOCK = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))


def read(path, smiles_column=None):
    with MoleculeReader(path, smiles_column) as reader:
        return reader.columns, list(reader), reader.notes


def items(folder, text, name="a.sdf"):
    """Read one molecule with this behind its block."""
    (folder / name).write_text(BLOCK + text, newline="")
    columns, records, _ = read(folder / name)
    assert len(records) == 1
    return dict(zip(columns[2:], records[0].cells[2:], strict=True)), records[0].error


def test_separator_lines_of_one_blank():
    columns, records, _ = read(FIELD_CASES / "01_separator_with_blank.sdf")
    assert columns == ["smiles", "name", "REGID", "COMMENT", "pIC50"]
    assert [record.cells for record in records] == [
        ["CCO", "m1", "38266", "Natural Product", "5.1"],
        ["c1ccccc1", "m2", "38267", "Synthetic", "6.2"],
    ]


def test_item_without_a_name():
    columns, records, _ = read(FIELD_CASES / "02_empty_property_name.sdf")
    assert columns == ["smiles", "name", "first", "unnamed", "third"]
    assert [record.cells[2:] for record in records] == [["value1", "2", "value3"], ["value1b", "3", "value3b"]]


def test_values_that_look_like_headers():
    columns, records, _ = read(FIELD_CASES / "03_qualifiers.sdf")
    assert columns == ["smiles", "name", "Compound", "IC50_uM", "Batch"]
    assert [record.cells[3:] for record in records] == [[">30", "A"], ["0.5", "B"], ["> 99", "C"]]


def test_blank_line_before_the_end_of_the_block():
    _, records, _ = read(FIELD_CASES / "05_blank_before_end.sdf")
    assert records[0].error == "unreadable molecule block: a blank line inside of the block (line 10)"
    assert [record.cells[2] for record in records] == ["1", "2"]


def test_names_that_are_ours_and_names_that_are_twice():
    path = FIELD_CASES / "08_property_smiles.sdf"
    columns, records, _ = read(path)
    assert columns == ["smiles", "sdf_name", "SMILES", "name", "id", "id_2"]
    assert records[0].cells == ["CCO", "m1", "C1CCCCC1", "ethanol", "1", "one"]
    assert records[0].smiles == "CCO"
    assert read(path, "SMILES")[1][0].smiles == "C1CCCCC1"


def test_odd_blocks_are_read_or_have_a_reason():
    _, records, _ = read(FIELD_CASES / "10_odd_blocks.sdf")
    assert [record.cells[2] for record in records] == list("1234567")
    assert all(record.smiles or record.error for record in records)
    assert "it has no structure" in records[5].error


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("> <a>\nx\n\ny\n\n> <b>\n1\n\n$$$$\n", {"a": "x\n\ny", "b": "1"}),
        ("> <a>\n\n> <b>\n1\n\n$$$$\n", {"a": "", "b": "1"}),
        ("> <a>\n\nx\n\n$$$$\n", {"a": "\nx"}),
        ("> <a>\r\nx\r\ny\r\n\r\n$$$$\r\n", {"a": "x\ny"}),
        ("> <a>\n> <b>\n\n$$$$\n", {"a": "> <b>"}),
        ("> <a>\nx\n", {"a": "x"}),
        (">  25  <MELTING.POINT> (MD-1)\n7\n\n> DT12\n8\n\n$$$$\n", {"MELTING.POINT": "7", "DT12": "8"}),
        ("> <a>\n1\n\n>5 not a header\n\n$$$$\n", {"a": "1\n\n>5 not a header"}),
        ("> <a>\n1\n\n> <a>\n2\n\n> <a_2>\n3\n\n$$$$\n", {"a": "1", "a_2_2": "2", "a_2": "3"}),
        ("\n\n> <a>\n1\n\n$$$$\n\n\n", {"a": "1"}),
    ],
)
def test_every_line_is_in_a_cell(tmp_path, text, right):
    assert items(tmp_path, text) == (right, None)


def test_text_of_no_item_is_told(tmp_path):
    found, error = items(tmp_path, "lost\n> <a>\n1\n\n$$$$\n")
    assert error == "text that belongs to no data item: 'lost' in line 11"
    assert found == {"a": "1"}


def test_headers_without_a_blank_line_before_are_told(tmp_path):
    (tmp_path / "a.sdf").write_text(BLOCK + "> <a>\n1\n> <b>\n2\n\n$$$$\n")
    columns, records, notes = read(tmp_path / "a.sdf")
    assert columns[2:] == ["a"]
    assert records[0].cells[2] == "1\n> <b>\n2"
    assert "a.sdf, line 13: '> <b>' belongs to the item before it" in notes[0]


def test_a_title_that_looks_like_a_header(tmp_path):
    (tmp_path / "a.sdf").write_text("> <x>" + BLOCK + "> <a>\n1\n\n$$$$\n")
    assert read(tmp_path / "a.sdf")[0] == ["smiles", "name", "a"]


def test_empty_records_and_no_end(tmp_path):
    (tmp_path / "a.sdf").write_text(f"{BLOCK}$$$$\n$$$$\n{BLOCK}")
    _, records, _ = read(tmp_path / "a.sdf")
    assert [(record.line, record.error is None) for record in records] == [(1, True), (12, False), (13, True)]


def test_sdf_by_its_content_and_single_blocks(tmp_path, monkeypatch):
    for name in ("a.txt", "a.mol", "b"):
        (tmp_path / name).write_text(BLOCK)
        assert read(tmp_path / name)[1][0].smiles == "CCO"
    text = f"{BLOCK}> <a>\n1\n\n$$$$\n".encode() * 9000
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    columns, records, _ = read(Path("-"))
    assert (columns, len(records)) == (["smiles", "name", "a"], 9000)


def test_sdf_through_a_pipe(tmp_path):
    pipe = tmp_path / "pipe.sdf"
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: pipe.write_text(f"{BLOCK}> <a>\n1\n\n$$$$\n" * 3000))
    thread.start()
    assert len(read(pipe)[1]) == 3000
    thread.join(timeout=10)


def test_no_sdf_at_all(tmp_path):
    (tmp_path / "a.sdf").write_text("smiles\nCCO\n")
    assert "no structure" in read(tmp_path / "a.sdf")[1][0].error
    with pytest.raises(ExLMError, match="no column 'x'"):
        read(tmp_path / "a.sdf", "x")

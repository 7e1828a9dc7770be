"""Text that is not UTF-8: bytes are kept, or read as the user says."""

from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.tables.columns import find_column
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.writers import open_writer

GBK = Path(__file__).parents[2] / "data" / "field_cases" / "53a_gbk.csv"


def read(path, encoding=None):
    with MoleculeReader(path, ReadOptions(encoding=encoding)) as reader:
        return reader.columns, [record.cells for record in reader], reader.notes


def test_bytes_come_out_as_they_were(tmp_path):
    columns, rows, notes = read(GBK)
    assert notes == [
        f"{GBK.name}, line 1: not UTF-8; such bytes are kept as they are, unless you name their --encoding"
    ]
    with open_writer(str(tmp_path / "out.csv"), columns) as writer:
        writer.write(rows)
    assert (tmp_path / "out.csv").read_bytes() == GBK.read_bytes()


def test_a_named_encoding_is_read():
    columns, rows, notes = read(GBK, "gbk")
    assert (columns, notes) == (["名称", "SMILES"], [])
    assert rows == [["阿司匹林", "CC(=O)Oc1ccccc1C(=O)O"], ["乙醇", "CCO"]]


def test_a_file_has_one_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"smiles,name\nC,\xc3\xa9\nN,caf\xe9 \x80 \x81\n")
    _, rows, notes = read(path)
    assert [row[1].encode("utf-8", "surrogateescape") for row in rows] == [b"\xc3\xa9", b"caf\xe9 \x80 \x81"]
    assert [note.partition(": ")[0] for note in notes] == ["a.csv, line 3"]
    assert read(path, "latin1")[1] == [["C", "Ã©"], ["N", "café \x80 \x81"]]
    with pytest.raises(ExLMError, match="line 3: bytes that are no cp1252; give another --encoding, or none"):
        read(path, "cp1252")
    with pytest.raises(ExLMError, match="line 3: bytes that are no utf-8"):
        read(path, "utf8")


def test_a_column_that_is_not_found_for_its_encoding_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("smiles,größe\nCCO,1\n".encode("cp1252"))
    columns, *_ = read(path)
    with pytest.raises(ExLMError, match="not in UTF-8: name its --encoding, such as cp1252"):
        find_column(columns, "größe", path.name)
    columns, *_ = read(path, "cp1252")
    assert find_column(columns, "größe", path.name) == 1
    with pytest.raises(ExLMError, match=r"its columns are: 'smiles', 'größe'$"):
        find_column(columns, "height", path.name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_mark_tells_the_encoding(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("smiles,größe\nCCO,1\n".encode(encoding))
    assert read(path) == (["smiles", "größe"], [["CCO", "1"]], [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_mark_is_no_text_where_the_encoding_is_named(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeffsmiles,größe\nCCO,1\n".encode(encoding))
    assert read(path, encoding) == (["smiles", "größe"], [["CCO", "1"]], [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("smiles,größe\nCCO,1\n".encode(encoding))
    notes = ["a.csv: taken for UTF-16, since every other byte is zero"]
    assert read(path) == (["smiles", "größe"], [["CCO", "1"]], notes)
    path.write_bytes("smiles\nCCO\n".encode(encoding)[:-1])
    with pytest.raises(ExLMError, match="no text in the encoding that it seems to have"):
        read(path)


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "", "idna\0"])
def test_names_that_are_no_encoding(name):
    with pytest.raises(ExLMError, match="--encoding must be an encoding that Python knows"):
        ReadOptions(encoding=name)

"""Files of molecules as people have them: odd encodings, odd rows, odd names."""

import gzip
import io
import os
import sys
from pathlib import Path

import pytest
import zstandard
from rdkit import Chem

from exlm_chem.errors import ExLMError
from exlm_chem.tables.reader import MoleculeReader, iter_smiles
from exlm_chem.tables.writers import open_writer


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path, smiles_column: str | None = None):
    with MoleculeReader([str(path)], smiles_column) as reader:
        return reader.columns, list(reader)


def fails(path: Path | str, smiles_column: str | None = None) -> str:
    with pytest.raises(ExLMError) as caught:
        read(Path(path), smiles_column)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_csv_keeps_every_cell(tmp_path):
    text = (
        "\ufeffid,smiles,error,id,note\r\n"
        '007,CCO,none,1.50,"a, b"\r\n'
        '008,,,NA,"two\r\nlines ""quoted"""\r\n'
        " 9 , C ,,,\r\n"
    )
    columns, records = read(write(tmp_path / "a.csv", text))
    assert columns == ["id", "smiles", "error", "id", "note"]
    assert [record.cells for record in records] == [
        ["007", "CCO", "none", "1.50", "a, b"],
        ["008", "", "", "NA", 'two\r\nlines "quoted"'],
        [" 9 ", " C ", "", "", ""],
    ]
    assert [record.line for record in records] == [2, 3, 5]
    assert [record.smiles for record in records] == ["CCO", "", " C "]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "name;SMILES\nx;CCO\n"),
        ("a.csv", "name\tSmiles\nx\tCCO\n"),
        ("a.tsv", "name\tCanonical SMILES\nx\tCCO\n"),
        ("a.txt", "name;smiles\nx;CCO\n"),
        ("a", "name,mol\nx,CCO\n"),
        ("a.csv", "name,compound_smiles_v2\nx,CCO\n"),
        ("a.csv", b"name,smiles\nx,CCO"),
        ("a.csv", b"name,smiles\rx,CCO\r"),
        ("a.csv", "name,smiles\nx,CCO\n".encode("utf-16")),
        ("a.csv.gz", gzip.compress(b"name,smiles\nx,CCO\n", mtime=0)),
        ("a.csv.gz", gzip.compress(b"name,smiles\n", mtime=0) + gzip.compress(b"x,CCO\n", mtime=0)),
        ("a.csv.zst", zstandard.compress(b"name,smiles\n") + zstandard.compress(b"x,CCO\n")),
        ("a.csv", gzip.compress(b"name,smiles\nx,CCO\n", mtime=0)),
    ],
)
def test_tables_of_all_kinds(tmp_path, name, data):
    _, records = read(write(tmp_path / name, data))
    assert [(record.cells[0], record.smiles) for record in records] == [("x", "CCO")]


def test_smi_with_the_names_first_is_asked_about(tmp_path):
    path = write(tmp_path / "a.smi", "1 CCO\n\nfirst c1ccccc1\n")
    assert fails(path).endswith("the second word of its lines is the SMILES, not the first; use --smiles-column name")
    assert [record.smiles for record in read(path, "name")[1] if record.smiles] == ["CCO", "c1ccccc1"]
    for unclear in (
        "1 CCO\n",
        "1 CCO\nx y\n",
        "1 CCO a\n2 CCC b\n",
        "1 CCO\nCC CCO\n",
    ):  # one line, or lines that speak against it
        assert len(read(write(tmp_path / "b.smi", unclear))[1]) == unclear.count("\n")


def test_smi_with_names_blank_lines_and_header(tmp_path):
    columns, records = read(write(tmp_path / "a.smi", "CCO ethyl alcohol\r\n\nC\tmethane\nN\n\n\n"))
    assert columns == ["smiles", "name"]
    assert [record.cells for record in records] == [["CCO", "ethyl alcohol"], ["", ""], ["C", "methane"], ["N", ""]]
    columns, records = read(write(tmp_path / "b.smi", "SMILES ID\nCCO 1\n"))
    assert columns == ["SMILES", "ID"]
    assert [record.cells for record in records] == [["CCO", "1"]]
    assert records[0].line == 2
    _, records = read(write(tmp_path / "list.txt", "CCO\nCCN\n"))
    assert [record.smiles for record in records] == ["CCO", "CCN"]


def test_blank_lines_of_a_csv_are_rows_except_at_the_end(tmp_path):
    _, records = read(write(tmp_path / "a.csv", "smiles,id\nC,1\n\nN,2\n\n\n"))
    assert [record.cells for record in records] == [["C", "1"], ["", ""], ["N", "2"]]
    assert [record.line for record in records] == [2, 3, 4]
    _, records = read(write(tmp_path / "b.csv", 'smiles\nC\n""\n'))
    assert [record.cells for record in records] == [["C"], [""]]


def test_ragged_rows_are_kept_and_reported(tmp_path):
    _, records = read(write(tmp_path / "a.csv", "id,smiles,x\n7\n1,N,2,lost,\n1,O,2,,\n2,F\n"))
    assert [record.cells for record in records] == [["7", "", ""], ["1", "N", "2"], ["1", "O", "2"], ["2", "F", ""]]
    assert [record.error for record in records] == [
        "wrong number of cells: 1 in line 2, 3 in the header",
        "wrong number of cells: 5 in line 3, 3 in the header; without a column: 'lost', ''",
        None,
        None,
    ]


def test_cell_of_a_million_characters(tmp_path):
    _, records = read(write(tmp_path / "a.csv", f"smiles,note\n{'C' * 1_000_000},x\nC,{'y' * 1_000_000}\n"))
    assert [len(cell) for record in records for cell in record.cells] == [1_000_000, 1, 1, 1_000_000]


def test_sdf_has_its_properties_as_columns(tmp_path):
    ethanol = Chem.MolFromSmiles("OCC")
    block = Chem.MolToMolBlock(ethanol)
    five_bonds = Chem.MolToMolBlock(Chem.MolFromSmiles("CN(C)(C)C", sanitize=False), kekulize=False)
    text = (
        f"first{block}>  <IC50>  (1)\n12.50\n\n>  <note>\ntwo\nlines\n\n$$$$\n"
        f"{five_bonds}>  <extra>\n1\n\n$$$$\n"
        "no molecule\n\n\nrubbish\n>  <IC50>\n7\n\n$$$$\n"
    )
    columns, records = read(write(tmp_path / "a.sdf.gz", gzip.compress(text.encode())))
    assert columns == ["smiles", "name", "IC50", "note", "extra"]
    assert records[0].cells == ["CCO", "first", "12.50", "two\nlines", ""]
    assert records[1].error == "impossible valence: atom 1 (N at position 1) has 4 bonds"
    assert records[1].cells[4] == "1"
    assert records[2].error == "unreadable molecule block: 'rubbish' is no counts line (line 40)"
    assert [record.line for record in records] == [1, 19, 37]
    assert records[2].cells == ["", "no molecule", "7", "", ""]


def test_parquet_keeps_its_types(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "smiles": pa.array(["CCO", None]).dictionary_encode(),
            "n": pa.array([1, None], pa.int16()),
            "when": pa.array([1234567890123456789, None], pa.timestamp("ns")),
            "list": pa.array([[1.5, 2.0], None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with MoleculeReader([str(tmp_path / "a.parquet")]) as reader:
        records = list(reader)
        for name in ("b.parquet", "b.csv", "b.jsonl"):
            with open_writer(str(tmp_path / name), reader.columns, reader.types) as writer:
                writer.write([record.cells for record in records])
    assert [record.smiles for record in records] == ["CCO", None]
    assert pq.read_table(tmp_path / "b.parquet").equals(table)
    assert (tmp_path / "b.csv").read_text() == (
        'smiles,n,when,list\nCCO,1,2009-02-13 23:31:30.123456789,"[1.5, 2.0]"\n,,,\n'
    )
    assert '"list": [1.5, 2.0]' in (tmp_path / "b.jsonl").read_text()


def test_stdin_and_arguments(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"id,smiles\n1,CCO\n", mtime=0))))
    _, records = read(Path("-"))
    assert [record.cells for record in records] == [["1", "CCO"]]
    with MoleculeReader(["CCO", "F/C=C/F", "C" * 5000, ""]) as reader:
        assert [record.line for record in reader] == [1, 2, 3, 4]


def test_faults_are_one_sentence_that_says_what_to_do(tmp_path):
    packed = gzip.compress(os.urandom(50_000).hex().encode())
    assert fails(write(tmp_path / "e.csv", "")).endswith("e.csv is empty; it should hold one molecule per line")
    assert fails(write(tmp_path / "b.csv", "\n\n")).endswith("is empty; its first line should name the columns")
    assert fails(write(tmp_path / "e.smi.gz", gzip.compress(b"", mtime=0))).endswith("one molecule per line")
    assert "ends too early" in fails(write(tmp_path / "t.smi.gz", packed[:-20_000]))
    assert "ends too early" in fails(write(tmp_path / "t.smi.zst", zstandard.compress(b"CCO\n" * 99)[:-3]))
    assert "does not decompress" in fails(write(tmp_path / "d.smi.gz", packed[:9000] + b"\0" * 50 + packed[9050:]))
    assert "is a damaged Excel workbook or zip archive" in fails(write(tmp_path / "x.xlsx", b"PK\x03\x04rest"))
    assert "is a damaged Excel workbook or zip archive" in fails(write(tmp_path / "x.csv", b"PK\x03\x04rest"))
    assert "no text file" in fails(write(tmp_path / "x.smi", b"CCO\0\1\2"))
    assert "is no Parquet file" in fails(write(tmp_path / "x.parquet", "smiles\nC\n"))
    assert "is a folder" in fails(tmp_path)
    assert "there is no file" in fails(tmp_path / "missing.csv")
    message = fails(write(tmp_path / "c.csv", "name,value\nx,1\n"))
    assert "its columns are: 'name', 'value'; choose one with --smiles-column" in message
    assert "has no column 'smi'; its columns are: 'name', 'value'" in fails(tmp_path / "c.csv", "smi")
    with pytest.raises(ExLMError, match="give one file, or only SMILES"):
        MoleculeReader([str(tmp_path / "c.csv"), "CCO"])


def test_smiles_column_by_name(tmp_path):
    path = write(tmp_path / "a.csv", "SMILES,product SMILES\nC,N\n")
    assert read(path)[1][0].smiles == "C"
    assert read(path, "product SMILES")[1][0].smiles == "N"
    assert read(path, "Product_smiles")[1][0].smiles == "N"


def test_iter_smiles_reads_several_files(tmp_path):
    one = write(tmp_path / "a.smi", "CCO x\n\nC y\n")
    two = write(tmp_path / "b.csv", "id,smiles\n1, N tail\n2,\n")
    rows = list(iter_smiles([one, str(two)]))
    assert [row[:3] for row in rows if row.error is None] == [
        (str(one), 1, "CCO"),
        (str(one), 3, "C"),
        (str(two), 2, "N"),
    ]
    assert [row[1:] for row in rows if row.error] == [(line, "", "no SMILES in this row") for line in (2, 3)]
    with pytest.raises(ExLMError, match="there is no file CCO"):
        list(iter_smiles(["CCO"]))


@pytest.mark.parametrize("name", ["o.csv", "o.csv.gz", "o.csv.zst", "o.tsv", "o.tsv.gz"])
def test_written_tables_read_back(tmp_path, name):
    rows = [["CCO", 'a "b", c\t;\r', " x "], ["", "\n", "\ufeff"]]
    with open_writer(str(tmp_path / name), ["smiles", "a", "a"]) as writer:
        writer.write(rows)
    columns, records = read(tmp_path / name)
    assert columns == ["smiles", "a", "a"]
    assert [record.cells for record in records] == rows
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_nothing_is_left_of_a_failed_run(tmp_path):
    target = write(tmp_path / "o.csv", "precious")

    def rows():
        yield ["CCO"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_writer(str(target), ["smiles"]) as writer:
        writer.write(rows())
    assert [path.name for path in tmp_path.iterdir()] == ["o.csv"]
    assert target.read_text() == "precious"


def test_writer_refuses_the_input_and_other_bad_places(tmp_path):
    source = write(tmp_path / "in.csv", "smiles\nC\n")
    (tmp_path / "link.csv").symlink_to(source)
    os.link(source, tmp_path / "hard.csv")
    for spelling in ("in.csv", "link.csv", "hard.csv", "../" + tmp_path.name + "/in.csv"):
        with (
            pytest.raises(ExLMError, match="is the input"),
            open_writer(str(tmp_path / spelling), ["smiles"], source=str(source)),
        ):
            pass
    for name, message in [("o.xlsx", "no known ending"), ("no/o.csv", "no folder"), ("", "is a folder")]:
        with pytest.raises(ExLMError, match=message), open_writer(str(tmp_path / name), ["smiles"]):
            pass
    assert source.read_text() == "smiles\nC\n"


def test_devices_are_written_and_not_replaced():
    with open_writer(os.devnull, ["smiles"]) as writer:
        writer.write([["C"]])
    assert not Path(os.devnull).is_file()

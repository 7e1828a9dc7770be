"""Tables of text as people have them: which separator, which header, which rows."""

import gzip
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader

FIELD_CASES = Path(__file__).parents[2] / "data" / "field_cases"


def read(path, options=None, wanted=()):
    with MoleculeReader(path, options, wanted) as reader:
        return reader.columns, list(reader), reader.notes


def read_text(folder, text, options=None, wanted=(), name="a.csv"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, options, wanted)


def fails(folder, text, options=None, name="a.csv"):
    with pytest.raises(ExLMError) as caught:
        read_text(folder, text, options, name=name)
    return str(caught.value)


def test_comma_in_the_header_of_a_table_with_semicolons():
    columns, records, notes = read(FIELD_CASES / "25_comma_in_header.csv")
    assert columns == ["ID", "SMILES", "Solubility, log(mol/L)"]
    assert [record.cells for record in records] == [["1", "CCO", "0,8"], ["2", "c1ccccc1", "-1,6"], ["3", "CCN", "0,9"]]
    assert [note.rpartition(": ")[2] for note in notes] == ["cells are separated by semicolons"]


def test_instruction_of_a_spreadsheet():
    columns, records, notes = read(FIELD_CASES / "24_sep_line.csv")
    assert columns == ["id", "smiles", "logS"]
    assert [(record.line, record.smiles) for record in records] == [(3, "CCO"), (4, "c1ccccc1")]
    assert notes == []


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("id|smiles|x\n1|CCO|a\n", ["id", "smiles", "x"]),
        ("id;smiles;a, b; c\n1;CCO;2;3\n", ["id", "smiles", "a, b", " c"]),
        ("my_smiles;x, y\nCCO;0,8\nCCN;0,9\n", ["my_smiles", "x, y"]),
        ('id,smiles,"a;b|c"\n1,CCO,2\n', ["id", "smiles", "a;b|c"]),
        ("smiles\nCCO\n", ["smiles"]),
        ("smiles\tname, trivial\nCCO\tspirit, clear\n", ["smiles", "name, trivial"]),
        ('"sep=\\t"\nsmiles\tx\nCCO\t1\n', ["smiles", "x"]),
        ("SEP=|\nsmiles|x\nCCO|1\n", ["smiles", "x"]),
        ("sep=^\nsmiles^x\nCCO^1\n", ["smiles", "x"]),
    ],
)
def test_the_separator_that_gives_a_column_of_smiles(tmp_path, text, columns):
    assert read_text(tmp_path, text)[0] == columns
    assert read_text(tmp_path, text, name="a.tsv")[0] == columns
    assert read_text(tmp_path, text.encode("utf-16"), name="list.txt")[0] == columns
    assert read_text(tmp_path, gzip.compress(text.encode()), name="a")[0] == columns


def test_the_separator_that_gives_the_wanted_columns(tmp_path):
    text = "smiles;a,b\nCCO;1,2\nCCN;3,4\n"
    assert read_text(tmp_path, text, wanted=["a,b"])[0] == ["smiles", "a,b"]
    text = "structure,x;y\nCCO,1;2\n"
    assert read_text(tmp_path, text, "structure", ["x;y"])[0] == ["structure", "x;y"]


def test_last_cells_that_a_spreadsheet_leaves_out():
    _, records, _ = read(FIELD_CASES / "23_excel_short_rows.csv")
    assert [record.error for record in records] == [None] * 5
    assert [record.cells[2:] for record in records] == [
        ["0.8", "ok"],
        ["-3.8", ""],
        ["1.0", ""],
        ["-1.6", ""],
        ["0.9", "ok"],
    ]


def test_preamble(tmp_path):
    path = FIELD_CASES / "28_preamble.csv"
    with pytest.raises(ExLMError, match=r"line 1 \('Assay export .*but line 3 does; give --header-line 3 "):
        read(path)
    columns, records, _ = read(path, ReadOptions(header_line=3))
    assert columns == ["id", "smiles", "logS"]
    assert [record.line for record in records] == [4, 5]
    assert [record.cells for record in records] == [["1", "CCO", "0.8"], ["2", "c1ccccc1", "-1.6"]]
    assert "give --header-line 4 " in fails(tmp_path, "Export\n\nby me; today\nid;Ligand SMILES\n1;CCO\n")
    assert "give --header-line 2 " in fails(tmp_path, "report\nid,structure\n1,CCO\n", "structure")
    assert "a.csv has no column '0'; its columns are" in fails(tmp_path, "smiles,id\nCN,0\nCCN,1\n", "0")  # a place


def test_no_header(tmp_path):
    path = FIELD_CASES / "29_no_header.csv"
    for options in (None, "structure"):
        with pytest.raises(ExLMError, match="line 1 is a row of data, with the molecule 'CCO'; give --header-line 0"):
            read(path, options)
    with pytest.raises(ExLMError, match="'CCO' in line 1 is a molecule and no name of a column; give --header-line 0"):
        read(path, "CCO")
    columns, records, _ = read(path, ReadOptions(header_line=0))
    assert columns == ["smiles", "column_2"]
    assert [(record.line, record.smiles) for record in records] == [(1, "CCO"), (2, "c1ccccc1"), (3, "CCN")]
    assert read(path, ReadOptions(header_line=1, smiles_column="CCO"))[0] == ["CCO", "0.8"]
    assert "give --header-line 0" in fails(tmp_path, "1;CCO\n2;c1ccccc1\n", name="list.txt")
    assert "give --header-line 0" in fails(tmp_path, "ZINC1\tCCO\t1\nZINC2\tc1ccccc1\t2\n", name="a.tsv")
    columns, records, _ = read_text(tmp_path, "CCO,CCN\nCC,CN\n", ReadOptions(header_line=0, smiles_column="column_2"))
    assert [record.smiles for record in records] == ["CCN", "CN"]
    assert "has no line 9" in fails(tmp_path, "a\nb\n", ReadOptions(header_line=9))
    assert "line 2 names no columns" in fails(tmp_path, "smiles\n,,\nC,,\n", ReadOptions(header_line=2))


def test_an_open_quote_costs_one_row(tmp_path):
    _, records, _ = read_text(tmp_path, 'id,smiles\n5" pipe,C\n1,"N\n2,O\n3,"F\n4,"two\nlines"\n5,"Br"\n6,I\n7,"Cl')
    assert [(record.line, record.cells[0], record.smiles) for record in records] == [
        (2, '5" pipe', "C"),
        (3, "1", '"N'),
        (4, "2", "O"),
        (5, "3", '"F'),
        (6, "4", "two\nlines"),
        (8, "5", "Br"),
        (9, "6", "I"),
        (10, "7", '"Cl'),
    ]
    told = "open quote: never closed in line {}; take it out, or double it inside of quotes"
    assert [record.error for record in records if record.error] == [told.format(line) for line in (3, 5, 10)]


def test_an_open_quote_does_not_fill_the_memory(tmp_path):
    text = 'smiles,x\nC,"open\n' + "N,1\n" * 30_000 + 'O,"end"\n'
    _, records, _ = read_text(tmp_path, text)
    assert len(records) == 30_002
    assert records[-1].cells == ["O", "end"]
    assert [record.line for record in records if record.error] == [2]


def test_smi_files_that_are_tables_and_have_headers(tmp_path):
    assert read_text(tmp_path, "smiles,zinc_id\nCCO,Z1\n", name="a.smi")[0] == ["smiles", "zinc_id"]
    columns, records, _ = read_text(tmp_path, "smiles\tid\tlogp\nCCO\tZ1\t1\n", name="a.smi")
    assert (columns, records[0].cells) == (["smiles", "id", "logp"], ["CCO", "Z1", "1"])
    assert read_text(tmp_path, "CanonicalSMILES ID\nCCO 1\n", name="a.smi")[0] == ["CanonicalSMILES", "ID"]
    assert len(read_text(tmp_path, "ID X\nCCO 1\n", ReadOptions(header_line=1), name="a.smi")[1]) == 1
    columns, records, _ = read_text(tmp_path, "a list\nsmiles id\nCCO 1\n", ReadOptions(header_line=2), name="a.smi")
    assert (columns, [record.line for record in records]) == (["smiles", "id"], [3])
    assert len(read_text(tmp_path, "smiles 1\nCCO 1\n", ReadOptions(header_line=0), name="a.smi")[1]) == 2


def test_lines_are_counted_in_one_way(tmp_path):
    text = '\n\nsmiles,x\r\n"C","a\nb"\n\nN,1\n'
    assert [record.line for record in read_text(tmp_path, text)[1]] == [4, 6, 7]
    assert [record.line for record in read_text(tmp_path, "C\n\nN\n\n\nO\n\n", name="a.smi")[1]] == [1, 2, 3, 4, 5, 6]

"""Damaged tables and SDF: whatever a file holds, there is one record per row or one sentence, and nothing is lost."""

import contextlib
import io
import random
import re
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from exlm_chem.errors import ExLMError
from exlm_chem.tables.reader import MoleculeReader, iter_smiles

FIELD_CASES = Path(__file__).parents[1] / "data" / "field_cases"
PIECES = [b'"', b",", b";", b"\t", b"|", b"\n", b"\r", b"\n\n", b"\xff", b"\0", b"sep=;\n", b'""', b" ", b"smiles"]
SDF_PIECES = [b"> <a>\n", b">", b"M  END\n", b"$$$$\n", b"\n", b" \n", b"\r", b"\xe9", b"> <>\n", b"M  V30 ", b"-"]
TABLES = sorted(FIELD_CASES.glob("*.csv")) + sorted(FIELD_CASES.glob("*.jsonl"))
SDFS = sorted(FIELD_CASES.glob("*.sdf"))


def damaged(data, chance, pieces):
    """Damage a file at up to four places."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([0, 0, 1, 3, 30]))
        new = chance.choice([b"", chance.choice(pieces), chance.randbytes(2), data[start:end] * 2])
        data = data[:start] + new + data[end:]
    return data


def read(path):
    """Read a file; None if it is refused in a sentence."""
    try:
        with MoleculeReader(path) as reader:
            records = list(reader)
    except ExLMError as error:
        message = str(error)
    else:
        return checked(path, reader, records)
    assert message.isprintable()
    assert path.name in message
    return None


def checked(path, reader, records):
    """Check what holds for every file."""
    assert all(note.isprintable() or max(note) >= "\udc80" for note in reader.notes)
    assert all(len(record.cells) == len(reader.columns) for record in records)
    lines = [record.line for record in records]
    assert lines == sorted(set(lines))
    assert [row.line for row in iter_smiles([path])] == lines
    return records


def text_lines(data):
    """Split into lines as every reader does, without the blank ones at the end."""
    lines = re.split(rb"\r\n|\n|\r", data)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TABLES), st.integers(0, 2**32), st.sampled_from([".csv", ".tsv", ".txt", ".smi", ".jsonl"]))
def test_damaged_tables(file, seed, suffix):
    data = damaged(file.read_bytes(), random.Random(seed), PIECES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{suffix}"
        path.write_bytes(data)
        records = read(path)
    if records and b'"' not in data:
        assert [record.line for record in records] == list(range(records[0].line, records[-1].line + 1))
        assert records[-1].line >= len(text_lines(data))  # rows of blank cells may follow


@settings(max_examples=75, deadline=None)
@given(st.sampled_from(SDFS), st.integers(0, 2**32))
def test_damaged_sdf(file, seed):
    data = damaged(file.read_bytes(), random.Random(seed), SDF_PIECES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "molecules.sdf"
        path.write_bytes(data)
        records = read(path)
    if records is None:
        return
    lines = text_lines(data)
    ends = sum(line.startswith(b"$$$$") for line in lines)
    assert len(records) == ends + (not lines[-1].startswith(b"$$$$"))
    assert all(record.smiles or record.error for record in records)


NAME = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=8) | st.sampled_from(
    ["smiles", "name", "a<b", "a>b", "(1)", "M  END", "DT12", " ", "$$$$"]
)
VALUE = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
    | st.sampled_from([">30", "> <x>", ">  <IC50>  (1)", "M  END", " ", "", "-", "\t", ">"]),
    max_size=3,
).map("\n".join)

NO_VALUE = re.compile(r"^\$\$\$\$|^\s*\n>.*<.*>|^\s*\n>.*DT|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", re.MULTILINE)
"""What SDF cannot hold: the end of a molecule, the beginning of the next item, line ends of Python alone."""


def as_lines(value):
    """Give a value without what SDF cannot hold: how lines end, and blank ones at its end."""
    return re.sub(r"\s+\Z", "", re.sub(r"\r\n|\r", "\n", value))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(NAME, VALUE, max_size=4), min_size=1, max_size=3))
def test_sdf_of_rdkit_comes_back(molecules):
    written, text = [], io.StringIO()
    with Chem.SDWriter(text) as writer, rdBase.BlockLogs():
        for properties in molecules:
            molecule = Chem.MolFromSmiles("CCO")
            kept = {}
            for name, value in properties.items():
                if name.startswith("_") or NO_VALUE.search(value):
                    continue
                molecule.SetProp(name, value)
                if "\n\n" not in value:  # which RDKit leaves out
                    kept[name] = value
            writer.write(molecule)
            written.append(kept)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.sdf"
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        with MoleculeReader(path) as reader:
            columns, records = reader.columns, list(reader)
    assert [record.error for record in records] == [None] * len(molecules)
    for record, kept in zip(records, written, strict=True):
        cells = dict(zip(columns[2:], record.cells[2:], strict=True))
        assert {name: as_lines(cells[name]) for name in kept} == {name: as_lines(value) for name, value in kept.items()}
        assert not any(cells[name] for name in cells.keys() - kept.keys())


@pytest.mark.parametrize(
    ("suffix", "row", "count"),
    [
        (".csv", "CCO,x\n", 100_000),
        (".smi", "CCO x\n", 100_000),
        (".jsonl", '{"smiles": "CCO"}\n', 50_000),
        (".sdf", Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")) + "> <a>\nx\n\n$$$$\n", 3_000),
    ],
)
def test_memory_does_not_grow_with_the_file(tmp_path, suffix, row, count):
    resource = pytest.importorskip("resource")
    path = tmp_path / f"a{suffix}"
    path.write_text(("smiles,x\n" if suffix == ".csv" else "") + row * count)
    with contextlib.closing(MoleculeReader(path)) as reader:
        records = iter(reader)
        next(records)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert 1 + sum(1 for _ in records) == count
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown / (1024 if sys.platform == "darwin" else 1) < 8_000  # kilobytes

"""Files that are no table of molecules are refused with what helps, whatever their names are."""

import io
import os
import sys
from pathlib import Path

import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.tables.reader import MoleculeReader


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", b'[{"smiles": "CCO"}]', "is a JSON document; write one object per line (.jsonl)"),
        ("a.json", b'{\n "smiles": ["CCO"]}', "is a JSON document"),
        ("a.csv", b'[\n{"smiles": "CCO"}]', "is a JSON document"),
        ("a.ipynb", b'{"cells": []}', "is a notebook; "),
        ("a.mol2", b"@<TRIPOS>MOLECULE", "is a structure file; convert it to .smi or .sdf"),
        ("a.pdb", b"HEADER", "is a structure file"),
        ("a.inchi", b"InChI=1S/CH4/h1H4", "is a file of InChI; convert it"),
        ("a.xlsx", b"PK\3\4", "is a damaged Excel workbook or zip archive; copy it again"),
        ("a.pkl", b"\x80\4N.", "is a pickle, which may run code"),
        ("a.csv.bz2", b"BZh91AY&SY\xff", "is compressed by bzip2; unpack it first"),
        ("a.smi", b"<!DOCTYPE html>\n<html>", "is a web page or XML document; download the table itself"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid x\n", "only a pointer of Git LFS"),
        ("a.txt", b"%PDF-1.7\n", "is a PDF document"),
        ("a.csv", b"\x93NUMPY\1", "is a NumPy array"),
        ("a.smi", b"CCO\0\1\2", "is no text file"),
    ],
)
def test_the_remedy_fits(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    for given in ([str(tmp_path / name)], tmp_path / name):
        with pytest.raises(ExLMError, match=r"^[^\n]*$") as caught:
            MoleculeReader(given)
        assert message in str(caught.value)


@pytest.mark.parametrize("name", ["a.json", "a.inchi", "a.csv", "a.jsonl", "a.mol"])
def test_a_missing_file_is_no_smiles(name):
    with pytest.raises(ExLMError, match=f"there is no file {name}"):
        MoleculeReader([name])


def test_parquet_under_another_name_and_through_stdin(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table.csv"
    pq.write_table(pa.table({"structure": [b"CCO"], "n": [1]}), path)
    for given in (path, Path("-")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        with MoleculeReader(given) as reader:
            assert [record.smiles for record in reader] == ["CCO"]
            assert len(reader.notes) == 1


def test_closed_stdin_and_names_that_are_none(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ExLMError, match="stdin is closed"):
        MoleculeReader(["-"])
    with pytest.raises(ExLMError, match="is no name of a file"):
        MoleculeReader(Path("a\0b.csv"))
    with pytest.raises(ExLMError, match=f"{os.devnull} is empty"):
        MoleculeReader([os.devnull])

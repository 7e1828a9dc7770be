"""Any table of strings comes back cell for cell (a NUL is the sign of a file that is no text)."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.writers import open_writer

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["", " ", ",", ";", "\t", '"', '""', "\r", "\n", "\r\n", "\ufeff", "=1+1", "0012", "NaN"]
)


@st.composite
def tables(draw):
    width = draw(st.integers(0, 4))
    row = st.lists(CELL, min_size=width + 1, max_size=width + 1)
    return ["smiles", *draw(st.lists(CELL, min_size=width, max_size=width))], draw(st.lists(row, max_size=5))


@settings(deadline=None)
@given(tables(), st.sampled_from([".csv", ".tsv", ".csv.gz", ".csv.zst"]))
def test_every_table_comes_back(table, suffix):
    columns, rows = table
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / f"table{suffix}")
        with open_writer(path, columns) as writer:
            writer.write(rows)
        with MoleculeReader([path]) as reader:
            assert reader.columns == columns
            assert [record.cells for record in reader] == rows
            assert all(record.error is None for record in reader)

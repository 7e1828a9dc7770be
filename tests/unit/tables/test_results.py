"""The rows of a result: what is wrong with them, what is noted, what is counted."""

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.smiles.molecule import read_molecule
from exlm_chem.tables.addition import Addition
from exlm_chem.tables.answers import Answers, Reading
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader
from exlm_chem.tables.result_options import ResultOptions
from exlm_chem.tables.results import ResultTable

TABLE = """smiles,id
CCO ethanol,1
C1CC,2
C,3,lost
[CH3:1]O |$;$|,4
InChI=1S/CH4O/c1-2/h2H,1H3,
CC(=O)[O-].[Na+],6
"""


def lengths(rules=("none",), names=("len",)):
    """Something that answers every molecule with the length of its text, as several readers."""
    calls = []

    def answer(smiles):
        calls.append(list(smiles))
        readings = [
            Reading(name, rule, [read_molecule(one, rule) for one in smiles])
            for name, rule in zip(names, rules, strict=True)
        ]
        values = [[len(one.smiles) if one.error is None else np.nan for one in each.molecules] for each in readings]
        return Answers(np.array(values, dtype=np.float32).T, readings)

    columns = [("length", name, float) for name in names]
    made = Addition(
        name=names[0],
        columns=columns,
        rules=rules,
        begin=lambda smiles, _: lambda: answer(smiles),
        answered="measured",
        unanswered="not measured",
    )
    return made, calls


def rows_of(tmp_path, text, addition, **options):
    path = tmp_path / "in.csv"
    path.write_text(text, encoding="utf-8")
    with MoleculeReader(path, "smiles") as reader:
        table = ResultTable(reader, addition, ResultOptions(**options))
        return table, [row for rows in table for row in rows]


@pytest.mark.parametrize("chunk_size", [1, 2, 5, 6, 1000])
def test_reasons_and_notes_reach_their_rows_and_the_summary(tmp_path, chunk_size):
    addition, calls = lengths()
    table, rows = rows_of(tmp_path, TABLE, addition, chunk_size=chunk_size)
    assert table.columns == ["smiles", "id", "length", "note", "error"]
    assert [row[:2] for row in rows] == [line.split(",")[:2] for line in TABLE.splitlines()[1:]]
    aside = "text after the SMILES was left aside: "
    assert [row[3] for row in rows] == [
        f"{aside}'ethanol'",
        *(None, None),
        f"{aside}'|$;$|'; atom map numbers were cleared",
        *(None, None),
    ]
    assert [row[4] is None for row in rows] == [True, False, False, True, False, True]
    assert [bool(np.isnan(row[2])) for row in rows] == [False, True, True, False, True, False]
    assert [one for call in calls for one in call][2] is None  # a row that is wrong as a row is not read
    text = str(table.summary)
    assert text.startswith("6 rows, 3 measured, 3 not measured (1 not SMILES, 1 wrong number of cells, 1 this is an ")
    assert text.endswith("; in 2 rows, text after the SMILES was left aside; in 1 row, atom map numbers were cleared")


def test_what_a_cell_was_converted_from_is_noted(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('smiles\n"InChI=1S/CH4O/c1-2/h2H,1H3"\nInChI=1S/x\n', encoding="utf-8")
    addition, _ = lengths()
    with MoleculeReader(path, ReadOptions(convert=True)) as reader:
        table = ResultTable(reader, addition, ResultOptions())
        first, second = (row for rows in table for row in rows)
    assert first[1:] == [2.0, "converted from InChI", None]
    assert second[2:] == [None, "RDKit cannot read this InChI"]
    assert str(table.summary).endswith("; in 1 row, converted from InChI")


def test_skip_leaves_out_and_counts_all_the_same(tmp_path):
    _, rows = rows_of(tmp_path, TABLE, lengths()[0], on_invalid="skip", chunk_size=2)
    assert [row[1] for row in rows] == ["1", "4", "6"]
    table, _ = rows_of(tmp_path, TABLE, lengths()[0], on_invalid="skip")
    assert (table.summary.rows, table.summary.failed) == (6, 3)


def test_raise_says_where(tmp_path):
    with pytest.raises(ExLMError, match=r"in\.csv, line 3: not SMILES at position 1: ring closure 1 is never closed"):
        rows_of(tmp_path, TABLE, lengths()[0], on_invalid="raise")


def test_several_readers(tmp_path):
    addition, _ = lengths(("none", "parent", "fragment"), ("a", "b", "c"))
    table, rows = rows_of(tmp_path, "smiles,length,note\nCC(=O)[O-].[Na+],7,mine\nC(,,\n", addition)
    assert table.columns == [
        *("smiles", "length", "note", "a_length", "b_length", "c_length"),
        *("smiles_used_parent", "smiles_used_fragment", "a_note", "error"),
    ]
    assert rows[0][3:] == [16, 7, 10, "CC(=O)O", "CC(=O)[O-]", None, None]
    assert rows[1][-1].startswith("not SMILES")  # all say the same, once
    assert table.summary.reasons == {"not SMILES": 1}


def test_readers_that_do_not_agree_are_named(tmp_path):
    def answer(smiles):
        return Answers(
            np.full((len(smiles), 1), np.nan, np.float32),
            [
                Reading("same", "none", [read_molecule("C") for _ in smiles]),
                Reading("same", "none", [read_molecule("") for _ in smiles]),
            ],
        )

    made = Addition(
        name="x",
        columns=[("x", "x", float)],
        rules=["none"],
        begin=lambda smiles, _: lambda: answer(smiles),
        answered="",
        unanswered="",
    )
    _, rows = rows_of(tmp_path, "smiles,id\nC,1\n", made)
    assert rows[0][-1] == "same: no SMILES in this row"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"on_invalid": "drop"}, "--on-invalid must be one of flag, skip, raise, not 'drop'"),
        ({"chunk_size": 0}, "--chunk-size must be a whole number of at least 1"),
        ({"chunk_size": int("9" * 31)}, "--chunk-size must be a whole number of at least 1 and of at most 10000000"),
        ({"chunk_size": float("nan")}, "--chunk-size must be a whole number"),
        ({"device": "meta"}, "there is no device 'meta'; choose auto, cpu"),
        ({"device": ""}, "there is no device ''; choose auto, cpu"),
        ({"device": None}, "--device must be a text"),
    ],
)
def test_options_that_cannot_be(options, sentence):
    with pytest.raises(ExLMError) as caught:
        ResultOptions(**options)
    assert str(caught.value).startswith(sentence)

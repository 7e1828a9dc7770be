"""Predict and embed on any table: one row out for each row in, its cells as they were, numbers that only it decides."""

import csv
import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.embedding.table import embed_file
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors.loading import load_predictors
from exlm_chem.predictors.predictor import predict_all
from exlm_chem.smiles.molecule import read_molecule

MOLECULES = [
    *("CCO", "OCC", "c1ccccc1O", " CCN ", "CC(=O)[O-].[Na+]", "C[C@H](N)C(=O)O", "C" * 40),
    *("CCO ethanol", "[CH3:1]O", "C |$;$| x", "[H][H]"),
    *("", "C1CC", "C(C", "CC O", "InChI=1S/CH4/h1H4", "C" * 300, "\u00fc", "X"),
]
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["", " ", ",", "\t", '"', "\r", "\n", "\r\n", "\ufeff", "=1+1", "0012", "1.50", "-0.0", "NaN", "null", "1e999"]
)
FORMATS = (".csv", ".tsv", ".jsonl", ".parquet", ".npz")
NAMES = ("note", "error", "exlm_0", "pass", "vectors", "smiles_used")


@st.composite
def tables(draw):
    names = draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
    row = st.tuples(st.sampled_from(MOLECULES), *[CELL] * (len(names) + 1))
    return ["smiles", "id", *names], [list(one) for one in draw(st.lists(row, max_size=9))]


OF_OPTIONS = st.fixed_dictionaries({"chunk_size": st.sampled_from([1, 2, 3, 4, 1000])})
OF_BATCHES = st.fixed_dictionaries({"batch_size": st.integers(1, 4), "batch_tokens": st.sampled_from([None, 1, 60])})
ONE = ["CCO", "x"]
BAD = ["C1CC", ""]


def write(path, columns, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([columns, *rows])


def read_back(path, before=2):
    """Give the rows of a result, which has so many columns of the input before ours."""
    if path.suffix == ".jsonl":
        return [list(json.loads(line).values()) for line in path.read_text("utf-8").split("\n")[:-1]]
    if path.suffix == ".parquet":
        pq = pytest.importorskip("pyarrow.parquet")
        columns = [column.to_pylist() for column in pq.read_table(path).columns]
        return [list(row) for row in zip(*columns, strict=True)]
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            texts = [arrays[name].tolist() for name in arrays if name != "vectors"]
            rows = zip(*texts, arrays["vectors"].tolist(), strict=True)
            return [[*row[:before], *row[-1], *row[before:-1]] for row in rows]
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ","))[1:]


def numbers(cells):
    return np.array([np.nan if cell in ("", None) else float(cell) for cell in cells], dtype=np.float64)


def check(rows, found, expected, tolerance):
    """Check rows against the table they came from, and against what each molecule gives alone."""
    assert len(found) == len(rows)
    for row, cells in zip(rows, found, strict=True):
        assert cells[: len(row)] == row
        wanted, note, error = expected(row[0])
        values, texts = cells[len(row) :][: len(wanted)], cells[-2:]
        np.testing.assert_allclose(numbers(values), wanted, rtol=tolerance, atol=tolerance)
        assert "-0.0" not in map(str, values)
        assert [text or None for text in texts] == [note, error]


@pytest.fixture(scope="module")
def embedder(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu")


@pytest.fixture(scope="module")
def predictors(tiny_predictors):
    return load_predictors([tiny_predictors / name for name in ("pass", "sol", "salt")], "cpu")


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from(FORMATS), OF_OPTIONS, OF_BATCHES)
@example((["smiles", "id"], []), ".npz", {"chunk_size": 1}, {})
@example((["smiles", "id"], [ONE]), ".parquet", {"chunk_size": 1}, {})
@example((["smiles", "id"], [ONE] * 5), ".jsonl", {"chunk_size": 4}, {"batch_size": 1})
@example((["smiles", "id"], [BAD, ONE, BAD, BAD]), ".tsv", {"chunk_size": 3}, {})
@example((["smiles", "id"], [BAD] * 3), ".npz", {"chunk_size": 2}, {})
def test_embed(embedder, table, suffix, options, batches):
    @cache
    def alone(cell):
        one = embedder.read(cell)
        return embedder.embed_inputs([one])[0], one.molecule.note, one.molecule.error

    columns, rows = table
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / f"out{suffix}"
        write(source, columns, rows)
        summary = embed_file(source, embedder, target, EmbeddingOptions(**options, **batches))
        found = read_back(target, len(columns))
    check(rows, found, alone, 1e-5)
    assert summary.rows == len(rows)
    assert summary.failed == sum(read_molecule(row[0]).error is not None or len(row[0]) > 250 for row in rows)


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from(FORMATS[:-1]), OF_OPTIONS)
@example((["smiles", "id"], []), ".csv", {"chunk_size": 1})
@example((["smiles", "id"], [ONE] * 3), ".csv", {"chunk_size": 2})
@example((["smiles", "error"], [BAD, ONE, BAD]), ".jsonl", {"chunk_size": 2})
def test_predict(predictors, table, suffix, options):
    @cache
    def alone(cell):
        made = predict_all(predictors, [cell])
        notes = dict.fromkeys(one.molecules[0].note for one in made)
        values = np.hstack([one.values[0] for one in made])
        return values, "; ".join(filter(None, notes)) or None, made[0].molecules[0].error

    columns, rows = table
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / f"out{suffix}"
        write(source, columns, rows)
        summary = predict_file(source, predictors, target, PredictionOptions(**options))
        found = read_back(target)
    check(rows, found, alone, 1e-4)
    assert summary.rows == len(rows)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_thousand_times_the_same_molecule(embedder, predictors, tmp_path, suffix, monkeypatch):
    reads = []
    read = ExLM.read
    monkeypatch.setattr(ExLM, "read", lambda self, *cell: reads.append(cell) or read(self, *cell))
    rows = [["CCO", str(number)] for number in range(1001)]
    write(tmp_path / "in.csv", ["smiles", "id"], rows)
    embed_file(tmp_path / "in.csv", embedder, tmp_path / f"out{suffix}", EmbeddingOptions(chunk_size=1000))
    assert len(reads) == 2  # once for each chunk
    found = read_back(tmp_path / f"out{suffix}")
    assert [row[:2] for row in found] == rows
    assert len({tuple(row[2:]) for row in found}) == 1
    if suffix != ".npz":
        predict_file(tmp_path / "in.csv", predictors, tmp_path / f"out{suffix}")
        found = read_back(tmp_path / f"out{suffix}")
        assert [row[:2] for row in found] == rows
        assert len({tuple(row[2:]) for row in found}) == 1


CELLS_OF_JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CELL


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(MOLECULES), CELLS_OF_JSON | st.lists(st.integers())), min_size=1, max_size=5))
def test_values_of_json_lines_stay_as_they_are(embedder, rows):
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        lines = [json.dumps({"smiles": smiles, "value": value}) for smiles, value in rows]
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        embed_file(source, embedder, target, EmbeddingOptions(chunk_size=2))
        assert [tuple(row[:2]) for row in read_back(target)] == rows

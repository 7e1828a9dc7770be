"""The molecules of a call, whatever they came in."""

from collections import deque
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from exlm_chem import ExLM, ExLMTransformer
from exlm_chem.errors import ExLMError
from exlm_chem.smiles.containers import molecules_in

SMILES = ["CCO", "CCN", "c1ccccc1"]
COLUMN = pd.DataFrame({"smiles": SMILES}, index=[7, 8, 9])

GOOD = {
    "list": SMILES,
    "tuple": tuple(SMILES),
    "array": np.array(SMILES),
    "objects": np.array(SMILES, dtype=object),
    "column array": np.array(SMILES)[:, None],
    "series": COLUMN["smiles"],
    "categories": COLUMN["smiles"].astype("category"),
    "index": pd.Index(SMILES),
    "table": COLUMN,
    "lists of one": [[one] for one in SMILES],
    "tuples of one": [(one,) for one in SMILES],
    "arrays of one": [np.array([one]) for one in SMILES],
    "values of a table": COLUMN.to_numpy(),
    "series of lists": pd.Series([[one] for one in SMILES]),
    "keys": dict.fromkeys(SMILES).keys(),
    "deque": deque(SMILES),
    "molecules": [Chem.MolFromSmiles(one) for one in SMILES],
    "bytes": [one.encode() for one in SMILES],
    "array of bytes": np.array(SMILES, dtype="S"),
}
BAD = {
    "table": (pd.DataFrame({"a": SMILES, "b": SMILES}), r"not as a table of 2 \(a, b\); pass one: table\['smiles'\]"),
    "no column": (pd.DataFrame(index=[1, 2]), "not as a table of 0"),
    "matrix": (np.array([SMILES, SMILES]), r"not as an array of shape \(2, 3\)"),
    "row": (np.array([SMILES]), r"not as an array of shape \(1, 3\)"),
    "cube": (np.zeros((2, 1, 1)), r"not as an array of shape \(2, 1, 1\)"),
    "dict": ({"smiles": SMILES}, "not as dict"),
    "set": (set(SMILES), "not as set"),
    "none": (None, "not as NoneType"),
    "number": (3.5, "not as float"),
    "path": (Path("a.csv"), "read the file first"),
    "lists of two": ([["CCO", 1.0], ["CCN", 2.0]], "row 0 holds 2"),
    "mixed": ([["CCO"], "CCN"], "row 1 is not"),
    "empty inside": ([["CCO"], []], "row 1 holds 0"),
}


@pytest.fixture(scope="module")
def embedder(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu")


@pytest.mark.parametrize("name", GOOD)
def test_everything_of_one_dimension(name, embedder):
    np.testing.assert_array_equal(embedder.embed(GOOD[name]), embedder.embed(SMILES))


def test_iterators_and_single_molecules(embedder):
    expected = embedder.embed(SMILES)
    np.testing.assert_array_equal(embedder.embed(iter(SMILES)), expected)
    np.testing.assert_array_equal(embedder.embed(one for one in SMILES), expected)
    for one in ("CCO", b"CCO", Chem.MolFromSmiles("CCO"), np.array("CCO"), np.str_("CCO")):
        assert embedder.embed(one).shape == (1, 64)
        np.testing.assert_allclose(embedder.embed(one), expected[:1], atol=1e-6)
    for nothing in ([], (), np.array([]), pd.Series([], dtype=object), COLUMN[:0], np.empty((0, 1))):
        assert embedder.embed(nothing).shape == (0, 64)


@pytest.mark.parametrize("name", BAD)
def test_all_else_is_refused_in_a_sentence(name, embedder, tiny_model):
    container, reason = BAD[name]
    for function in (molecules_in, embedder.embed, ExLMTransformer(tiny_model, device="cpu").transform):
        with pytest.raises(ExLMError, match=f"molecules are expected as one column.*{reason}"):
            function(container)


def test_suppliers_of_rdkit_give_all_their_molecules():
    supplier = Chem.SmilesMolSupplierFromText("CCO a\nCCN b\n", titleLine=False)
    assert [Chem.MolToSmiles(one) for one in molecules_in(supplier)] == ["CCO", "CCN"]


def test_arrow(embedder):
    pa = pytest.importorskip("pyarrow")
    expected = embedder.embed(SMILES)
    for container in (pa.array(SMILES), pa.chunked_array([SMILES[:1], SMILES[1:]]), pa.table({"s": SMILES})):
        np.testing.assert_array_equal(embedder.embed(container), expected)
    with pytest.raises(ExLMError, match="not as a table of 2"):
        embedder.embed(pa.table({"s": SMILES, "t": SMILES}))


def test_cells_that_are_no_molecules_are_told(embedder):
    assert [embedder.read(cell).molecule.error for cell in (3, None, np.nan)] == [
        "neither text nor an RDKit molecule, but int",
        "no SMILES in this row",
        "no SMILES in this row",
    ]
    with pytest.raises(ExLMError, match=r"molecule 1 \('3'\) has no vector: neither text"):
        embedder.embed(["CCO", 3], on_invalid="raise")


def test_predictions_keep_the_index_of_tables():
    from exlm_chem import Predictor

    predictor = Predictor.from_pretrained("esol", device="cpu")
    expected = predictor.predict(SMILES)
    for container in (COLUMN, COLUMN["smiles"]):
        table = predictor.predict(container)
        assert list(table.index) == [7, 8, 9]
        assert table.reset_index(drop=True).equals(expected)
    with pytest.raises(ExLMError, match="not as a table of 2"):
        predictor.predict(COLUMN.assign(label=1))

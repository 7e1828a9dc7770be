"""Vectors for whole files."""

import numpy as np
import pandas as pd
import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.embedding.table import embed_file
from exlm_chem.errors import ExLMError
from exlm_chem.tables.arrays import vectors_in

TABLE = 'id,smiles,note\n1,CCO,"a, b"\n2,C1CC,ü\n3,,\n1,OCC,\n5,c1ccccc1,x\n'


@pytest.fixture(scope="module")
def embedder(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def expected(embedder):
    return embedder.embed(["CCO", "C1CC", None, "OCC", "c1ccccc1"])


def check(table, expected, atol=1e-6):
    names = [f"exlm_{index}" for index in range(64)]
    assert list(table.columns) == ["id", "smiles", "note", *names, "exlm_note", "error"]
    np.testing.assert_allclose(table[names].astype(np.float32), expected, atol=atol)
    assert table["id"].astype(str).tolist() == ["1", "2", "3", "1", "5"]
    assert [isinstance(one, str) for one in table["error"]] == [False, True, True, False, False]


@pytest.mark.parametrize("chunk_size", [1, 4, 1000])
def test_tables(embedder, source, expected, tmp_path, chunk_size):
    for name in ("out.csv", "out.csv.gz", "out.parquet"):
        summary = embed_file(source, embedder, tmp_path / name, EmbeddingOptions(chunk_size=chunk_size))
        assert str(summary) == "5 rows, 3 with a vector, 2 without (1 not SMILES, 1 no SMILES in this row)"
        read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
        check(read(tmp_path / name), expected)
    assert pd.read_parquet(tmp_path / "out.parquet")["exlm_0"].dtype == np.float32


@pytest.mark.parametrize("chunk_size", [2, 1000])
def test_arrays(embedder, source, expected, tmp_path, chunk_size):
    embed_file(source, embedder, tmp_path / "out.npy", EmbeddingOptions(chunk_size=chunk_size))
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-6)
    embed_file(source, embedder, tmp_path / "out.npz", EmbeddingOptions(chunk_size=chunk_size))
    with np.load(tmp_path / "out.npz") as arrays:
        assert list(arrays) == ["vectors", "id", "smiles", "note", "exlm_note", "error"]
        np.testing.assert_allclose(arrays["vectors"], expected, atol=1e-6)
        assert arrays["id"].tolist() == ["1", "2", "3", "1", "5"]
        assert arrays["note"].tolist() == ["a, b", "ü", "", "", "x"]
        assert arrays["error"][1].startswith("not SMILES at position 1")


def test_fewer_bits(embedder, source, expected, tmp_path):
    for name in ("half.npy", "half.csv", "half.parquet"):
        embed_file(source, embedder, tmp_path / name, EmbeddingOptions(dtype="float16"))
    half = expected.astype(np.float16)
    assert np.load(tmp_path / "half.npy").dtype == np.float16
    np.testing.assert_allclose(np.load(tmp_path / "half.npy"), half, atol=5e-3)
    tables = [pd.read_parquet(tmp_path / "half.parquet"), pd.read_csv(tmp_path / "half.csv")]
    assert tables[0]["exlm_0"].dtype == np.float16
    for table in tables:
        check(table, half, atol=5e-3)
    embed_file(source, embedder, tmp_path / "whole.npz", EmbeddingOptions(dtype="int8", chunk_size=2))
    with np.load(tmp_path / "whole.npz") as arrays:
        assert list(arrays)[:3] == ["vectors", "scale", "id"]
        assert arrays["vectors"].dtype == np.int8
        assert (arrays["vectors"][1:3] == -128).all()
        np.testing.assert_allclose(vectors_in(arrays), expected, atol=float(arrays["scale"].max()) * 0.51)
    for name in ("out.csv", "out.npy"):
        with pytest.raises(ExLMError, match=r"--dtype int8 needs a \.npz"):
            embed_file(source, embedder, tmp_path / name, EmbeddingOptions(dtype="int8"))
        assert not (tmp_path / name).exists()


def test_rows_without_a_molecule(embedder, source, tmp_path):
    summary = embed_file(source, embedder, tmp_path / "out.npz", EmbeddingOptions(on_invalid="skip"))
    assert (summary.rows, summary.failed) == (5, 2)
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["id"].tolist() == ["1", "1", "5"]
        assert np.isfinite(arrays["vectors"]).all()
    with pytest.raises(ExLMError, match=r"in.csv, line 3: not SMILES"):
        embed_file(source, embedder, tmp_path / "none.npz", EmbeddingOptions(on_invalid="raise"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.npz"]


def test_no_rows(embedder, tmp_path):
    (tmp_path / "in.csv").write_text("smiles\n", encoding="utf-8")
    for name in ("out.npz", "out.npy", "out.csv", "out.parquet"):
        assert embed_file(tmp_path / "in.csv", embedder, tmp_path / name).rows == 0
    assert np.load(tmp_path / "out.npy").shape == (0, 64)
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["vectors"].shape == (0, 64)
        assert arrays["smiles"].shape == (0,)


def test_names_that_are_taken(embedder, tmp_path):
    (tmp_path / "in.csv").write_text("smiles,error,exlm_0,vectors\nC,mine,7,9\n", encoding="utf-8")
    embed_file(tmp_path / "in.csv", embedder, tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    assert table.loc[0, ["error", "exlm_0"]].tolist() == ["mine", 7]
    assert {"exlm_error", "exlm_exlm_0", "exlm_1"} <= set(table.columns)
    embed_file(tmp_path / "in.csv", embedder, tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as arrays:
        assert list(arrays) == ["vectors", "smiles", "error", "exlm_0", "vectors_2", "note", "exlm_error"]


def test_input_is_never_written_over(embedder, tmp_path):
    (tmp_path / "in.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "in.npz").symlink_to(tmp_path / "in.csv")
    for name in ("in.csv", "in.npz"):
        with pytest.raises(ExLMError, match="never written over"):
            embed_file(tmp_path / "in.csv", embedder, tmp_path / name)
    assert (tmp_path / "in.csv").read_text(encoding="utf-8") == TABLE
    for name, message in (("nowhere/out.npz", "there is no folder"), ("out.txt", "no known ending")):
        with pytest.raises(ExLMError, match=message):
            embed_file(tmp_path / "in.csv", embedder, tmp_path / name)

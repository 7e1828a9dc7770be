import csv
from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from rdkit.DataStructs import TanimotoSimilarity

from exlm_chem.analysis import search
from exlm_chem.analysis.library import read_library
from exlm_chem.analysis.search import Searcher, SearchOptions
from exlm_chem.analysis.search_table import search_file
from exlm_chem.data import data_path
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.table import embed_file
from exlm_chem.errors import ExLMError
from exlm_chem.tables.read_options import ReadOptions
from tests.unit.smiles.nasty import cyclodextrin


@pytest.fixture(scope="module")
def encoder(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu")


@pytest.fixture(scope="module")
def written(encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    for name in ("v.npz", "v.csv", "v.parquet", "v.npy"):
        embed_file(data_path("examples.csv"), encoder, folder / name)
    return folder


@pytest.mark.parametrize("name", ["v.npz", "v.csv", "v.parquet"])
def test_every_file_that_embed_writes_is_a_library(written, encoder, name):
    library = read_library(written / name)
    assert len(library.rows) == len(library.vectors) == 24  # five of the examples are no molecules
    assert library.columns[:2] == ["name", "smiles"]
    np.testing.assert_allclose(np.linalg.norm(library.vectors, axis=1), 1, atol=1e-5)
    found = Searcher(library, encoder, SearchOptions(number=3)).search(library.smiles)
    assert [hits[0].row for hits in found] == list(range(24))
    assert all(hits[0].cosine > 0.9999 and hits[0].tanimoto == 1 for hits in found)


def test_the_nearest_are_those_of_all_pairs(written, encoder):
    library = read_library(written / "v.npz")
    asked = "CC(=O)Oc1ccccc1C(=O)OC"
    vector = encoder.embed([asked])[0]
    cosines = library.vectors @ (vector / np.linalg.norm(vector))
    generator = GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(Chem.MolFromSmiles(one)) for one in [asked, *library.smiles]]
    likeness = np.array([TanimotoSimilarity(prints[0], one) for one in prints[1:]])
    for by, score in (("embedding", cosines), ("tanimoto", likeness), ("both", (cosines + likeness) / 2)):
        (hits,) = Searcher(library, encoder, SearchOptions(number=5, by=by)).search([asked])
        assert [hit.row for hit in hits] == np.argsort(-score, kind="stable")[:5].tolist()
        np.testing.assert_allclose([hit.cosine for hit in hits], cosines[[hit.row for hit in hits]], atol=1e-5)


def test_an_index_is_made_kept_and_belongs_to_one_library(written, encoder, tmp_path):
    library = read_library(written / "v.npz")
    options = SearchOptions(number=3, index=str(tmp_path / "a.usearch"))
    exact = Searcher(library, encoder, SearchOptions(number=3)).search(library.smiles[:5])
    for _ in range(2):
        assert Searcher(library, encoder, options).search(library.smiles[:5]) == exact
    (tmp_path / "two.csv").write_text("smiles\nCCO\nCCN\n")
    embed_file(tmp_path / "two.csv", encoder, tmp_path / "two.npz")
    with pytest.raises(ExLMError, match="is no index of"):
        Searcher(read_library(tmp_path / "two.npz"), encoder, options)
    turned = replace(library, rows=library.rows[::-1], vectors=library.vectors[::-1])
    with pytest.raises(ExLMError, match="is no index of"):  # as many molecules, and others in its rows
        Searcher(turned, encoder, options)


def test_a_bad_molecule_costs_its_own_row(written, encoder, tmp_path):
    page = tmp_path / "page.html"
    summary = search_file(
        ["CCO", "xyz"],
        written / "v.npz",
        encoder,
        tmp_path / "out.csv",
        SearchOptions(number=2, report=str(page)),
    )
    assert str(summary).startswith("2 rows, 1 searched, 1 not searched (1 not SMILES")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["smiles"], row["rank"]) for row in rows] == [("CCO", "1"), ("CCO", "2"), ("xyz", "")]
    assert rows[0]["found_smiles"]
    assert "not SMILES" in rows[2]["error"]
    assert "Nearest molecules in v.npz" in page.read_text()


def test_what_is_no_library_is_one_sentence(written, encoder, tmp_path):
    with pytest.raises(ExLMError, match="vectors without their molecules"):
        read_library(written / "v.npy")
    with pytest.raises(ExLMError, match="has no columns exlm_0"):
        read_library(data_path("examples.csv"))
    assert len(read_library(data_path("examples.csv"), encoder=encoder).rows) == 24
    with pytest.raises(ExLMError, match="does not exist"):
        read_library(tmp_path / "nothing.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    with pytest.raises(ExLMError, match=r"is no \.npz that exlm-chem embed wrote"):
        read_library(tmp_path / "broken.npz")
    np.savez(tmp_path / "single.npz", vectors=np.ones((1, 2), np.float32), smiles=np.array(7))
    with pytest.raises(ExLMError, match=r"is no \.npz that exlm-chem embed wrote"):
        read_library(tmp_path / "single.npz")
    (tmp_path / "excel.csv").write_text('smiles,exlm_0,exlm_1\nCCO,"0,5",1\n')
    with pytest.raises(ExLMError, match=r"excel\.csv, line 2: no vector .*0,5.*; embed the molecules again"):
        read_library(tmp_path / "excel.csv")
    with pytest.raises(ExLMError, match="are not those of this model"):
        Searcher(read_library(written / "v.npz"), ExLM.from_pretrained("exlm-small", "cpu"))
    with pytest.raises(ExLMError, match="--index is one of embeddings"):
        SearchOptions(by="tanimoto", index="a")


def test_columns_of_the_library_keep_their_types(encoder, tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    library = pa.table({"smiles": ["CCO", "CCN"], "price": pa.array([7, None], pa.int16()), "sold": [True, False]})
    pq.write_table(library, tmp_path / "library.parquet")
    search_file(["CCN"], tmp_path / "library.parquet", encoder, tmp_path / "out.parquet", SearchOptions(number=2))
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.field("found_price").type == pa.int16()
    assert [found[name].to_pylist() for name in ("found_price", "found_sold")] == [[None, 7], [False, True]]


def test_molecules_in_another_notation_are_found_where_they_were_embedded(encoder, tmp_path):
    (tmp_path / "in.csv").write_text('smiles\n"InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3"\nCCN\n')
    embed_file(tmp_path / "in.csv", encoder, tmp_path / "v.npz", reading=ReadOptions(convert=True))
    library = read_library(tmp_path / "v.npz")
    assert library.smiles == ["CCO", "CCN"]
    hits = Searcher(library, encoder, SearchOptions(number=1)).search(["OCC"])[0]
    assert [(hit.row, hit.tanimoto) for hit in hits] == [(0, 1.0)]


def test_a_molecule_of_many_rings_is_like_itself(encoder, tmp_path):
    ring = cyclodextrin(8)  # RDKit might take long for such a one, and does not for this
    library = read_library(["CCO", ring, "CCN"], encoder=encoder)
    for by in ("tanimoto", "both"):
        (hits,) = Searcher(library, encoder, SearchOptions(number=1, by=by)).search([ring])
        assert [(hit.row, hit.tanimoto) for hit in hits] == [(1, 1.0)]


def test_a_molecule_without_a_fingerprint_comes_last(encoder, monkeypatch, tmp_path):
    vectors = search.bit_vectors
    monkeypatch.setattr(search, "bit_vectors", lambda texts: [None if t == "CCN" else vectors([t])[0] for t in texts])
    options = SearchOptions(number=3, by="tanimoto")
    search_file(
        ["CCC", "CCN"], read_library(["CCN", "CCO", "CCC"], encoder=encoder), encoder, tmp_path / "o.csv", options
    )
    rows = list(csv.DictReader((tmp_path / "o.csv").read_text().splitlines()))
    assert [row["found_smiles"] for row in rows[:3]] == ["CCC", "CCO", "CCN"]
    assert [row["tanimoto"] for row in rows[2:]] == ["", "", "", ""]

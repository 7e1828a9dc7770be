import base64
import json
import re
import sys
import zlib
from importlib.util import find_spec

import numpy as np
import pytest

from exlm_chem.analysis.layout import lay_out
from exlm_chem.analysis.molecule_map import MapOptions, map_file, map_molecules
from exlm_chem.data import data_path
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.embedding.table import embed_file
from exlm_chem.errors import ExLMError


@pytest.fixture(scope="module")
def encoder(tiny_model):
    return ExLM.from_pretrained(tiny_model, "cpu")


UMAP = pytest.param("umap", marks=pytest.mark.skipif(find_spec("umap") is None, reason="umap-learn is not installed"))


@pytest.mark.parametrize("method", ["tsne", "pca", UMAP])
def test_like_vectors_lie_together(method):
    drawn = np.random.default_rng(0)
    middles = np.repeat(np.eye(4, 16, dtype=np.float32) * 10, 15, axis=0)
    vectors = middles + drawn.normal(size=middles.shape).astype(np.float32) * 0.1
    vectors[1] = vectors[0]
    points = lay_out(vectors, method)
    assert (points[1] == points[0]).all()
    groups = points.reshape(4, 15, 2)
    inside = np.linalg.norm(groups - groups.mean(1, keepdims=True), axis=2).max()
    centres = groups.mean(1)
    between = min(np.linalg.norm(centres[i] - centres[j]) for i in range(4) for j in range(i))
    assert method == "pca" or between > inside


@pytest.mark.parametrize("number", [0, 1, 2, 4, 7])
def test_few_molecules_have_places_too(number):
    vectors = np.eye(max(number, 1), 8, dtype=np.float32)[:number]
    assert np.isfinite(lay_out(vectors)).all()
    assert lay_out(np.repeat(vectors, 3, axis=0)).shape == (3 * number, 2)


def test_a_page_holds_points_rows_structures_and_colours(encoder, tiny_predictors, tmp_path):
    page = tmp_path / "map.html"
    options = MapOptions(task=str(tiny_predictors / "pass"), device="cpu")
    summary = map_file(data_path("examples.csv"), page, encoder, options)
    assert str(summary).startswith("29 rows, 24 with a vector, 5 without (3 not SMILES, ")
    text = page.read_text(encoding="utf-8")
    about = json.loads(re.search(r'id="about">(.*?)</script>', text)[1])
    assert [column["name"] for column in about["columns"]] == ["name", "smiles", "formula", "note", "pass"]
    assert len(about["points"]) == 24
    assert np.ptp(np.array(about["points"]), axis=0).max() == pytest.approx(1, abs=1e-3)
    assert about["colours"][0]["name"] == "pass"
    rows = json.loads(re.search(r'class="rows">(.*?)</script>', text)[1])
    assert [row[0] for row in rows[:2]] == ["aspirin", "caffeine"]
    drawn = json.loads(zlib.decompress(base64.b64decode(re.search(r'class="drawings">(.*?)</script>', text)[1])))
    assert len(drawn) == len(rows) == 24
    assert all(one.startswith("<svg") for one in drawn)
    assert not re.search(r'(?:src|href)="|url\(|@import', text)


def test_columns_become_colours(encoder, tmp_path):
    source = tmp_path / "in.csv"
    lines = [f"{'C' * (n + 1)},{n / 3},{'yes' if n % 2 else 'no'},{n % 2},name{n},g{n % 12}\n" for n in range(24)]
    source.write_text("smiles,value,kind,flag,name,group\n" + "".join(lines) + "CCO,,,,,\n")
    colours = {one.name: one for one in map_molecules(source, encoder, MapOptions(layout="pca")).colours}
    assert set(colours) == {"value", "kind", "flag"}
    assert colours["value"].values[-1] is None
    assert colours["value"].values[3] == 1
    assert colours["kind"].groups == ["no", "yes"]
    assert colours["flag"].groups == ["0", "1"]
    first = map_molecules(source, encoder, MapOptions(layout="pca", colour="group")).colours[0]
    assert first.groups == [*(f"g{n}" for n in range(10)), "other"]
    assert [first.values[n] for n in (0, 9, 10, 11, 24)] == [0, 9, 10, 10, None]


def test_what_embed_wrote_is_a_map_and_a_long_file_is_drawn_by_lot(encoder, tmp_path):
    embed_file(data_path("examples.csv"), encoder, tmp_path / "v.npz", EmbeddingOptions(dtype="int8"))
    summary = map_file(tmp_path / "v.npz", tmp_path / "map.png", encoder, MapOptions(colour="name", layout="pca"))
    assert str(summary).startswith("29 rows, 24 with a vector, 5 without (3 not SMILES, ")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    again = [
        map_molecules(tmp_path / "v.npz", encoder, MapOptions(number=9, seed=seed, layout="pca")) for seed in (0, 0, 1)
    ]
    assert again[0].library.summary.reading == ["9 of 29 rows were drawn by lot"]
    assert again[0].library.rows == again[1].library.rows != again[2].library.rows


def test_what_cannot_be_drawn_is_one_sentence(encoder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    for arguments, output, options, message in (
        (["CCO"], "map.gif", MapOptions(), "is no picture"),
        (["CCO"], "map.html", MapOptions(colour="logp"), "'logp'"),
        (["x", ""], "map.html", MapOptions(), "no molecule that could be read"),
        (["C", "CC", "CCC", "CCCC", "CCO"], "map.html", MapOptions(layout="umap"), r"exlm-chem\[umap\]"),
    ):
        with pytest.raises(ExLMError, match=message):
            map_file(arguments, tmp_path / output, encoder, options)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_column_gives_no_colours(encoder, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("smiles,logp,other\nCCO,,1\nCCN,NA,2\nCCC,,3\n")
    with pytest.raises(ExLMError, match="column 'logp' says nothing of these molecules"):
        map_molecules(source, encoder, MapOptions(layout="pca", colour="logp"))
    assert [one.name for one in map_molecules(source, encoder, MapOptions(layout="pca")).colours] == ["other"]

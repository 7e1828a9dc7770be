"""Principal axes that are kept with a model."""

import gzip
import shutil

import numpy as np
import pytest

from exlm_chem.analysis.library import read_library
from exlm_chem.analysis.search import Searcher, SearchOptions
from exlm_chem.data import data_path
from exlm_chem.embedding.axes import fit_axes
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.embedding.table import embed_file
from exlm_chem.errors import ExLMError
from exlm_chem.storage import sha256


@pytest.fixture(scope="module")
def with_axes(tiny_model, tmp_path_factory):
    """A model with axes, found from a hundred molecules."""
    folder = tmp_path_factory.mktemp("axes")
    directory = shutil.copytree(tiny_model, folder / "model")
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        (folder / "some.smi").write_text("".join(line for line, _ in zip(lines, range(100), strict=False)))
    before = {path.name: sha256(path) for path in directory.iterdir()}
    written = fit_axes(directory, folder / "some.smi", device="cpu")
    assert {path.name: sha256(path) for path in directory.iterdir() if path != written} == before
    return directory


def test_vectors_are_turned_and_cut(with_axes):
    encoder = ExLM.from_pretrained(with_axes, "cpu")
    smiles = ["CCO", "c1ccccc1O", "no", "CC(=O)Oc1ccccc1C(=O)O"]
    whole, turned, short = (encoder.embed(smiles, dim=dim) for dim in (None, 64, 8))
    assert short.shape == (4, 8)
    assert np.isnan(short[2]).all()
    np.testing.assert_allclose(turned[:, :8], short, atol=1e-5)
    good = [0, 1, 3]
    np.testing.assert_allclose(turned[good] @ turned[good].T, whole[good] @ whole[good].T, rtol=5e-3)


def test_the_axes_are_those_along_which_the_molecules_differ_most(with_axes):
    encoder = ExLM.from_pretrained(with_axes, "cpu")
    smiles = (with_axes.parent / "some.smi").read_text().split()
    spread = encoder.embed(smiles, dim=64).var(0)
    whole = np.cov(encoder.embed(smiles).T, bias=True)
    np.testing.assert_allclose(spread, np.linalg.eigvalsh(whole)[::-1], rtol=0.02, atol=2e-3)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_short_vectors_are_a_library(with_axes, tmp_path, dtype):
    encoder = ExLM.from_pretrained(with_axes, "cpu")
    options = EmbeddingOptions(dim=32, dtype=dtype)
    embed_file(data_path("examples.csv"), encoder, tmp_path / "v.npz", options)
    library = read_library(tmp_path / "v.npz")
    assert library.vectors.shape == (24, 32)
    found = Searcher(library, encoder, SearchOptions(number=1)).search(library.smiles)
    assert all(hits[0].cosine > 0.999 for hits in found)


def test_what_has_no_axes_or_others_says_so(with_axes, tiny_model, tmp_path):
    with pytest.raises(ExLMError, match="has no principal axes"):
        ExLM.from_pretrained(tiny_model, "cpu").embed("CCO", dim=8)
    with pytest.raises(ExLMError, match="from 1 to 64"):
        embed_file(["CCO"], with_axes, tmp_path / "v.npz", EmbeddingOptions(dim=65, device="cpu"))
    with pytest.raises(ExLMError, match="--pooling mean"):
        ExLM.from_pretrained(with_axes, "cpu").embed("CCO", pooling="first", dim=8)
    with pytest.raises(ExLMError, match="64 axes need more than 64 molecules, and these are 2"):
        fit_axes(with_axes, ["CCO", "CCN"], device="cpu")
    other = ExLM.from_pretrained(with_axes, "cpu")
    other.fingerprint = "another"
    with pytest.raises(ExLMError, match="axes of another model"):
        other.embed("CCO", dim=8)

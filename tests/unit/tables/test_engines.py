"""Engines that answer rows: what is refused before Ray is looked for, and what is said where it is missing."""

import sys

import pytest

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.embedding.table import embed_file
from exlm_chem.errors import ExLMError
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors.predictor import Predictor
from exlm_chem.tables.chunks import chunks_of, question_of
from exlm_chem.tables.reader import MoleculeReader
from tests.cli.runner import run

RAY = EmbeddingOptions(engine="ray")


def test_chunks_hold_all_rows_in_order(tmp_path):
    file = tmp_path / "in.csv"
    file.write_text("smiles,dose\nC,1\nCC,2,lost\nCCC,3\n")
    with MoleculeReader(file) as reader:
        questions = [question_of(chunk, {"dose": 1}) for chunk in chunks_of(reader, 2)]
    assert questions == [(["C", None], {"dose": ["1", None]}), (["CCC"], {"dose": ["3"]})]


def test_a_reader_is_made_again(tmp_path, monkeypatch):
    (tmp_path / "in.csv").write_text("a,b\nno,CC\n")
    monkeypatch.chdir(tmp_path)
    with MoleculeReader(["in.csv"], "b") as reader:
        again = reader.again
    monkeypatch.chdir("/")
    with again() as reader:
        assert [record.smiles for record in reader] == ["CC"]
    assert MoleculeReader(["C"]).again is not None


def test_ray_is_missing(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "exlm_chem.tables.engines.ray", raising=False)
    with pytest.raises(ExLMError, match=r"--engine ray needs Ray Data; run: pip install 'exlm-chem\[ray\]'"):
        embed_file(["C"], tiny_model, tmp_path / "out.npz", RAY)
    assert list(tmp_path.iterdir()) == []


def test_models_without_a_name_and_streams_are_refused(tiny_model, tiny_predictors, tmp_path):
    with pytest.raises(ExLMError, match="needs a model by its name or directory"):
        embed_file(["C"], ExLM.from_pretrained(tiny_model), tmp_path / "out.npz", RAY)
    predictor = Predictor.from_pretrained(tiny_predictors / "pass")
    with pytest.raises(ExLMError, match="needs a model by its name or directory"):
        predict_file(["C"], [predictor], tmp_path / "out.csv", PredictionOptions(engine="ray"))
    done = run("embed", "-", "-m", tiny_model, "-o", tmp_path / "out.npz", "--engine", "ray", stdin="smiles\nCCO\n")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("exlm-chem: --engine ray reads its input twice, which stdin and pipes cannot")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        ({"engine": "ray", "resume": True}, "--resume"),
        ({"engine": "ray", "explain": "pictures"}, "--explain"),
        ({"ray_address": "auto"}, "--ray-address"),
        ({"ray_workers": 2}, "--ray-workers"),
        ({"engine": "ray", "ray_workers": 0}, "--ray-workers"),
        ({"engine": "spark"}, "--engine"),
    ],
)
def test_combinations_that_cannot_be(options, flag):
    with pytest.raises(ExLMError, match=flag):
        PredictionOptions(**options)

"""Predictors: directories, numbers, and tables of whole files."""

import csv
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.features import compute
from exlm_chem.features.registry import block_spec, make_blocks
from exlm_chem.heads.registry import make_head
from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors import predictor as predictor_module
from exlm_chem.predictors.directory import write_predictor
from exlm_chem.predictors.loading import load_predictors
from exlm_chem.predictors.predictor import Predictor, predict_all
from exlm_chem.predictors.task import OutputColumn
from exlm_chem.predictors.task_file import PredictorTask
from exlm_chem.smiles.errors import MoleculeError

CPU = PredictionOptions(device="cpu")
SMILES = ["CCO", "c1ccccc1O", "C1CC", "", "OCC", "CC(=O)[O-].[Na+]", "C" * 900, None, "CCN" * 10]
TOO_LONG = "too long for this model: 900 tokens, and it reads "


@pytest.fixture
def copy(tiny_predictors, tmp_path):
    """A predictor directory to spoil."""
    shutil.copytree(tiny_predictors / "salt", tmp_path / "salt")
    return tmp_path / "salt"


def raises(error):
    raise error


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_one_row_per_molecule_with_value_or_reason(tiny_predictors):
    table = Predictor.from_pretrained(tiny_predictors / "pass", "cpu").predict(SMILES)
    assert list(table.columns) == ["pass", "note", "error"]
    assert len(table) == len(SMILES)
    assert [error is None for error in table["error"]] == list(table["pass"].notna())
    assert table["error"][2] == "not SMILES at position 1: ring closure 1 is never closed"
    assert table["error"][3] == table["error"][7] == "no SMILES in this row"
    assert table["error"][6].startswith(TOO_LONG)
    assert table["pass"].dropna().between(0, 1).all()
    assert table["pass"][0] == table["pass"][4]
    assert table["pass"].nunique() > 3


def test_numbers_are_those_of_encoder_and_head(tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "sol", "cpu")
    vectors = {"exlm": ExLM.from_pretrained(tiny_predictors / "tiny", "cpu").embed(["CCO", "CCN"])}
    expected = predictor.head.scores(vectors)
    np.testing.assert_allclose(predictor.predict(["CCO", "CCN"])[["sol", "logd"]], expected, atol=1e-5)
    passing = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    expected = 1 / (1 + np.exp(-passing.head.scores(vectors)))
    np.testing.assert_allclose(passing.predict(["CCO", "CCN"])[["pass"]], expected, atol=1e-5)


def test_the_other_molecules_decide_nothing(tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "sol", "cpu")
    together = predictor.predict(SMILES)["sol"]
    alone = pd.concat([predictor.predict([smiles]) for smiles in SMILES])["sol"]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert len(predictor.predict([])) == 0
    assert predictor.predict("CCO").shape == (1, 4)


def test_rule_and_what_it_made_of_a_molecule(tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "salt", "cpu")
    table = predictor.predict(["CC(=O)[O-].[Na+]", "CC(=O)O"])
    assert table["smiles_used"].tolist() == ["CC(=O)O", None]
    assert table["pass"][0] == table["pass"][1]
    assert "smiles_used" not in predictor.predict(["CCO"])


def test_series_and_molecules_are_taken(tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    series = pd.Series(["CCO", float("nan")], index=["x", "y"])
    table = predictor.predict(series)
    assert list(table.index) == ["x", "y"]
    assert table["error"]["y"] == "no SMILES in this row"
    assert predictor.predict([Chem.MolFromSmiles("OCC")])["pass"][0] == table["pass"]["x"]


def test_predictors_share_one_pass_of_the_encoder(tiny_predictors, tmp_path, monkeypatch):
    calls = []
    embed = ExLM.embed_tokens
    monkeypatch.setattr(
        ExLM, "embed_tokens", lambda self, ids, *how, **more: calls.append(len(ids)) or embed(self, ids, *how, **more)
    )
    path = tmp_path / "in.smi"
    path.write_text("CCO\nCCO\nnonsense\n[Na+].[Cl-]\n")
    predictors = load_predictors([tiny_predictors / name for name in ("pass", "sol")], "cpu")
    assert predictors[0].encoder is predictors[1].encoder
    predict_file(path, predictors, tmp_path / "out.csv")
    assert calls == [2]  # what occurs twice is read once
    predict_file(path, [*predictors, tiny_predictors / "salt"], tmp_path / "out.csv", CPU)
    assert calls == [2, 2, 2]  # another rule is another molecule, and so another pass
    assert read_csv(tmp_path / "out.csv")[0] == [
        *("smiles", "name", "pass", "sol", "logd", "salt_pass", "smiles_used", "note", "error")
    ]


def test_vectors_are_shared_only_by_predictors_of_the_same_layer(tiny_predictors, tmp_path, monkeypatch):
    source = Predictor.from_pretrained(tiny_predictors / "sol", "cpu")
    for name, layer in (("inner", 1), ("from_the_end", -2), ("last", 2)):
        task = replace(source.task, name=name, layer=layer, features=())
        write_predictor(tmp_path / name, task, source.head, tiny_predictors / "salt")
    names = [tmp_path / "inner", tmp_path / "from_the_end", tiny_predictors / "sol", tmp_path / "last"]
    predictors = load_predictors(names, "cpu")
    assert [one.task.layer for one in predictors] == [1, 1, -1, -1]
    expected = {
        layer: source.head.predict({"exlm": source.encoder.embed(["CCO", "CCN"], layer=layer)}) for layer in (1, -1)
    }
    layers = []
    embed = ExLM.embed_tokens
    monkeypatch.setattr(
        ExLM,
        "embed_tokens",
        lambda self, ids, *how, layer: layers.append(layer) or embed(self, ids, *how, layer=layer),
    )
    found = predict_all(predictors, ["CCO", "CCN"])
    assert sorted(layers) == [-1, 1]
    for one, layer in zip(found, (1, 1, -1, -1), strict=True):
        np.testing.assert_allclose(one.values, expected[layer], atol=1e-5)
    assert np.abs(expected[1] - expected[-1]).min() > 1e-3


def test_predictors_share_one_pass_of_features(tiny_model, tmp_path, monkeypatch):
    encoder = ExLM.from_pretrained(tiny_model, "cpu")
    specs = tuple(map(block_spec, make_blocks(["exlm", "ecfp"], encoder)))

    class Sums:
        """A head that reads nothing but fingerprints."""

        blocks: ClassVar = {"ecfp": 2048}
        member_shares = np.ones((1, 1))

        def predict(self, features):
            return features["ecfp"].sum(1, keepdims=True)

    def named(name):
        task = PredictorTask(name, "regression", (OutputColumn(name, name),), features=specs)
        return Predictor(task, Sums(), encoder)

    texts, original = [], compute._compute
    monkeypatch.setattr(compute, "_compute", lambda these, blocks: texts.extend(these) or original(these, blocks))
    (tmp_path / "in.smi").write_text("CCO\nCCN\nOCC\nCCN\nCCC\n")
    options = PredictionOptions(chunk_size=2, columns=())
    predict_file(tmp_path / "in.smi", [named("one"), named("two")], tmp_path / "out.csv", options)
    assert sorted(texts) == ["CCC", "CCN", "CCN", "CCO", "CCO"]  # rows 3 and 4 are begun before 1 and 2 are finished
    assert [row[2:4] for row in read_csv(tmp_path / "out.csv")[1:]] == [["6", "6"]] * 5


@pytest.mark.parametrize("count", [0, 1, 2, 5, 7])
@pytest.mark.parametrize("chunk_size", [1, 2, 3, 1000])
def test_every_count_and_chunk_gives_every_row(tiny_predictors, tmp_path, count, chunk_size):
    path = tmp_path / "in.csv"
    path.write_text("id,smiles\n" + "".join(f"{i},{'C' * (i + 1)}\n" for i in range(count)))
    predictor = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    summary = predict_file(path, [predictor], tmp_path / "out.csv", PredictionOptions(chunk_size=chunk_size))
    rows = read_csv(tmp_path / "out.csv")
    assert [row[:2] for row in rows[1:]] == [[str(i), "C" * (i + 1)] for i in range(count)]
    assert all(row[2] and not row[3] and not row[4] for row in rows[1:])
    assert (summary.rows, summary.failed) == (count, 0)


def test_a_molecule_that_rdkit_needs_too_long_for_does_without_one_block(tiny_model, monkeypatch):
    encoder, random = ExLM.from_pretrained(tiny_model, device="cpu"), np.random.default_rng(0)
    blocks = make_blocks(["exlm", "descriptors"], encoder)
    x = {block.name: random.normal(size=(40, block.width)).astype(np.float32) for block in blocks}
    head = make_head("linear").fit(x, x["exlm"][:, :1], "regression", range(40))
    task = PredictorTask(
        "x", "regression", (OutputColumn("x", "x"),), features=tuple(block_spec(block) for block in blocks)
    )
    predictor, smiles = Predictor(task, head, encoder), ["CCO", "CCCCCCCCCO", "c1ccccc1"]
    before = predictor.predict(smiles)
    monkeypatch.setattr(compute, "is_slow", lambda text: text == "CCCCCCCCCO")
    monkeypatch.setattr(compute, "bounded", lambda *_: raises(MoleculeError("too long")))
    after = predictor.predict(smiles)
    assert after["x"][[0, 2]].tolist() == before["x"][[0, 2]].tolist()
    assert np.isfinite(after["x"][1])
    assert after["note"].tolist() == [
        None,
        "predicted with typical descriptors: RDKit needs too long for its own",
        None,
    ]
    assert after["error"].tolist() == [None] * 3
    alone = {"descriptors": x["descriptors"]}
    task = replace(task, features=task.features[1:])
    head = make_head("linear").fit(alone, x["exlm"][:, :1], "regression", range(40))
    told = Predictor(task, head, encoder).predict(smiles)
    assert told["error"].tolist() == [None, "RDKit needs too long for the features of this molecule", None]


def test_names_that_are_taken_get_a_prefix(tiny_predictors, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("smiles,error,pass,pass_pass,smiles_used\nCCO,mine,1,2,3\n")
    predict_file(path, [tiny_predictors / "pass"], tmp_path / "out.csv", CPU)
    rows = read_csv(tmp_path / "out.csv")
    assert rows[0] == ["smiles", "error", "pass", "pass_pass", "smiles_used", "pass_pass_2", "note", "pass_error"]
    assert rows[1][:5] == ["CCO", "mine", "1", "2", "3"]
    predict_file(path, [tiny_predictors / "pass", tiny_predictors / "salt"], tmp_path / "out.csv", CPU)
    assert read_csv(tmp_path / "out.csv")[0][5:] == [
        "pass_pass_2",
        "salt_pass",
        "exlm_smiles_used",
        "note",
        "exlm_error",
    ]


def test_on_invalid_and_the_summary(tiny_predictors, tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(f"smiles,id\nCCO name,1\nC1CC,2\nC(C,3\n{'C' * 900},4\nC,5,lost\nC\n")
    predictor = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    summary = predict_file(path, [predictor], out)
    assert str(summary) == (
        "6 rows, 2 predicted, 4 without a value (2 not SMILES, 1 too long for this model, 1 wrong number of cells); "
        "in 1 row, text after the SMILES was left aside"
    )
    long, ragged, short = read_csv(out)[-3:]
    assert long[-1].startswith(TOO_LONG)
    assert ragged == ["C", "5", "", "", "wrong number of cells: 3 in line 6, 2 in the header; without a column: 'lost'"]
    assert short[:2] == ["C", ""]
    assert short[2]
    assert predict_file(path, [predictor], out, PredictionOptions(on_invalid="skip")).rows == 6
    assert [row[1] for row in read_csv(out)] == ["id", "1", ""]
    out.unlink()
    (tmp_path / "out.csv.columns.json").unlink()
    with pytest.raises(ExLMError, match=r"in\.csv, line 3: not SMILES at position 1"):
        predict_file(path, [predictor], out, PredictionOptions(on_invalid="raise"))
    assert [file.name for file in tmp_path.iterdir()] == ["in.csv"]
    with pytest.raises(ExLMError, match="--on-invalid must be one of flag, skip, raise, not 'drop'"):
        predict_file(path, [predictor], out, PredictionOptions(on_invalid="drop"))
    with pytest.raises(ExLMError, match="no predictor is given"):
        predict_file(path, [], out)


def test_parquet_in_and_out(tiny_predictors, tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"n": [1, 2], "smiles": ["CCO", "C1CC"]})
    frame.to_parquet(tmp_path / "in.parquet")
    predict_file(tmp_path / "in.parquet", [tiny_predictors / "pass"], tmp_path / "out.parquet", CPU)
    table = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(table[["n", "smiles"]], frame)
    assert table["pass"].dtype == np.float64
    assert table["pass"].notna().tolist() == [True, False]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_zero_has_no_sign(tiny_predictors, tmp_path, suffix):
    predictor = Predictor.from_pretrained(tiny_predictors / "sol", "cpu")
    predictor.head.scores = lambda features: np.full((len(features["exlm"]), 2), -0.0)
    assert not np.signbit(predictor.predict(["CCO"])[["sol", "logd"]]).any(axis=None)
    predict_file(["CCO"], [predictor], tmp_path / f"out{suffix}")
    if suffix == ".parquet":
        assert not np.signbit(pd.read_parquet(tmp_path / "out.parquet")[["sol", "logd"]]).any(axis=None)
    else:
        assert "-0" not in (tmp_path / f"out{suffix}").read_text("utf-8")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process")  # newer Pythons warn of forks where there are threads
def test_a_fork_does_not_wait_for_a_thread_of_its_parent(tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "pass", device="cpu")
    with predictor_module._TURN[0]:  # as a thread that is predicting does
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # ends it if it waits for ever
            os._exit(0 if predictor.score(["CCO"]).shape == (1, 1) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_scores_are_the_numbers_of_predict_from_several_threads_too(tiny_predictors, capfd):
    predictor = Predictor.from_pretrained(tiny_predictors / "sol", "cpu")
    expected = predictor.predict(SMILES)[predictor.columns].to_numpy(np.float32)
    with ThreadPoolExecutor(4) as threads:
        for scores in threads.map(predictor.score, [SMILES] * 8):
            np.testing.assert_array_equal(scores, expected)
    assert np.isnan(predictor.score("no")).all()
    assert capfd.readouterr() == ("", "")

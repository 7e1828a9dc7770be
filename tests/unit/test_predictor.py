"""Predictors: directories, numbers, and tables of whole files."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.heads.head import PropertyHead
from exlm_chem.prediction.table import predict_file
from exlm_chem.predictors.directory import OutputColumn, PredictorTask, read_predictor, write_predictor
from exlm_chem.predictors.predictor import Predictor, load_predictors

SMILES = ["CCO", "c1ccccc1O", "C1CC", "", "OCC", "CC(=O)[O-].[Na+]", "C" * 900, None, "CCN" * 10]
TOO_LONG = "too long for this model: 900 tokens, and it reads "


@pytest.fixture
def copy(tiny_predictors, tmp_path):
    """A predictor directory to spoil."""
    shutil.copytree(tiny_predictors / "salt", tmp_path / "salt")
    return tmp_path / "salt"


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_one_row_per_molecule_with_value_or_reason(tiny_predictors):
    table = Predictor.from_pretrained(tiny_predictors / "pass", "cpu").predict(SMILES)
    assert list(table.columns) == ["pass", "error"]
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
    vectors = torch.from_numpy(ExLM.from_pretrained(tiny_predictors / "tiny", "cpu").embed(["CCO", "CCN"])).double()
    expected = predictor.head(vectors).detach().numpy()
    np.testing.assert_allclose(predictor.predict(["CCO", "CCN"])[["sol", "logd"]], expected, atol=1e-5)
    passing = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    expected = torch.sigmoid(passing.head(vectors)).detach().numpy()
    np.testing.assert_allclose(passing.predict(["CCO", "CCN"])[["pass"]], expected, atol=1e-5)


def test_the_other_molecules_decide_nothing(tiny_predictors):
    predictor = Predictor.from_pretrained(tiny_predictors / "sol", "cpu")
    together = predictor.predict(SMILES)["sol"]
    alone = pd.concat([predictor.predict([smiles]) for smiles in SMILES])["sol"]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert len(predictor.predict([])) == 0
    assert predictor.predict("CCO").shape == (1, 3)


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
        ExLM, "embed_tokens", lambda self, ids, *rest: calls.append(len(ids)) or embed(self, ids, *rest)
    )
    path = tmp_path / "in.smi"
    path.write_text("CCO\nCCO\nnonsense\n[Na+].[Cl-]\n")
    predictors = load_predictors([tiny_predictors / name for name in ("pass", "sol")], "cpu")
    assert predictors[0].encoder is predictors[1].encoder
    predict_file(path, predictors, tmp_path / "out.csv")
    assert calls == [3]
    predict_file(path, [*predictors, tiny_predictors / "salt"], tmp_path / "out.csv", device="cpu")
    assert calls == [3, 3, 3]  # another rule is another molecule, and so another pass
    assert read_csv(tmp_path / "out.csv")[0] == [
        *("smiles", "name", "pass", "sol", "logd", "salt_pass", "smiles_used", "error")
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 7])
@pytest.mark.parametrize("chunk_size", [1, 2, 3, 1000])
def test_every_count_and_chunk_gives_every_row(tiny_predictors, tmp_path, count, chunk_size):
    path = tmp_path / "in.csv"
    path.write_text("id,smiles\n" + "".join(f"{i},{'C' * (i + 1)}\n" for i in range(count)))
    predictor = Predictor.from_pretrained(tiny_predictors / "pass", "cpu")
    summary = predict_file(path, [predictor], tmp_path / "out.csv", chunk_size=chunk_size)
    rows = read_csv(tmp_path / "out.csv")
    assert [row[:2] for row in rows[1:]] == [[str(i), "C" * (i + 1)] for i in range(count)]
    assert all(row[2] and not row[3] for row in rows[1:])
    assert (summary.rows, summary.failed) == (count, 0)


def test_names_that_are_taken_get_a_prefix(tiny_predictors, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("smiles,error,pass,pass_pass,smiles_used\nCCO,mine,1,2,3\n")
    predict_file(path, [tiny_predictors / "pass"], tmp_path / "out.csv", device="cpu")
    rows = read_csv(tmp_path / "out.csv")
    assert rows[0] == ["smiles", "error", "pass", "pass_pass", "smiles_used", "pass_pass_2", "pass_error"]
    assert rows[1][:5] == ["CCO", "mine", "1", "2", "3"]
    predict_file(path, [tiny_predictors / "pass", tiny_predictors / "salt"], tmp_path / "out.csv", device="cpu")
    assert read_csv(tmp_path / "out.csv")[0][5:] == ["pass_pass_2", "salt_pass", "exlm_smiles_used", "exlm_error"]


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
    assert ragged == ["C", "5", "", "wrong number of cells: 3 in line 6, 2 in the header; without a column: 'lost'"]
    assert short[:2] == ["C", ""]
    assert short[2]
    assert predict_file(path, [predictor], out, on_invalid="skip").rows == 6
    assert [row[1] for row in read_csv(out)] == ["id", "1", ""]
    out.unlink()
    with pytest.raises(ExLMError, match=r"in\.csv, line 3: not SMILES at position 1"):
        predict_file(path, [predictor], out, on_invalid="raise")
    assert [file.name for file in tmp_path.iterdir()] == ["in.csv"]
    with pytest.raises(ExLMError, match="on_invalid must be flag, skip or raise"):
        predict_file(path, [predictor], out, on_invalid="drop")
    with pytest.raises(ExLMError, match="no predictor is given"):
        predict_file(path, [], out)


def test_parquet_in_and_out(tiny_predictors, tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"n": [1, 2], "smiles": ["CCO", "C1CC"]})
    frame.to_parquet(tmp_path / "in.parquet")
    predict_file(tmp_path / "in.parquet", [tiny_predictors / "pass"], tmp_path / "out.parquet", device="cpu")
    table = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(table[["n", "smiles"]], frame)
    assert table["pass"].dtype == np.float64
    assert table["pass"].notna().tolist() == [True, False]


def test_directory_is_read_as_it_was_written(tmp_path, tiny_model):
    column = OutputColumn("x", "y", "nM", (0.0, 1.5), "lower", None, "What it means.")
    task = PredictorTask(
        "x", "regression", (column,), "Title", "first", "fragment", metrics={"rmse": 0.5}, split={"kind": "scaffold"}
    )
    written = write_predictor(tmp_path / "p", task, PropertyHead(64, 1, hidden=4), tiny_model)
    directory, read, head = read_predictor(tmp_path / "p")
    assert (directory, read) == (tmp_path / "p", written)
    assert head.hidden == read.hidden == 4
    assert not (tmp_path / "p" / "model.safetensors").exists()
    assert json.loads((tmp_path / "p" / "task.json").read_text())["format_version"] == 1


def spoil_task(directory, **changes):
    content = json.loads((directory / "task.json").read_text())
    (directory / "task.json").write_text(json.dumps(content | changes))


def test_broken_directories_are_named_in_one_sentence(copy, tiny_model):
    def fails():
        with pytest.raises(ExLMError) as caught:
            Predictor.from_pretrained(copy, "cpu")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    good = {name: (copy / name).read_bytes() for name in ("task.json", "head.safetensors", "model.safetensors")}
    spoil_task(copy, format_version=9)
    assert "format_version is 9 and this version of exlm-chem reads 1; update" in fails()
    for change, message in [
        ({"columns": [{"nome": "x"}]}, "it is not complete"),
        ({"columns": []}, "it has no columns"),
        ({"columns": [{"name": "a", "target": "a"}, {"name": "b", "target": "b"}]}, "does not have the 2 outputs"),
        ({"head": {}}, "it is not complete ('hidden')"),
        ({"head": {"hidden": 3}}, "lacks dense.bias, dense.weight"),
        ({"pooling": "max"}, "pooling is 'max' and must be one of mean, first"),
        ({"features": ["exlm", "ecfp"]}, "this version knows only exlm"),
        ({"encoder": {"path": "nowhere"}}, "config.json is missing"),
        ({"encoder": {"path": ".", "sha256": "0"}}, "is not the encoder that"),
    ]:
        (copy / "task.json").write_bytes(good["task.json"])
        spoil_task(copy, **change)
        assert message in fails()
    (copy / "task.json").write_bytes(good["task.json"][:-5])
    assert "task.json is broken" in fails()
    (copy / "task.json").write_bytes(good["task.json"])
    flipped = bytearray(good["head.safetensors"])
    flipped[-1] ^= 1
    (copy / "head.safetensors").write_bytes(flipped)
    assert "is not the head that task.json describes" in fails()
    (copy / "head.safetensors").write_bytes(good["head.safetensors"][:-10])
    assert "head.safetensors is broken" in fails()
    (copy / "head.safetensors").unlink()
    assert "head.safetensors is missing" in fails()
    with pytest.raises(ExLMError, match="is an encoder and predicts nothing by itself"):
        Predictor.from_pretrained(tiny_model)

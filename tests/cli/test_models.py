"""``exlm-chem models``: the list, the page of one, the check."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from exlm_chem import locations
from exlm_chem.cli.model_page import _cautions, main_metric

from .runner import run_here


def test_list(monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "models")
    assert (done.status, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.split()[:6] == ["name", "kind", "what", "outputs", "parameters", "MB"]
    assert [line.split()[0] for line in lines] == locations.available()
    (bbbp,) = (line for line in lines if line.startswith("bbbp "))
    assert "classification  Blood-brain barrier penetration" in bbbp
    assert "ROC-AUC 0." in bbbp


def test_list_for_programs(monkeypatch: Any, capsys: Any) -> None:
    told = {one["name"]: one for one in json.loads(run_here(monkeypatch, capsys, "models", "--json").out)}
    assert list(told) == locations.available()
    assert told["exlm-small"]["kind"] == "encoder"
    assert (told["esol"]["task"], told["esol"]["outputs"]) == ("regression", ["esol"])
    assert told["esol"]["test"]["rmse"] > 0


def test_a_damaged_model_hides_no_other(monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    for name in ("exlm-small", "bbbp", "esol"):
        shutil.copytree(locations.SHIPPED / name, tmp_path / "zoo" / name)
    next((tmp_path / "zoo/bbbp").glob("head.safetensors*")).write_bytes(b"x")
    monkeypatch.setattr(locations, "SHIPPED", tmp_path / "zoo")
    done = run_here(monkeypatch, capsys, "models", "list")
    assert done.status == 0
    kinds = {line.split()[0]: line.split()[1] for line in done.out.splitlines() if line}
    assert (kinds["bbbp"], kinds["esol"]) == ("broken", "regression")
    checked = run_here(monkeypatch, capsys, "models", "check")
    assert checked.status == 1
    assert "ok  " in checked.out
    assert checked.err.startswith("broken: ")
    assert "head.safetensors" in checked.err
    told = json.loads(run_here(monkeypatch, capsys, "models", "check", "--json").out)
    assert (told["ok"], len(told["broken"])) == (False, 1)


def test_check_of_all(monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "models", "check")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == len(set(lines)) >= 9
    assert all(line.startswith("ok  ") for line in lines)


def test_page_of_a_classifier(monkeypatch: Any, capsys: Any) -> None:
    done = run_here(monkeypatch, capsys, "models", "show", "bbbp")
    assert (done.status, done.err) == (0, "")
    task = json.loads((locations.SHIPPED / "bbbp/task.json").read_text())
    for text in (
        "bbbp: Blood-brain barrier penetration\n",
        "What a number means\n",
        f"bbbp    probability  0 to 1         0.5  depends  {task['columns'][0]['meaning']}\n",
        f"{task['metrics']['test']['roc_auc']:.3f}",
        "0.5 is guessing\n",
        f"\necfp alone           {task['metrics']['blocks']['ecfp']['roc_auc']:.3f}",
        "left out     11 rows (11 impossible valence)\n",
        "licence      CC0 1.0 for the table (AttentiveFP)\n",
        "What it is not for\n* deciding about one molecule: ",
        "* more certainty than its labels have: 10 molecules have labels that differ\n",
        "  exlm-chem predict --task bbbp FILE -o predictions.csv\n",
    ):
        assert text in done.out
    assert "\x1b" not in done.out


def test_page_of_a_regression(monkeypatch: Any, capsys: Any) -> None:
    out = run_here(monkeypatch, capsys, "models", "show", "esol").out
    assert "esol    log10(mol/L)  -11.6 to 1.58           -  higher  Solubility in water" in out
    assert "* differences between molecules that are smaller than its error, 0." in out
    assert "RMSE: the typical error" in out


def test_page_of_an_encoder(monkeypatch: Any, capsys: Any) -> None:
    out = run_here(monkeypatch, capsys, "models", "show", "exlm-small").out
    assert "vectors  of length 256\n" in out
    assert "* it predicts nothing by itself" in out
    assert "  exlm-chem embed FILE --model exlm-small -o vectors.npz\n" in out


def test_page_of_ones_own(monkeypatch: Any, capsys: Any, tiny_predictors: Path) -> None:
    directory = tiny_predictors / "salt"
    out = run_here(monkeypatch, capsys, "models", "show", directory).out
    assert "nothing was measured: no molecules were kept apart\n" in out
    assert f"  exlm-chem predict --model {directory} FILE -o predictions.csv\n" in out
    assert "nothing is known of the licence of its labels" in out


def test_cautions_claim_no_more_than_was_measured() -> None:
    test = {"roc_auc": 0.7, "rmse": 120.0, "interval": [0.61, 0.8]}
    task = {
        "kind": "classification",
        "metrics": {"test": test},
        "columns": [{"unit": "mg"}],
        "split": {"name": "random"},
    }
    assert "on molecules like those of the test its ROC-AUC may be as low as 0.61" in next(_cautions(task, {}))
    assert "on new scaffolds its" in next(_cautions({**task, "split": {"name": "scaffold"}}, {}))
    assert "than its error, 1.2e+02 mg" in next(_cautions({**task, "kind": "regression"}, {}))
    several = {**task, "kind": "regression", "columns": [{"unit": "mg"}, {"unit": "log"}]}
    assert next(_cautions(several, {})).endswith("than its error")


def test_page_for_programs(monkeypatch: Any, capsys: Any) -> None:
    told = json.loads(run_here(monkeypatch, capsys, "models", "show", "bbbp", "--json").out)
    assert told["task"]["columns"][0]["threshold"] == 0.5
    assert told["run"]["licence"] == "CC0 1.0 for the table (AttentiveFP)"


@pytest.mark.parametrize(
    ("metrics", "shown"),
    [
        ({}, "-"),
        ({"test": None}, "-"),
        ({"test": {"roc_auc": None, "interval": None}}, "-"),
        ({"test": {"roc_auc": 0.7, "interval": None}}, "ROC-AUC 0.700"),
    ],
)
def test_metric_of_the_list(metrics: dict[str, Any], shown: str) -> None:
    assert main_metric({"metrics": metrics}) == shown


def test_an_exported_encoder_needs_none_of_ours(monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    from exlm_chem import ExLM

    done = run_here(monkeypatch, capsys, "models", "export", "exlm-small", "-o", tmp_path)
    assert done.out.splitlines()[0] == str(tmp_path / "model.onnx")
    ids = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode("CC(=O)Oc1ccccc1").ids
    (vectors,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(["mean"], {"input_ids": np.array([ids])})
    np.testing.assert_allclose(vectors, ExLM.from_pretrained("exlm-small", "cpu").embed("CC(=O)Oc1ccccc1"), atol=1e-4)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["export"], 2, "name a model and a directory"),
        (["export", "exlm-small", "-o", locations.SHIPPED / "exlm-small"], 1, "is the model itself"),
    ],
)
def test_what_cannot_be_exported(monkeypatch: Any, capsys: Any, words: list[Any], status: int, told: str) -> None:
    done = run_here(monkeypatch, capsys, "models", *words)
    assert done.status == status
    assert told in " ".join(done.err.split())


def test_card_as_a_page(monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    done = run_here(monkeypatch, capsys, "models", "show", "bbbp", "-o", tmp_path / "card.html")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert "<th>ROC-AUC</th>" in (tmp_path / "card.html").read_text(encoding="utf-8")


def test_publish_shows_what_would_be_uploaded(monkeypatch: Any, capsys: Any) -> None:
    names = ("models", "publish", "exlm-small", "me/small", "--dry-run")
    done = run_here(monkeypatch, capsys, *names)
    assert done.status == 1
    assert "model.safetensors" in done.out
    assert "names no licence of the weights; give one, for example --licence mit" in done.err
    told = json.loads(run_here(monkeypatch, capsys, *names, "--licence", "mit", "--json").out)
    assert (told["problems"], told["uploaded"]) == ([], False)
    assert told["files"].keys() >= {"README.md", "config.json", "modules.json", "tokenizer.json"}
    assert run_here(monkeypatch, capsys, "models", "publish", "exlm-small").status == 2

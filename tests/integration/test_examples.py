"""The examples run, and do what they say."""

from __future__ import annotations

import asyncio
import runpy
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_service(monkeypatch: pytest.MonkeyPatch, tiny_predictors: Path) -> None:
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    from exlm_chem import Predictor

    monkeypatch.setenv("EXLM_TASKS", f"{tiny_predictors / 'pass'},{tiny_predictors / 'sol'}")
    app = runpy.run_path(str(EXAMPLES / "service.py"))["app"]
    asked = [["CCO"], ["c1ccccc1", "C1CC"], [], ["CCN", "CCO"]]
    with TestClient(app) as client, ThreadPoolExecutor(4) as threads:
        assert client.get("/health").json() == {"ok": True, "columns": ["pass", "sol", "logd"]}
        answers = list(threads.map(lambda smiles: client.post("/predict", json={"smiles": smiles}).json(), asked))
        assert client.post("/predict", json={"smiles": ["C"] * 1001}).status_code == 422
        assert client.post("/predict", json={"smiles": ["C" * 5001]}).status_code == 422
        for text in ('{"smiles": [NaN]}', '{"smiles": ["\\ud800"]}'):  # which JSON cannot give back
            refused = client.post("/predict", content=text, headers={"content-type": "application/json"})
            assert refused.status_code == 422
            assert "string" in refused.json()["detail"][0]["msg"]
    assert [[row["smiles"] for row in rows] for rows in answers] == asked
    expected = float(Predictor.from_pretrained(tiny_predictors / "sol").score(["CCO"])[0, 1])
    for rows in (answers[0][0], answers[3][1]):
        assert rows["values"]["logd"] == pytest.approx(expected, abs=1e-5)
        assert rows["error"] is None
    assert set(answers[1][1]["values"].values()) == {None}
    assert "ring closure" in answers[1][1]["error"]


def test_the_service_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch, tiny_predictors: Path) -> None:
    """Also if who asked has gone in the meantime."""
    pytest.importorskip("fastapi")
    service = runpy.run_path(str(EXAMPLES / "service.py"))["Service"]([str(tiny_predictors / "pass")])
    rows = service._rows

    def fail(smiles: list[str]) -> None:
        time.sleep(0.2)
        raise OSError(f"{len(smiles)} molecules")

    async def ask() -> list[object]:
        worker = asyncio.create_task(service.work())
        monkeypatch.setattr(service, "_rows", fail)
        gone = asyncio.create_task(service.predict(["CCO"]))
        await asyncio.sleep(0.1)
        gone.cancel()
        with pytest.raises(OSError, match="molecules"):
            await asyncio.wait_for(service.predict(["CCO", "CCN"]), 10)
        monkeypatch.setattr(service, "_rows", rows)
        answers: list[object] = await asyncio.wait_for(service.predict(["CCO"]), 10)
        worker.cancel()
        return answers

    assert len(asyncio.run(ask())) == 1


@pytest.mark.deepchem
@pytest.mark.filterwarnings("ignore")  # DeepChem 2.8 is older than the libraries that it calls
def test_deepchem_bbbp(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("deepchem")
    example = runpy.run_path(str(EXAMPLES / "deepchem_bbbp.py"))
    table = tmp_path / "bbbp.csv"
    rows = example["TABLE"].read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join(rows[:100]) + "\n", encoding="utf-8")
    scores = example["main"](table, str(tiny_model), epochs=1)
    assert sorted(scores) == ["fine-tuned", "linear model on vectors"]
    assert all(0 <= score <= 1 for score in scores.values())


def test_huggingface(capfd: pytest.CaptureFixture[str], tiny_model: Path, tmp_path: Path) -> None:
    """Silent besides what it prints and the bars of progress: transformers would say which weights are missing."""
    pytest.importorskip("transformers")
    from exlm_chem import ExLM

    runpy.run_path(str(EXAMPLES / "huggingface.py"))["main"](tmp_path / "trained", str(tiny_model))
    out, err = capfd.readouterr()
    same, *proposals, loss = out.splitlines()
    assert same == "vectors are those of ExLM.embed: True"
    assert all(line.startswith("c1ccc(") for line in proposals[:3])
    assert loss.startswith("loss ")
    assert "[transformers]" not in err
    before, after = (ExLM.from_pretrained(path, "cpu").embed("CCO") for path in (tiny_model, tmp_path / "trained"))
    assert 0 < abs(before - after).max() < 1


def test_scikit_learn(tiny_model: Path, tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLES / "scikit_learn.py"))
    table = tmp_path / "bbbp.csv"
    rows = example["TABLE"].read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join(rows[:60]) + "\n", encoding="utf-8")
    best, score = example["main"](table, encoder=str(tiny_model))
    assert sorted(best) == ["featureunion__functiontransformer", "skipinvalid__estimator__C"]
    assert 0 <= score <= 1


def test_pretrain_english(tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLES / "text/pretrain_english.py"))
    for name, words in (("cats", "cat sits mat"), ("dogs", "dog runs park")):
        first, second, third = words.split()
        lines = [f"the {first} {second} on {number} old {third} again" for number in range(100, 130)]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    files = [tmp_path / "cats.txt", tmp_path / "dogs.txt"]
    found = example["run"](files, tmp_path / "run", steps=2, vocabulary=100, batch_tokens=256)
    assert found["texts"] == {"learnt": 54, "held out": 6}
    assert found["probe"]["which words"] == 1
    for objective in ("exlm", "mlm"):
        assert 0 < found[objective]["loss per masked token"] < 20
        assert 0 <= found[objective]["accuracy"] <= 1
        assert 0 < found[objective]["texts shown"] < 54

"""The search for hyper-parameters, judged by molecules that are held out and never by the test part."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning import search as module
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.run import finetune
from exlm_chem.finetuning.search import search
from exlm_chem.heads import boosting, network
from exlm_chem.heads.average import AverageHead
from exlm_chem.heads.linear import LinearHead
from exlm_chem.heads.registry import HEADS, load_head, make_head
from exlm_chem.heads.space import Span

DATA = Path(__file__).parents[2] / "data"


def run(tmp_path, tiny_model, name="out", **options):
    table = tmp_path / f"{name}.csv"
    rows = pd.read_csv(DATA / "esol_150.csv", nrows=60)
    rows["part"] = ["train"] * 40 + ["valid"] * 10 + ["test"] * 10
    if name == "other":
        rows.loc[50:, rows.columns[1]] = np.arange(10.0)
    rows.to_csv(table, index=False)
    given = {"task": "esol", "model": str(tiny_model), "device": "cpu", "split": "part", "search": 2}
    result = finetune(table, tmp_path / name, FinetuningOptions(**{**given, **options}))
    return result, json.loads((result.directory / "run.json").read_text("utf-8"))["runs"][0]


def test_what_is_found_is_told_and_the_test_part_has_no_say(tmp_path, tiny_model):
    choices = []
    for name in ("out", "other"):
        result, facts = run(tmp_path, tiny_model, name, head="linear,kernel", features=("exlm",))
        choices.append(facts["choices"])
    assert choices[0] == choices[1]
    found, scores = choices[0]["search, cross-validated"], choices[0]["scores of the heads, cross-validated"]
    assert found["trials"] == 2
    assert found["best"] == min(scores.values()) <= found["without"]
    card = (result.directory / "README.md").read_text("utf-8")
    assert f"search, cross-validated: trials 2, without {found['without']:.3g}"[:45] in card
    assert result.task.head.choices["head"] == min(scores, key=scores.get)


def test_the_unit_of_a_column_does_not_decide(tmp_path, tiny_model):
    rows = pd.read_csv(DATA / "esol_150.csv", nrows=60)
    rows["other"] = np.random.default_rng(0).normal(size=60)
    chosen, told = [], []
    for unit in (1.0, 1024.0):  # a power of two: the head itself learns the same to the last digit
        table = tmp_path / f"{unit}.csv"
        rows.assign(other=rows["other"] * unit).to_csv(table, index=False)
        options = FinetuningOptions(
            targets=(rows.columns[1], "other"),
            head="linear,kernel",
            features=("ecfp",),
            model=str(tiny_model),
            device="cpu",
        )
        directory = finetune(table, tmp_path / f"out-{unit}", options, log=told.append).directory
        chosen.append(json.loads((directory / "run.json").read_text("utf-8"))["runs"][0]["choices"])
    scores = [one["scores of the heads, cross-validated, in standard deviations of each column"] for one in chosen]
    assert scores[1] == pytest.approx(scores[0])
    assert chosen[0]["head"] == chosen[1]["head"]
    assert 0.3 < min(scores[0].values()) < 2
    errors = [re.findall(r"^test: rmse .* 2 columns \('.*' (\S+), 'other' (\S+)\)", line) for line in told]
    (first,), (second,) = filter(None, errors)  # each in its unit
    assert float(second[1]) == pytest.approx(1024 * float(first[1]), rel=0.01)
    assert second[0] == first[0]


def test_training_of_the_encoder_is_searched(tmp_path, tiny_model):
    _, facts = run(tmp_path, tiny_model, method="full", epochs=1, search=1)
    found = facts["choices"]["search, cross-validated"]
    assert found["trials"] == 1
    assert set(found["parameters"]) in (set(), set(module.TRAINING_SPACE))
    assert len(facts["history"]) == 2


@pytest.mark.parametrize("name", sorted(HEADS.keys() - {"average"}))
def test_every_hyper_parameter_has_an_influence_and_is_saved(name, tmp_path, monkeypatch):
    for place, constant, few in (
        (boosting, "FEWEST_TREES", 3), (boosting, "MOST_TREES", 4), (network, "EPOCHS", 2), (network, "MEMBERS", 2),
    ):  # fmt: skip
        monkeypatch.setattr(place, constant, few)
    x = {"exlm": np.random.default_rng(0).normal(size=(40, 20)).astype(np.float32)}

    def fitted(**parameters):
        return make_head(name, parameters).fit(x, x["exlm"][:, :1], "regression", range(40))

    usual, space = fitted().predict(x), make_head(name).space()
    assert space
    for one, span in space.items():
        heads = [fitted(**{one: value}) for value in (span.low, span.high)]
        assert any((head.predict(x) != usual).any() for head in heads), one
    head = fitted(**{one: span.high for one, span in space.items()})
    np.testing.assert_array_equal(load_head(head.save(tmp_path), tmp_path).predict(x), head.predict(x))


def test_an_average_hands_parameters_on():
    x = {"exlm": np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)}
    head, alone = AverageHead(["linear", "kernel"]), LinearHead()
    assert {name.partition(".")[0] for name in head.space()} == {"linear", "kernel"}
    head.parameters, alone.parameters = {"linear.penalty": 1e4}, {"penalty": 1e4}
    both, one = (some.fit(x, x["exlm"][:, :1], "regression", range(40)) for some in (head, alone))
    np.testing.assert_allclose(both.predict_members(x)[0], one.predict(x), atol=1e-6)


def test_nothing_worse_than_usual_is_taken_and_what_cannot_be_judged_is_passed():
    found = search(lambda p: 1.0 if not p else None if p["x"] < 0 else 0.5, {"x": Span(-1, 1)}, 5, "roc_auc", 0)
    assert (found.parameters, found.score, found.usual) == ({}, 1.0, 1.0)
    assert str(found) == "5 settings are tried, and the best is nothing better"


def test_the_library_is_asked_for_where_it_is_needed(tmp_path, tiny_model, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ExLMError, match=r"--search needs Optuna; install it with: pip install 'exlm-chem\[tune\]'"):
        run(tmp_path, tiny_model)

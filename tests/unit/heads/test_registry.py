"""Heads by their names, and heads of one's own."""

import json

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads import registry
from exlm_chem.heads.head import Head
from exlm_chem.heads.registry import HEADS, load_head, make_head, register_head

X = {"exlm": np.arange(6, dtype=np.float32)[:, None]}
Y = np.arange(6.0)[:, None]


class Nearest(Head):
    """The label of the nearest training molecule."""

    name = "nearest"

    def fit_columns(self, examples):
        self.x, self.y = examples.features["exlm"], examples.labels

    def outputs(self, features):
        distances = np.abs(features["exlm"][:, None, 0] - self.x[None, :, 0])
        return self.y[distances.argmin(1)]

    def arrays(self):
        return {"x": self.x, "y": self.y}

    def restore(self, arrays):
        self.x, self.y = arrays["x"], arrays["y"]


@pytest.mark.parametrize("name", HEADS)
def test_names(name):
    assert make_head(name).name == name


def test_a_head_of_ones_own_is_saved_and_read_once_it_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_own", {})
    head = Nearest().fit(X, Y, "regression", range(6))
    content = json.loads(json.dumps(head.save(tmp_path)))
    with pytest.raises(ExLMError, match="its head is 'nearest', which this version of ExLM-chem does not know"):
        load_head(content, tmp_path)
    register_head(Nearest, "nearest")
    np.testing.assert_array_equal(load_head(content, tmp_path).predict(X), Y)


def test_a_head_by_module_and_class(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_own", {})
    (tmp_path / "mine.py").write_text("from exlm_chem.heads.linear import LinearHead\nclass Mine(LinearHead): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    head = make_head("mine:Mine").fit(X, Y, "regression", range(6))
    content = head.save(tmp_path / "head")
    assert content["name"] == "mine:Mine"
    np.testing.assert_array_equal(load_head(content, tmp_path / "head").predict(X), head.predict(X))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("forest", "there is no head 'forest'; use average, linear, kernel, boosting, network"),
        ("no_such_module:Head", "there is no head 'no_such_module:Head'"),
        ("json:Nothing", "there is no head 'json:Nothing'"),
        ("json:JSONDecoder", "'json:JSONDecoder' is no subclass of"),
        (":", "there is no head ':'"),
    ],
)
def test_what_is_no_head_is_told(name, message):
    with pytest.raises(ExLMError, match=message):
        make_head(name)


def test_a_directory_does_not_decide_what_is_imported(tmp_path):
    content = {"name": "antigravity:fly", "kind": "regression", "columns": 1, "blocks": {"exlm": 1}}
    with pytest.raises(ExLMError, match="which this version of ExLM-chem does not know"):
        load_head(content, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": Y[:5]}, "must be of the same molecules"),
        ({"labels": Y[:, 0]}, "of shape"),
        ({"labels": Y * np.nan}, "has no known label"),
        ({"labels": np.where(Y == 1, np.inf, Y)}, "labels must be finite or NaN"),
        ({"weights": -np.ones_like(Y)}, "weights finite and not negative"),
        ({"kind": "ranking"}, "kind must be classification or regression"),
        ({"kind": "classification"}, "labels of a classification are 0 and 1"),
        ({"features": {}}, "a head needs features"),
    ],
)
def test_what_cannot_be_learnt_is_told(changes, message):
    given = {"features": X, "labels": Y, "kind": "regression", "groups": list(range(6)), **changes}
    with pytest.raises(ExLMError, match=message):
        Nearest().fit(**given)


def test_what_cannot_be_predicted_is_told():
    head = Nearest().fit(X, Y, "regression", range(6))
    with pytest.raises(ExLMError, match="the head reads block 'exlm', which is missing"):
        head.predict({"ecfp": X["exlm"]})
    with pytest.raises(ExLMError, match=r"block 'exlm' has shape \(6, 2\), and the head reads 1 numbers"):
        head.predict({"exlm": np.zeros((6, 2), np.float32)})

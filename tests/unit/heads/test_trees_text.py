"""Trees as LightGBM's text: read as they were written, refused where they refer to what does not exist."""

import re

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads.trees_text import read_trees, short_text, split_models

lightgbm = pytest.importorskip("lightgbm")


X = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
X[::9, 2] = np.nan
NEW = np.concatenate([np.random.default_rng(1).normal(size=(200, 3)), np.full((1, 3), np.nan), np.zeros((1, 3))])


@pytest.fixture
def text():
    """Two models in short, which give the numbers of the long ones."""
    options = {"objective": "regression", "verbosity": -1, "min_data_in_leaf": 2, "num_leaves": 6}
    labels = (X[:, 0].copy(), X[:, 1] ** 2 + np.isnan(X[:, 2]))
    models = [lightgbm.train(options, lightgbm.Dataset(X, y), 4) for y in labels]
    texts = [short_text(model) for model in models]
    for one, long in zip(texts, models, strict=True):
        assert len(one) < len(long.model_to_string()) / 2
        read = read_trees(one, 3)
        np.testing.assert_allclose(read.predict(NEW.astype(np.float32)), long.predict(NEW), rtol=1e-3, atol=1e-3)
        by_lightgbm = lightgbm.Booster(model_str=one).predict(NEW)
        np.testing.assert_allclose(read.predict(NEW.astype(np.float32)), by_lightgbm, rtol=1e-12)
    return "".join(texts)


def test_several_models_are_one_text(text):
    assert len(models := split_models(text)) == 2
    assert "".join(models) == text
    assert split_models("") == []


def test_another_width(text):
    with pytest.raises(ExLMError, match="not for 4 features"):
        read_trees(split_models(text)[0], 4)


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"split_feature=\d", "split_feature=7", "splits a feature that does not exist"),
        (r"left_child=\d", "left_child=0", "the nodes of a tree are no tree"),
        (r"right_child=-?\d", "right_child=9", "the nodes of a tree are no tree"),
        (r"decision_type=2", "decision_type=1", "splits a feature that does not exist"),
        (r"num_cat=0", "num_cat=1", "a tree is of another kind"),
        (r"num_leaves=6", "num_leaves=5", "numbers of"),
        (r"threshold=\S+", "threshold=x", "could not convert"),
        (r"leaf_value=\S+", "leaf_value=inf", "no finite value"),
        (r"tree_sizes=\d", "tree_sizes=9", "other sizes"),
        (r"num_class=1", "num_class=2", "one output"),
        (r"tree_sizes=", "sizes=", "tree_sizes"),
    ],
)
def test_what_does_not_exist_is_refused(text, pattern, replacement, message):
    text = re.sub(pattern, replacement, text, count=1)
    # as somebody would write it who makes the sizes fit
    if "sizes" not in pattern:
        _, *trees = text.split("end of trees")[0].split("Tree=")
        sizes = " ".join(str(len(f"Tree={tree}")) for tree in trees)
        text = re.sub(r"tree_sizes=[\d ]+", f"tree_sizes={sizes}", text, count=1)
    with pytest.raises(ExLMError, match=message):
        read_trees(split_models(text)[0], 3)

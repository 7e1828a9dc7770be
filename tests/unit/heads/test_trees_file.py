"""Trees as LightGBM's text: read as they were written, refused where they refer to what does not exist."""

import re

import numpy as np
import pytest

from exlm_chem.errors import ExLMError
from exlm_chem.heads.trees_file import read_trees, write_trees

lightgbm = pytest.importorskip("lightgbm")


@pytest.fixture
def path(tmp_path):
    x = np.random.default_rng(0).normal(size=(80, 3))
    options = {"objective": "regression", "verbosity": -1, "min_data_in_leaf": 2, "num_leaves": 6}
    models = [lightgbm.train(options, lightgbm.Dataset(x, y), 4) for y in (x[:, 0], x[:, 1] ** 2)]
    write_trees(tmp_path / "trees.txt", models)
    np.testing.assert_array_equal(
        [model.predict(x) for model in read_trees(tmp_path / "trees.txt", 3)], [model.predict(x) for model in models]
    )
    return tmp_path / "trees.txt"


def test_no_model_at_all(tmp_path):
    write_trees(tmp_path / "trees.txt", [])
    assert read_trees(tmp_path / "trees.txt", 3) == []


def test_another_width(path):
    with pytest.raises(ExLMError, match="not for 4 features"):
        read_trees(path, 4)


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
def test_what_does_not_exist_is_refused(path, pattern, replacement, message):
    text = re.sub(pattern, replacement, path.read_text(), count=1)
    # as somebody would write it who makes the sizes fit
    if "sizes" not in pattern:
        _, *trees = text.split("end of trees")[0].split("Tree=")
        sizes = " ".join(str(len(f"Tree={tree}")) for tree in trees)
        text = re.sub(r"tree_sizes=[\d ]+", f"tree_sizes={sizes}", text, count=1)
    path.write_text(text)
    with pytest.raises(ExLMError, match=message):
        read_trees(path, 3)

"""Trees in LightGBM's own text, one model after another, without what decides no number; and what they say.

They are read and followed here, because loading LightGBM takes longer than a prediction. A child or a feature that does
not exist is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError

_END: Final = "end of trees\n"
"""What follows in LightGBM's text, importances and parameters, decides no number."""

_SPARE: Final = re.compile("(split_gain|(leaf|internal)_(weight|count)|internal_value|feature_infos)=.*\n")
_LEFT: Final = 2
_MISSING: Final = 8
_KINDS: Final = (0, _LEFT, _MISSING, _MISSING + _LEFT)
"""Of decisions: a missing number is as 0, or goes its own way, which is the left one or not."""

_MOST_PLACES: Final = 500_000
"""Molecules times trees that are followed at once."""

_DIGITS: Final = {"threshold": 6, "leaf_value": 4}
"""Significant digits that are kept."""


def short_text(model: Any) -> str:
    """Give the text of a booster of LightGBM, with what decides its numbers, these rounded, and nothing else."""
    head, *trees = model.model_to_string().partition(_END)[0].split("Tree=")
    trees = [f"Tree={_SPARE.sub('', re.sub('(threshold|leaf_value)=(.*)', _rounded, tree))}" for tree in trees]
    width = model.num_feature()
    head = _SPARE.sub(f"feature_infos={' '.join(['none'] * width)}\n", head)
    return (
        re.sub("tree_sizes=.*", f"tree_sizes={' '.join(str(len(tree)) for tree in trees)}", head)
        + "".join(trees)
        + _END
    )


def _rounded(line: re.Match[str]) -> str:
    name, numbers = line.groups()
    return f"{name}={' '.join(f'{float(number):.{_DIGITS[name]}g}' for number in numbers.split())}"


def split_models(text: str) -> list[str]:
    """Take the texts of several boosters apart."""
    return [model + _END for model in text.split(_END)[:-1]]


@dataclass(frozen=True)
class Trees:
    """One model: the sum of its trees. All arrays have shape (trees, nodes); leaves stand behind the inner nodes.

    Attributes
    ----------
    feature, threshold, left, right : arrays
        Of the inner nodes: a molecule goes left where the feature is at most the threshold. A leaf leads to itself.
    missing, missing_left : arrays of bool
        Whether a missing number has a way of its own, instead of that of 0, and which.
    value : array
        Of the leaves.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing: NDArray[np.bool_]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the sum of the trees for molecules with these features, shape (molecules, width)."""
        rows = max(1, _MOST_PLACES // max(1, len(self.feature)))
        parts = [self._predict(x[start : start + rows]) for start in range(0, len(x), rows)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        trees, molecules = np.arange(len(self.feature)), np.arange(len(x))[:, None]
        gaps, x = np.isnan(x), np.nan_to_num(x, nan=0.0, posinf=np.inf, neginf=-np.inf)
        node = np.zeros((len(x), len(trees)), np.int64)
        while True:
            feature = self.feature[trees, node]
            goes_left = x[molecules, feature] <= self.threshold[trees, node]
            lost = gaps[molecules, feature] & self.missing[trees, node]
            goes_left = np.where(lost, self.missing_left[trees, node], goes_left)
            following = np.where(goes_left, self.left[trees, node], self.right[trees, node])
            if (following == node).all():
                answers: NDArray[np.float64] = self.value[trees, node].sum(1)
                return answers
            node = following


def read_trees(model: str, width: int) -> Trees:
    """Read the text of one booster, for features of a width.

    Raises
    ------
    ExLMError
        If a tree refers to what does not exist.
    """
    try:
        head, *texts = model.removesuffix(_END).split("Tree=")
        _check_model(head, texts, width)
        trees = [_tree(_lines(text), width) for text in texts]
        most = max((tree.shape[1] for tree in trees), default=1)
        arrays = np.zeros((7, len(trees), most))
        for number, tree in enumerate(trees):
            arrays[:, number, : tree.shape[1]] = tree
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ExLMError(f"it holds no trees ({error})") from None
    feature, threshold, left, right, missing, missing_left, value = arrays
    integers, marks = (feature, left, right), (missing, missing_left)
    (feature, left, right), (missing, missing_left) = (
        [one.astype(np.int64) for one in integers],
        [one.astype(bool) for one in marks],
    )
    return Trees(feature, threshold, left, right, missing, missing_left, value)


def _check_model(head: str, trees: Sequence[str], width: int) -> None:
    """Check one model: for so many features, one output, and trees that are of the sizes that it announces."""
    facts = _lines(head)
    expected = {"num_class": "1", "num_tree_per_iteration": "1", "max_feature_idx": str(width - 1)}
    if any(facts[name] != value for name, value in expected.items()):
        raise ValueError(f"its trees are not for {width} features and one output")
    if [int(size) for size in facts["tree_sizes"].split()] != [len(f"Tree={tree}".encode()) for tree in trees]:
        raise ValueError("its trees have other sizes than it says")


def _tree(facts: dict[str, str], width: int) -> NDArray[np.float64]:
    """Give what `Trees` has of one tree, a row each; every node must be the child of one before it."""
    leaves = int(facts["num_leaves"])
    if leaves < 1 or facts["num_cat"] != "0" or facts["is_linear"] != "0":
        raise ValueError("a tree is of another kind")
    inner = leaves - 1
    tree = np.zeros((7, inner + leaves))
    tree[2:4] = np.arange(inner + leaves)
    tree[6, inner:] = _numbers(facts, "leaf_value", leaves)
    if not np.isfinite(tree).all():
        raise ValueError("a leaf has no finite value")
    if leaves == 1:
        return tree
    features, kinds, thresholds, *children = (
        _numbers(facts, name, inner)
        for name in ("split_feature", "decision_type", "threshold", "left_child", "right_child")
    )
    if not (np.isin(features, np.arange(width)).all() and np.isin(kinds, _KINDS).all()):
        raise ValueError("a tree splits a feature that does not exist")
    both = np.stack(children, axis=1)
    both = np.where(both < 0, inner - 1 - both, both)  # -1 is the first leaf
    parents = np.arange(inner)[:, None]
    if not np.array_equal(np.sort(both.ravel()), np.arange(1, inner + leaves)) or (both <= parents).any():
        raise ValueError("the nodes of a tree are no tree")
    if np.isnan(thresholds).any():
        raise ValueError("a threshold is no number")
    tree[0, :inner], tree[1, :inner], tree[2:4, :inner] = features, thresholds, both.T
    tree[4, :inner], tree[5, :inner] = kinds >= _MISSING, kinds % _MISSING >= _LEFT
    return tree


def _lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _numbers(facts: dict[str, str], name: str, count: int) -> NDArray[np.float64]:
    values = np.array(facts[name].split(), np.float64)
    if len(values) != count:
        raise ValueError(f"a tree has {len(values)} numbers of {name} instead of {count}")
    return values

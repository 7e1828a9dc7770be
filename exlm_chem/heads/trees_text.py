"""Trees in LightGBM's own text, one model after another, without what decides no number; and what they say.

They are read and followed here, because loading LightGBM takes longer than a prediction. A child or a feature that does
not exist is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
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

_SPLITS: Final = ("split_feature", "decision_type", "threshold", "left_child", "right_child")

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
        return _trees([_lines(text) for text in texts], width)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ExLMError(f"it holds no trees ({error})") from None


def _check_model(head: str, trees: Sequence[str], width: int) -> None:
    """Check one model: for so many features, one output, and trees that are of the sizes that it announces."""
    facts = _lines(head)
    expected = {"num_class": "1", "num_tree_per_iteration": "1", "max_feature_idx": str(width - 1)}
    if any(facts[name] != value for name, value in expected.items()):
        raise ValueError(f"its trees are not for {width} features and one output")
    if [int(size) for size in facts["tree_sizes"].split()] != [len(f"Tree={tree}".encode()) for tree in trees]:
        raise ValueError("its trees have other sizes than it says")


def _trees(facts: Sequence[dict[str, str]], width: int) -> Trees:
    """Put the trees of one model into arrays; every node must be the child of one before it in the same tree."""
    if any(one["num_cat"] != "0" or one["is_linear"] != "0" or int(one["num_leaves"]) < 1 for one in facts):
        raise ValueError("a tree is of another kind")
    leaves = np.array([int(one["num_leaves"]) for one in facts], np.int64)
    inner, most = leaves - 1, int(max(2 * leaves - 1, default=1))
    values, splits = _numbers(facts, "leaf_value", leaves), {name: _numbers(facts, name, inner) for name in _SPLITS}
    features, kinds, thresholds, *children = splits.values()
    if not np.isfinite(values).all():
        raise ValueError("a leaf has no finite value")
    if not (np.isin(kinds, _KINDS) & (features >= 0) & (features < width) & (features % 1 == 0)).all():
        raise ValueError("a tree splits a feature that does not exist")
    if np.isnan(thresholds).any():
        raise ValueError("a threshold is no number")
    tree, node = _places(inner)
    both = np.stack(children, axis=1)
    both = np.where(both < 0, inner[tree, None] - 1 - both, both)  # -1 is the first leaf
    inside = (both > node[:, None]) & (both < (inner + leaves)[tree, None])
    group, child = _places(2 * inner)
    once = np.array_equal(np.sort((both + tree[:, None] * most).ravel()), group * most + 1 + child)
    if not (inside.all() and once):
        raise ValueError("the nodes of a tree are no tree")
    found = Trees(
        feature=np.zeros((len(facts), most), np.int64),
        threshold=np.zeros((len(facts), most)),
        left=np.tile(np.arange(most), (len(facts), 1)),
        right=np.tile(np.arange(most), (len(facts), 1)),
        missing=np.zeros((len(facts), most), bool),
        missing_left=np.zeros((len(facts), most), bool),
        value=np.zeros((len(facts), most)),
    )
    found.feature[tree, node], found.threshold[tree, node] = features, thresholds
    found.left[tree, node], found.right[tree, node] = both.T
    found.missing[tree, node], found.missing_left[tree, node] = kinds >= _MISSING, kinds % _MISSING >= _LEFT
    tree, leaf = _places(leaves)
    found.value[tree, inner[tree] + leaf] = values
    return found


def _places(sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the members of groups of such sizes: the group of each, and its place in it."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _numbers(facts: Sequence[dict[str, str]], name: str, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give numbers of all trees one after another, so many of each."""
    texts = [one[name].split() if count else [] for one, count in zip(facts, counts, strict=True)]
    for text, count in zip(texts, counts, strict=True):
        if len(text) != count:
            raise ValueError(f"a tree has {len(text)} numbers of {name} instead of {count}")
    return np.array(list(chain.from_iterable(texts)), np.float64)

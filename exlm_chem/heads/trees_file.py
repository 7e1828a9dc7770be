"""Trees as LightGBM writes them, one model after another in one text, checked before LightGBM reads it.

LightGBM believes its own files: a child or a feature that does not exist would make it read somewhere else in memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.storage import write_text

TREES_NAME: Final = "trees.txt"

_END: Final = "end of trees\n"
"""What follows in LightGBM's text, importances and parameters, decides no number."""


def write_trees(path: Path, models: list[Any]) -> None:
    """Write boosters of LightGBM, one after another."""
    write_text(path, "".join(model.model_to_string().partition(_END)[0] + _END for model in models))


def read_trees(path: Path, width: int) -> list[Any]:
    """Read boosters of LightGBM, for features of a width.

    Raises
    ------
    ExLMError
        If a tree refers to what does not exist.
    """
    import lightgbm

    try:
        models = [model + _END for model in path.read_text(encoding="utf-8").split(_END)[:-1]]
        for model in models:
            _check_model(model, width)
        return [lightgbm.Booster(model_str=model) for model in models]
    except (ValueError, KeyError, IndexError, OverflowError, lightgbm.basic.LightGBMError) as error:
        raise ExLMError(f"it holds no trees ({error})") from None


def _check_model(model: str, width: int) -> None:
    """Check one model: for so many features, one output, and trees that are of the sizes that it announces."""
    head, *trees = model.removesuffix(_END).split("Tree=")
    facts = _lines(head)
    expected = {"num_class": "1", "num_tree_per_iteration": "1", "max_feature_idx": str(width - 1)}
    if any(facts[name] != value for name, value in expected.items()):
        raise ValueError(f"its trees are not for {width} features and one output")
    if [int(size) for size in facts["tree_sizes"].split()] != [len(f"Tree={tree}".encode()) for tree in trees]:
        raise ValueError("its trees have other sizes than it says")
    for tree in trees:
        _check_tree(_lines(tree), width)


def _check_tree(facts: dict[str, str], width: int) -> None:
    """Check that every node is the child of one before it, and splits a feature that there is."""
    leaves = int(facts["num_leaves"])
    if leaves < 1 or facts["num_cat"] != "0" or facts["is_linear"] != "0":
        raise ValueError("a tree is of another kind")
    if not np.isfinite(_numbers(facts, "leaf_value", leaves)).all():
        raise ValueError("a leaf has no finite value")
    if leaves == 1:
        return
    inner = leaves - 1
    features, kinds = (_numbers(facts, name, inner) for name in ("split_feature", "decision_type"))
    children = np.stack([_numbers(facts, name, inner) for name in ("left_child", "right_child")], axis=1)
    if not (np.isin(features, np.arange(width)).all() and np.isin(kinds, np.arange(0, 12, 2)).all()):
        raise ValueError("a tree splits a feature that does not exist")
    everyone = np.concatenate([np.arange(-leaves, 0), np.arange(1, inner)])
    parents = np.repeat(np.arange(inner), 2)
    if (
        not np.array_equal(np.sort(children.ravel()), everyone)
        or ((children.ravel() >= 0) & (children.ravel() <= parents)).any()
    ):
        raise ValueError("the nodes of a tree are no tree")
    if np.isnan(_numbers(facts, "threshold", inner)).any():
        raise ValueError("a threshold is no number")


def _lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _numbers(facts: dict[str, str], name: str, count: int) -> NDArray[np.float64]:
    values = np.array(facts[name].split(), np.float64)
    if len(values) != count:
        raise ValueError(f"a tree has {len(values)} numbers of {name} instead of {count}")
    return values

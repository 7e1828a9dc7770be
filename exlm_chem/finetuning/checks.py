"""What is looked at before work begins: a training may take hours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.dataset import Dataset
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.finetuning.search import check_optuna
from exlm_chem.finetuning.splits import Spec, Split
from exlm_chem.finetuning.weights import counted_labels
from exlm_chem.storage import final_target

_ELSEWHERE: Final = "choose another directory with --output"


def check_files(files: Sequence[Path], options: FinetuningOptions) -> None:
    """Refuse a number of tables of which it is not clear what each is for, and options that three leave no room for.

    Examples
    --------
    >>> check_files([Path("train.csv"), Path("test.csv")], FinetuningOptions())
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: give one table, or three: TRAIN VALID TEST, where VALID decides and TEST judges; not 2
    """
    if options.search:
        check_optuna()
    if len(files) not in (1, 3):
        raise ExLMError(
            f"give one table, or three: TRAIN VALID TEST, where VALID decides and TEST judges; not {len(files)}"
        )
    if len(files) == 3 and (options.split != FinetuningOptions.split or options.folds is not None):
        flag = "--split" if options.folds is None else "--folds"
        raise ExLMError(f"three tables are the split; leave {flag} away, or give one table")


def check_places(data: Sequence[Path], output: Path, rule: Spec) -> None:
    """Refuse a table, or a file with a split, that is no file, and an output that cannot be written or holds something.

    Examples
    --------
    >>> check_places([Path("measured.csv")], Path("runs/mine"), Spec("random", ""))
    Traceback (most recent call last):
        ...
    exlm_chem.errors.ExLMError: there is no file measured.csv
    """
    for file in (*data, *([Path(rule.argument)] if rule.rule == "file" else [])):
        if not os.path.isfile(file):  # noqa: PTH113  (Path.is_file raises for a name that is too long)
            there = os.path.lexists(file)
            raise ExLMError(f"{file} is no ordinary file; save it as one" if there else f"there is no file {file}")
    if os.path.lexists(output) and (not output.is_dir() or any(output.iterdir())):
        raise ExLMError(f"{output} exists already; {_ELSEWHERE}")
    folder = next(folder for folder in output.absolute().parents if folder.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ExLMError(f"nothing can be written into {folder}; {_ELSEWHERE}")
    if re.search("[\ud800-\udfff]", str(final_target(output))):  # the library of the weights' files refuses such names
        raise ExLMError(f"the name of {output} or of a folder above it is no UTF-8; {_ELSEWHERE}")


def check_labels(
    dataset: Dataset, split: Split, log: Callable[[str], None], weights: NDArray[np.float64] | None = None
) -> None:
    """Refuse a training part from which nothing can be learnt; say which columns would be constant.

    Parameters
    ----------
    dataset, split
        What is to be learnt from.
    log : callable
        Is told what should be known.
    weights : array of shape (molecules, columns), optional
        How much each label counts; those of weight 0 are none.

    Raises
    ------
    ExLMError
        With the option that helps.
    """
    constant: dict[str, float] = {}
    counted = counted_labels(dataset.labels, weights)
    beside = "" if weights is None else " and has a weight"
    for column, labels in zip(dataset.columns, counted[split.train].T, strict=True):
        known = labels[~np.isnan(labels)]
        where = f"column {quoted(column.name)}"
        if not len(known):
            unknown = f"no label of {where} is known{beside} in the training part"
            raise ExLMError(f"{dataset.name}: {unknown}; {_remedy(split)}")
        if known.min() == known.max():
            constant[where] = known[0]
    if len(constant) == len(dataset.columns):
        where, value = next(iter(constant.items()))
        same = f"{dataset.name}: all labels of {where}{'' if weights is None else ' that have a weight'}"
        if all(len(np.unique(labels[~np.isnan(labels)])) == 1 for labels in counted.T):
            raise ExLMError(f"{same} are {value:zg}, so nothing can be learnt; a predictor needs different ones")
        raise ExLMError(f"{same} in the training part are {value:zg}, so nothing can be learnt; {_remedy(split)}")
    for where, value in constant.items():
        log(f"all training labels of {where} are {value:zg}: its predictions are constant")


def _remedy(split: Split) -> str:
    drawn = split.name in ("random", "stratified")
    return "use another --seed" if drawn else "use --split random or --split stratified"

"""Cross-validation: every molecule is once in the test of a round, and never in the training of its own fold."""

from __future__ import annotations

from itertools import chain
from typing import Final

import numpy as np

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.splits.columns import dated
from exlm_chem.finetuning.splits.index_file import file_splits
from exlm_chem.finetuning.splits.registry import RULES, Spec, parse_split
from exlm_chem.finetuning.splits.shuffled import stratified_parts
from exlm_chem.finetuning.splits.split import Split, Splittable, need_groups

FEWEST: Final = 3
"""One fold to test, one to validate, the rest to learn from."""


def make_folds(spec: str, data: Splittable, folds: int = 5, repeats: int = 1, seed: int = 0) -> list[Split]:
    """Cut molecules into folds by the groups of a rule: each is once the test, and the next one validates.

    Parameters
    ----------
    spec : str
        See `parse_split`; groups are scaffolds, molecules (random, stratified), clusters, or those of a column. With
        ``date:COLUMN`` each fold learns from what is older than its validation and test. A file says itself which
        folds there are.
    data : Splittable
        The molecules.
    folds : int
        How many parts; at least three.
    repeats : int
        How often to cut anew, with the seeds `seed`, `seed` + 1, ...
    seed : int
        Decides which groups come together.

    Returns
    -------
    list of Split
        `folds` x `repeats`, those of the first repeat first.

    Raises
    ------
    ExLMError
        If there are too few groups, or the rule has no folds.

    Examples
    --------
    >>> data = Splittable([f"C{'C' * n}" for n in range(10)])
    >>> rounds = make_folds("random", data, folds=5, repeats=2)
    >>> len(rounds), sorted(index for one in rounds[:5] for index in one.test) == list(range(10))
    (10, True)
    """
    wanted = parse_split(spec)
    if wanted.rule == "file":
        return file_splits(data, wanted.argument)
    if wanted.rule == "column":
        raise ExLMError(
            f"the column '{wanted.argument}' says what is train, valid and test, which is one split; "
            f"use --split group:{wanted.argument} for folds of its groups, or ask for no folds"
        )
    if folds < FEWEST:
        raise ExLMError(f"folds must be at least {FEWEST} (to test, to validate, to learn from), not {folds}")
    if repeats < 1:
        raise ExLMError(f"repeats must be at least 1, not {repeats}")
    if wanted.rule == "date":
        if repeats > 1:
            raise ExLMError("folds by date are the same every time; repeat them once")
        return _in_time(wanted, data, folds)
    return list(chain(*(_rounds(wanted, data, folds, seed + repeat) for repeat in range(repeats))))


def _rounds(wanted: Spec, data: Splittable, folds: int, seed: int) -> list[Split]:
    if wanted.rule == "stratified":
        groups, unplaced, parts = list(data.smiles), [], stratified_parts(data, folds, seed)
    else:
        whole = RULES[wanted.rule].split(data, wanted.argument, seed)  # its groups count, not its parts
        groups, unplaced = whole.groups, whole.unplaced
        parts = _whole_groups(whole, folds, seed)
    text = (
        f"{folds} folds of whole {_GROUPS[wanted.rule].format(wanted.argument)}, seed {seed}; the next fold validates"
    )
    splits = []
    for number in range(folds):
        test, valid = parts[number], parts[(number + 1) % folds]
        train = sorted(set(chain(*parts)) - set(test) - set(valid))
        splits.append(Split(_name(wanted), text, train, valid, test, groups, unplaced))
    return splits


_GROUPS: Final = {
    "scaffold": "Bemis-Murcko scaffolds without chirality",
    "random": "molecules",
    "stratified": "molecules with equal shares of the labels",
    "butina": "Butina clusters",
    "group": "groups of the column '{}'",
}


def _whole_groups(split: Split, folds: int, seed: int) -> list[list[int]]:
    from sklearn.model_selection import GroupKFold

    placed = np.array(sorted(chain(split.train, split.valid, split.test)))
    numbers = np.unique(np.array([split.groups[index] for index in placed]), return_inverse=True)[1]
    need_groups(int(numbers.max()) + 1, folds, f"groups of the {split.name} split")
    cutter = GroupKFold(folds, shuffle=True, random_state=seed)
    return [placed[part].tolist() for _, part in cutter.split(placed, groups=numbers)]


def _in_time(wanted: Spec, data: Splittable, folds: int) -> list[Split]:
    """Cut the line of dates into `folds` + 2 stretches; each round learns from all before its two last ones."""
    order, unplaced = dated(data, wanted.argument)
    dates = np.array([date for date, _ in order])
    need_groups(len(set(dates.tolist())), folds + 2, f"dates in column '{wanted.argument}' of {data.name}")
    # Rows of one date are in one stretch: the one in which the first of them stands.
    first = np.searchsorted(dates, dates)
    stretch = first * (folds + 2) // len(dates)
    members = [[index for (_, index), own in zip(order, stretch, strict=True) if own == n] for n in range(folds + 2)]
    if not all(members):
        raise ExLMError(
            f"column '{wanted.argument}' of {data.name}: too many rows of one date for {folds} folds; use fewer folds"
        )
    text = (
        f"by the column '{wanted.argument}', {folds} folds in time: learnt from what is older than validation and test"
    )
    splits = []
    for number in range(1, folds + 1):
        train, valid, test = list(chain(*members[:number])), members[number], members[number + 1]
        not_yet = list(chain(*members[number + 2 :]))
        splits.append(Split(_name(wanted), text, train, valid, test, list(data.smiles), unplaced + not_yet))
    return splits


def _name(wanted: Spec) -> str:
    return f"{wanted.rule} {wanted.argument}".strip()

"""By chance: any molecule may be anywhere, or each part has its share of every class."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.splits.split import Split, Splittable, limits, need_groups

STRATA = 10
"""Into so many ranges of equal population measurements are cut."""


def random_split(smiles: Sequence[str], seed: int = 0) -> Split:
    """Split at random, 80/10/10; rows of one molecule stay together.

    Examples
    --------
    >>> {name: len(part) for name, part in random_split(list("CNOPSFIBcn")).parts().items()}
    {'train': 8, 'valid': 1, 'test': 1}
    """
    molecules = list(dict.fromkeys(smiles))
    order = np.random.default_rng(seed).permutation(len(molecules))
    rank = {molecules[index]: position for position, index in enumerate(order)}
    bounds = [round(limit) for limit in limits(len(molecules))]
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for index, one in enumerate(smiles):
        parts[sum(rank[one] >= bound for bound in bounds)].append(index)
    description = f"random, 80/10/10, seed {seed}; rows of one molecule stay together"
    return Split("random", description, *parts, groups=list(smiles))


def stratified_split(data: Splittable, seed: int = 0) -> Split:
    """Split at random so that each part has the same share of every class, or of every range of measurements.

    Ten parts of scikit-learn's ``StratifiedGroupKFold``: eight to learn from, one to validate and one to test; rows of
    one molecule stay together.

    Examples
    --------
    >>> data = Splittable([f"C{'C' * n}" for n in range(40)], labels=np.arange(40)[:, None] % 2.0)
    >>> [sum(index % 2 for index in part) for part in stratified_split(data).parts().values()]
    [16, 2, 2]
    """
    test, valid, *train = stratified_parts(data, 10, seed)
    description = f"stratified by the labels, 80/10/10, seed {seed}; rows of one molecule stay together"
    return Split("stratified", description, sorted(chain(*train)), valid, test, groups=list(data.smiles))


def stratified_parts(data: Splittable, count: int, seed: int) -> list[list[int]]:
    """Cut molecules into parts with equal shares of every class.

    Raises
    ------
    ExLMError
        If there are several columns of labels, or too few molecules of a class.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = _strata(data, count)
    need_groups(len(set(data.smiles)), count, "molecules")
    groups = np.unique(np.asarray(data.smiles, dtype=object).astype(str), return_inverse=True)[1]
    cutter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return [part.tolist() for _, part in cutter.split(strata, strata, groups)]


def _strata(data: Splittable, count: int) -> NDArray[np.int64]:
    if data.labels is None or data.labels.shape[1] != 1:
        columns = 0 if data.labels is None else data.labels.shape[1]
        raise ExLMError(f"a stratified split follows one column of labels, and there are {columns}; use --split random")
    values = data.labels[:, 0]
    if not set(np.unique(values)) <= {0.0, 1.0}:
        ranges = max(min(STRATA, len(values) // count), 1)
        return np.digitize(values, np.quantile(values, np.arange(1, ranges) / ranges))
    strata = values.astype(np.int64)
    for label, number in enumerate(np.bincount(strata)):
        if 0 < number < count:
            raise ExLMError(
                f"{number} molecules of class {label} are too few for {count} stratified parts; use --split random"
            )
    return strata

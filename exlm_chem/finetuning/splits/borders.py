"""What a split cannot hide: the same molecule on both sides of a border, and whether its labels agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from exlm_chem.errors import quoted
from exlm_chem.finetuning.metrics.bounds import BoundedLabels
from exlm_chem.finetuning.splits.split import Split, Splittable


@dataclass(frozen=True)
class Borders:
    """Molecules that stand in more than one part of a split.

    Attributes
    ----------
    duplicates : int
        Distinct molecules in more than one part, by canonical SMILES.
    contradictions : int
        Those of them whose labels differ.
    pairs : dict
        For every two parts ("train, test"), how many molecules they share.
    examples : list of str
        The first few, those that contradict each other first.
    """

    duplicates: int
    contradictions: int
    pairs: dict[str, int]
    examples: list[str]

    def __str__(self) -> str:
        if not self.duplicates:
            return "no molecule is in two parts of the split"
        shared = ", ".join(f"{count:,} in {pair.replace(', ', ' and ')}" for pair, count in self.pairs.items())
        what = "1 molecule is" if self.duplicates == 1 else f"{self.duplicates:,} molecules are"
        text = f"{what} in two parts of the split ({shared})"
        if self.contradictions:
            text += f", {self.contradictions:,} of them with labels that contradict each other"
        return f"{text}, such as {', '.join(map(quoted, self.examples))}; --split random keeps them together"


def across_borders(split: Split, data: Splittable) -> Borders:
    """Find the molecules that a split has on both sides of a border.

    Examples
    --------
    >>> data = Splittable(["C", "CC", "C"])
    >>> print(across_borders(Split("mine", "", [0, 1], [], [2], ["C", "CC", "C"]), data))
    1 molecule is in two parts of the split (1 in train and test), such as 'C'; --split random keeps them together
    """
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for part, indices in split.parts().items():
        for index in indices:
            found[data.smiles[index]][part].append(index)
    shared = {smiles: parts for smiles, parts in found.items() if len(parts) > 1}
    contradicting = [smiles for smiles, parts in shared.items() if _contradict(data, [*chain(*parts.values())])]
    pairs = Counter(f"{one}, {other}" for parts in shared.values() for one, other in combinations(parts, 2))
    return Borders(len(shared), len(contradicting), dict(pairs), [*dict.fromkeys([*contradicting, *shared])][:3])


def _contradict(data: Splittable, indices: list[int]) -> bool:
    if data.labels is None:
        return False
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for index in indices:
        alike[None if data.beside is None else data.beside[index]].append(index)
    bounds = np.zeros(data.labels.shape, np.int8) if data.bounds is None else data.bounds
    return any(
        BoundedLabels(data.labels[same, column], bounds[same, column]).contradict
        for same in alike.values()
        for column in range(data.labels.shape[1])
    )

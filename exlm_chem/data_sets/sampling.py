"""A sample of bounded size of things that are seen once or many times."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Generic, TypeVar

from exlm_chem.tables.encodings import WRITTEN

T = TypeVar("T")


class Sample(Generic[T]):
    """What is known of each key, for all keys, or for every second, fourth, ... as soon as these are too many.

    Which keys stay depends on the keys alone, and not on their order or number; of a key that stays, nothing is lost.

    Parameters
    ----------
    most : int
        Most keys.
    make : callable
        Makes what is known of a new key.

    Attributes
    ----------
    every : int
        One key of so many is in the sample: 1, 2, 4, ...
    kept : dict
        The keys, and what is known of them.

    Examples
    --------
    >>> sample = Sample(10, list)
    >>> for number in range(100):
    ...     if (seen := sample.get(str(number % 25))) is not None:
    ...         seen.append(number)
    >>> sample.every, [seen for seen in sample.kept.values()][0]
    (4, [4, 29, 54, 79])
    """

    def __init__(self, most: int, make: Callable[[], T]) -> None:
        self.every = 1
        self.kept: dict[str, T] = {}
        self._most, self._make = most, make

    def get(self, key: str) -> T | None:
        """Give what is known of a key, None if it is not in the sample."""
        known = self.kept.get(key)
        if known is not None:
            return known
        if not self._is_in(key):
            return None
        self.kept[key] = known = self._make()
        while len(self.kept) > self._most:
            self.every *= 2
            self.kept = {one: value for one, value in self.kept.items() if self._is_in(one)}
        return known if key in self.kept else None

    @property
    def total(self) -> int:
        """The number of different keys that there are, estimated if not all are in the sample."""
        return len(self.kept) * self.every

    def _is_in(self, key: str) -> bool:
        return self.every == 1 or zlib.crc32(key.encode("utf-8", WRITTEN)) % self.every == 0

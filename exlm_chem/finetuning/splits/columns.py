"""By a column of the table: its parts, its groups, or its dates."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.finetuning.cell_counts import CellCounts
from exlm_chem.finetuning.spellings import is_unknown, tidy
from exlm_chem.finetuning.splits.split import PART_NAMES, PARTS, Split, Splittable, given_split, limits, need_groups

_FORMATS: Final = ("%Y-%m", "%Y/%m/%d", "%d.%m.%Y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y")
_EITHER: Final = ("%d/%m/%Y", "%m/%d/%Y")


def column_split(data: Splittable, column: str) -> Split:
    """Split as a column of the table says: train, valid or test; an empty cell is a molecule in no part.

    Raises
    ------
    ExLMError
        If a cell says something else.

    Examples
    --------
    >>> split = column_split(Splittable(["C", "CC", "CCC"], cells=["train", "test", "Train"]), "part")
    >>> split.train
    [0, 2]
    """
    words = [tidy(cell) for cell in data.cells]
    parts = [None if is_unknown(word) else PART_NAMES.get(word.casefold(), word) for word in words]
    if wrong := {part for part in parts if part is not None and part not in PARTS}:
        remedy = f"write train, valid or test, leave the cell empty, or use --split group:{column}"
        lines = [data.line(index) for index in range(len(data))]
        CellCounts(data.name, column, words, lines).refuse(wrong, "cells", "no part of a split", remedy)
    return given_split(data.smiles, parts, f"column {column}", f"the column '{column}' of the table")


def group_split(data: Splittable, column: str, seed: int = 0) -> Split:
    """Split at random, 80/10/10, so that rows with one cell in a column stay together.

    Raises
    ------
    ExLMError
        If there are fewer than three groups.

    Examples
    --------
    >>> data = Splittable(["C"] * 40, cells=["a", "b", "c", "d"] * 10)
    >>> len(group_split(data, "batch").train) % 10
    0
    """
    placed, unplaced = _filled(data)
    groups = [cell.strip() for cell in data.cells]
    names = list(dict.fromkeys(groups[index] for index in placed))
    need_groups(len(names), 3, f"groups in column '{column}' of {data.name}")
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    size = dict.fromkeys(order, 0)
    for index in placed:
        size[groups[index]] += 1
    part_of = dict(zip(order, _by_middles(list(size.values())), strict=True))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for index in placed:
        parts[part_of[groups[index]]].append(index)
    description = f"whole groups of the column '{column}' at random, about 80/10/10, seed {seed}"
    return Split(f"group {column}", description, *parts, groups, unplaced)


def date_split(data: Splittable, column: str) -> Split:
    """Split by time: the oldest 80 % to learn from, the newest 10 % to test; rows of one date stay together.

    Raises
    ------
    ExLMError
        If a cell is no date, or the dates may be read in two ways.

    Examples
    --------
    >>> data = Splittable(["C"] * 10, cells=[str(2020 - year) for year in range(10)])
    >>> date_split(data, "year").test
    [0]
    """
    order, unplaced = dated(data, column)
    members: dict[float, list[int]] = defaultdict(list)
    for date, index in order:
        members[date].append(index)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for part, indices in zip(_by_middles([len(one) for one in members.values()]), members.values(), strict=True):
        parts[part].extend(indices)
    description = f"by the column '{column}' of the table, the oldest 80 % to learn from, the newest 10 % to test"
    return Split(f"date {column}", description, *parts, groups=list(data.smiles), unplaced=unplaced)


def dated(data: Splittable, column: str) -> tuple[list[tuple[float, int]], list[int]]:
    """Give the molecules with their dates as numbers, oldest first, and those without one."""
    placed, unplaced = _filled(data)
    texts = [data.cells[index].strip() for index in placed]
    if not texts:
        raise ExLMError(f"column '{column}' of {data.name} is empty; use --split random")
    read: Callable[[str], float] | None
    for read in (_iso, _number, *(_by_format(one) for one in _FORMATS)):
        if (dates := _all(read, texts)) is not None:
            return _in_order(data, column, dates, placed), unplaced
    ways = [dates for one in _EITHER if (dates := _all(_by_format(one), texts)) is not None]
    if len(ways) == 2 and not np.array_equal(np.argsort(ways[0], kind="stable"), np.argsort(ways[1], kind="stable")):
        raise ExLMError(
            f"column '{column}' of {data.name}: {quoted(texts[0])} may be day/month or month/day; "
            "write the dates as 2026-12-31"
        )
    if not ways:
        bad = next((place for place, text in enumerate(texts) if not _is_date(text)), 0)
        raise ExLMError(
            f"{data.name}, line {data.line(placed[bad])}, column '{column}': {quoted(texts[bad])} is no date as the "
            "others are; write all of them as 2026-12-31, or leave the cell empty"
        )
    return _in_order(data, column, ways[0], placed), unplaced


def _in_order(data: Splittable, column: str, dates: list[float], placed: list[int]) -> list[tuple[float, int]]:
    need_groups(len(set(dates)), 3, f"dates in column '{column}' of {data.name}")
    return sorted(zip(dates, placed, strict=True))


def _by_middles(sizes: Sequence[int]) -> list[int]:
    """Give the part of groups that stand in a line: that in which the middle of the group falls."""
    middles = np.cumsum(sizes) - np.array(sizes) / 2
    return [int(part) for part in np.searchsorted(limits(sum(sizes)), middles, side="right")]


def _filled(data: Splittable) -> tuple[list[int], list[int]]:
    """Tell molecules with something in the cell from those with nothing."""
    empty = [is_unknown(tidy(cell)) for cell in data.cells]
    return [i for i, nothing in enumerate(empty) if not nothing], [i for i, nothing in enumerate(empty) if nothing]


def _all(read: Callable[[str], float], texts: Sequence[str]) -> list[float] | None:
    try:
        return [read(text) for text in texts]
    except ValueError:
        return None


def _iso(text: str) -> float:
    return _seconds(datetime.fromisoformat(text))


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _by_format(form: str) -> Callable[[str], float]:
    return lambda text: _seconds(datetime.strptime(text, form))  # noqa: DTZ007  (without a zone, it is UTC)


def _seconds(date: datetime) -> float:
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _is_date(text: str) -> bool:
    return any(_all(read, [text]) for read in (_iso, _number, *map(_by_format, (*_FORMATS, *_EITHER))))

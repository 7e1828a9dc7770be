"""Columns of the user's own table as a block: numbers (pH, temperature) and categories (assay, species)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError, printable, quoted
from exlm_chem.features.block import FeatureBlock
from exlm_chem.storage.records import check_fields, from_json
from exlm_chem.tables.numbers import is_missing, number_in

MOST_CATEGORIES: Final = 50
"""A column of texts with more different ones names its rows, and says nothing about others."""

_LARGEST: Final = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class ColumnEncoding:
    """How the cells of one column become numbers."""

    name: str
    categories: tuple[str, ...] | None = None
    """One number for each: whether it is this one. None for a column of numbers."""

    def __str__(self) -> str:
        what = "a number" if self.categories is None else f"one of {_listed(self.categories)}"
        return f"{quoted(self.name)}, {what}"


@dataclass(frozen=True, slots=True)
class _Encodings:
    columns: tuple[ColumnEncoding, ...]

    def __post_init__(self) -> None:
        check_fields(self)


class Encoded(NamedTuple):
    """Cells of some rows as numbers."""

    numbers: NDArray[np.float32]
    """Shape (rows, width); NaN where nothing is known."""
    notes: list[str | None]
    """For every row, what is taken as unknown: an empty cell, or a category that was not met in training."""
    errors: list[str | None]
    """For every row, why it cannot be encoded: there is no number in a column of numbers."""


class ColumnsBlock(FeatureBlock):
    """Numbers and categories of some columns, as they were met in training.

    Parameters
    ----------
    columns : sequence of ColumnEncoding
        What `fit` found.

    Examples
    --------
    >>> block = ColumnsBlock.fit({"pH": ["7.4", "2"], "assay": ["cell", "enzyme"]})
    >>> block.names
    ('pH', 'assay=cell', 'assay=enzyme')
    >>> block.encode({"pH": ["7", ""], "assay": ["enzyme", "animal"]}).numbers.tolist()
    [[7.0, 0.0, 1.0], [nan, nan, nan]]
    >>> print(*block.columns, sep="; ")
    'pH', a number; 'assay', one of 'cell', 'enzyme'
    """

    name = "columns"

    def __init__(self, columns: Sequence[ColumnEncoding]) -> None:
        self.columns = tuple(columns)
        self.names = tuple(name for column in self.columns for name in _names(column))

    @classmethod
    def fit(cls, cells: Mapping[str, Sequence[Any]]) -> Self:
        """Find out what some columns hold.

        Parameters
        ----------
        cells : mapping
            For every column, by its name, its cells of the training rows. A column in which every known cell is a
            number is one of numbers.

        Raises
        ------
        ExLMError
            If a column is empty, or has more than 50 different texts.
        """
        return cls([_fitted(name, [cell for cell in column if not is_missing(cell)]) for name, column in cells.items()])

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Self:
        """Make the block from its `settings`."""
        return cls(from_json(_Encodings, settings).columns)

    @property
    def settings(self) -> dict[str, Any]:
        """The columns, and the categories of each."""
        return {"columns": [asdict(column) for column in self.columns]}

    def encode(self, cells: Mapping[str, Sequence[Any]]) -> Encoded:
        """Turn cells into numbers.

        Parameters
        ----------
        cells : mapping
            For every column, by its name, the cells of all rows.

        Raises
        ------
        ExLMError
            If a column is missing.
        """
        absent = [column.name for column in self.columns if column.name not in cells]
        if absent:
            raise ExLMError(f"column {quoted(absent[0])} is missing, which the predictor reads besides the molecules")
        rows = max((len(cells[column.name]) for column in self.columns), default=0)
        values = np.full((rows, self.width), np.nan, np.float32)
        notes: list[str | None] = [None] * rows
        errors: list[str | None] = [None] * rows
        start = 0
        for column in self.columns:
            width = len(_names(column))
            for row, cell in enumerate(cells[column.name]):
                try:
                    numbers = _encoded(column, cell)
                except ValueError:
                    errors[row] = errors[row] or f"column {quoted(column.name)}: {quoted(cell)} is no number"
                    continue
                if numbers is None:
                    told = "empty" if is_missing(cell) else f"{quoted(cell)}, which was not met in training"
                    told = f"{printable(column.name)} is taken as unknown: it is {told}"
                    notes[row] = told if notes[row] is None else f"{notes[row]}; {told}"
                else:
                    values[row, start : start + width] = numbers
            start += width
        return Encoded(values, notes, errors)


def cells_of(extra: Any, rows: int) -> dict[str, list[Any]]:
    """Give the columns of a table of pandas, or of a dict, as lists; a single value is that of all rows.

    Raises
    ------
    ExLMError
        If a column has another length.

    Examples
    --------
    >>> cells_of({"pH": [7.4, 2.0], "assay": "cell"}, 2)
    {'pH': [7.4, 2.0], 'assay': ['cell', 'cell']}
    """
    found: dict[str, list[Any]] = {}
    for name in () if extra is None else extra:
        column = extra[name]
        one = isinstance(column, str) or not isinstance(column, Iterable)
        found[str(name)] = [column] * rows if one else list(column)
        if len(found[str(name)]) != rows:
            raise ExLMError(f"column {quoted(name)} has {len(found[str(name)]):,} cells for {rows:,} molecules")
    return found


def _names(column: ColumnEncoding) -> list[str]:
    return [column.name] if column.categories is None else [f"{column.name}={one}" for one in column.categories]


def _fitted(name: str, known: list[Any]) -> ColumnEncoding:
    if not known:
        raise ExLMError(f"column {quoted(name)} is empty in all training rows; leave it out of the extra columns")
    try:
        for cell in known:
            _number(cell)
    except ValueError:
        categories = sorted({str(cell).strip() for cell in known})
    else:
        return ColumnEncoding(name)
    if len(categories) > MOST_CATEGORIES:
        raise ExLMError(
            f"column {quoted(name)} holds {len(categories):,} different texts, and at most {MOST_CATEGORIES} "
            "categories can be learnt from; correct it, or leave it out of the extra columns"
        )
    return ColumnEncoding(name, tuple(categories))


def _number(cell: Any) -> float:
    number = number_in(cell)
    if abs(number) > _LARGEST:
        raise ValueError("too large for a feature")
    return number


def _encoded(column: ColumnEncoding, cell: Any) -> list[float] | None:
    """Give the numbers of a cell; None where nothing is known."""
    if is_missing(cell):
        return None
    if column.categories is None:
        return [_number(cell)]
    text = str(cell).strip()
    return [float(text == one) for one in column.categories] if text in column.categories else None


def _listed(categories: Sequence[str]) -> str:
    shown = ", ".join(quoted(one) for one in categories[:5])
    return shown if len(categories) <= 5 else f"{shown} and {len(categories) - 5} more"

"""What every format makes of a file: names of columns, and one record per row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from exlm_chem.tables.names import free_name


@dataclass(slots=True)
class Record:
    """One row of a file of molecules.

    Examples
    --------
    >>> Record(2, ["CCO", "ethanol"], smiles="CCO").cells
    ['CCO', 'ethanol']
    """

    line: int
    """Line of the file where the row begins, from 1; of Parquet, which has no lines, the number of the row."""
    cells: list[Any]
    """The cells of all columns: strings, or Arrow scalars from Parquet."""
    error: str | None = None
    """What is wrong with the row as a row; whether the SMILES is one is not looked at here."""
    smiles: str | None = None
    """The cell of the SMILES column."""
    note: str | None = None
    """What was done to that cell so that it could be read."""


@dataclass(slots=True)
class Table:
    """Column names and the rows that are still to be read."""

    columns: list[str]
    rows: Iterator[Record]
    smiles_index: int
    """The column of the SMILES."""
    close: Callable[[], None] = lambda: None
    types: list[Any] | None = None
    """Arrow types of the columns, for Parquet."""
    form: dict[str, Any] = field(default_factory=dict)
    """How the file is understood, as far as there was something to find out."""


class FieldColumns:
    """The columns of a format whose records name their own fields: all names, in the order of first appearance.

    A name that a record has twice gets two columns.

    Parameters
    ----------
    own : sequence of str
        Columns that the format has besides; a field of the same name is kept, and the own one gets a prefix.
    prefix : str
        That prefix.

    Examples
    --------
    >>> fields = FieldColumns(["name"], "sdf_")
    >>> fields.add(["id", "id", "name"])
    >>> fields.names
    ['sdf_name', 'id', 'id_2', 'name']
    >>> fields.cells([("id", "7"), ("name", "x")], "")
    ['7', '', 'x']
    """

    def __init__(self, own: Sequence[str] = (), prefix: str = "") -> None:
        self._own, self._prefix = own, prefix
        self._places: dict[tuple[str, int], int] = {}

    def add(self, names: Iterable[str]) -> None:
        """Take the names of one record's fields."""
        seen = Counter[str]()
        for name in names:
            seen[name] += 1
            self._places.setdefault((name, seen[name]), len(self._places))

    @property
    def names(self) -> list[str]:
        """The names of all columns, the own ones first; no two are the same."""
        taken = {name for name, occurrence in self._places if occurrence == 1}

        def free(name: str, prefix: str = "") -> str:
            found = free_name(name, taken, prefix)
            taken.add(found)
            return found

        own = [free(name, self._prefix) for name in self._own]
        return own + [name if occurrence == 1 else free(f"{name}_{occurrence}") for name, occurrence in self._places]

    def cells(self, fields: Iterable[tuple[str, Any]], empty: Any) -> list[Any]:
        """Put the fields of one record into their columns, without the own ones.

        Raises
        ------
        KeyError
            If one of them was not added.
        """
        cells = [empty] * len(self._places)
        seen = Counter[str]()
        for name, value in fields:
            seen[name] += 1
            cells[self._places[name, seen[name]]] = value
        return cells


def as_text(cell: Any) -> str | None:
    """Give the text of a cell; None for a null of Arrow."""
    if isinstance(cell, str):
        return str(cell)
    try:
        value = cell.as_py()  # an Arrow scalar
    except (ValueError, OverflowError):  # a text that is no UTF-8, a time beyond Python's
        value = cell.as_buffer().to_pybytes() if hasattr(cell, "as_buffer") else str(cell)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value if value is None or isinstance(value, str) else str(value)

"""JSON Lines: one JSON object per line, whose names are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, Self

from exlm_chem.errors import ExLMError, quoted
from exlm_chem.tables.columns import choose_smiles_column
from exlm_chem.tables.formats.table import FieldColumns, Record, Table
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.sources import Lines, Source


class JsonCell(str):
    """The text of a JSON value as it stands in the file, which knows the value too.

    In text formats a cell is written as it was; in JSON, `as_py` (as of an Arrow scalar) gives number, list or null.

    Examples
    --------
    >>> cell = JsonCell("1.50", 1.5)
    >>> cell, cell.as_py()
    ('1.50', 1.5)
    """

    __slots__ = ("_value",)
    _value: Any

    def __new__(cls, text: str, value: Any = None) -> Self:
        """Make the cell."""
        cell = super().__new__(cls, text)
        cell._value = value
        return cell

    @property
    def is_valid(self) -> bool:
        """Whether it is something else than null, as of an Arrow scalar."""
        return self._value is not None

    def as_py(self) -> Any:
        """Give the value."""
        return self._value


NULL: Final = JsonCell("", None)


def is_json_lines(head: Sequence[str]) -> bool:
    r"""Tell JSON Lines by the first line: an object, and nothing else.

    Examples
    --------
    >>> is_json_lines(['{"smiles": "CCO"}\n']), is_json_lines(["{\n"]), is_json_lines(["CCO\n"])
    (True, False, False)
    """
    first = next((line for line in head if line.strip()), "")
    return first.lstrip("\ufeff ").startswith("{") and isinstance(_fields(first), list)


def open_json_lines(source: Source, options: ReadOptions, _wanted: Sequence[str] = ()) -> Table:
    """Open a file of JSON objects. It is read twice: they differ from line to line, and the columns come first."""
    columns = FieldColumns()
    passes = source.twice()
    for _, fields in _objects(next(passes)):
        if not isinstance(fields, str):
            columns.add(name for name, _ in fields)
    names = columns.names
    if not names:
        raise ExLMError(f'{source.name} holds no JSON object; each line should be one, such as {{"smiles": "CCO"}}')
    lines = next(passes)
    head = [fields for fields in map(_fields, lines.peek()) if not isinstance(fields, str)]

    def cells(index: int) -> list[str]:
        return [columns.cells(fields, NULL)[index] for fields in islice(head, 20)]

    index = choose_smiles_column(names, cells, options.smiles_column, source.name, source.note)
    return Table(names, (_row(line, fields, columns) for line, fields in _objects(lines)), index, source.close)


def _row(line: int, fields: list[tuple[str, Any]] | str, columns: FieldColumns) -> Record:
    if isinstance(fields, str):
        return Record(line, columns.cells([], NULL), fields)
    try:
        return Record(line, columns.cells(fields, NULL))
    except KeyError:
        return Record(line, columns.cells([], NULL), "the file was changed while it was read")


def _objects(lines: Lines) -> Iterator[tuple[int, list[tuple[str, Any]] | str]]:
    """Give the number of each line with the names and cells of its object, or what is wrong with it."""
    blank = 0
    for line in lines:
        if not line.strip():
            blank += 1
            continue
        for number in range(lines.number - blank, lines.number):  # blank lines are rows, except those at the end
            yield number, []
        blank = 0
        yield lines.number, _fields(line)


def _fields(line: str) -> list[tuple[str, Any]] | str:
    try:
        value = json.loads(line, object_pairs_hook=_Pairs, parse_int=_number, parse_float=_number, parse_constant=_word)
    except RecursionError:
        return "no JSON object in this line: nested too deeply"
    except ValueError as error:
        reason = getattr(error, "msg", "unreadable")
        return f"no JSON object in this line: {reason} at position {getattr(error, 'pos', 0)} of {quoted(line.strip())}"
    if not isinstance(value, _Pairs):
        return f"no JSON object in this line: {quoted(line.strip())}"
    return [(name, _cell(item)) for name, item in value]


class _Pairs(list[tuple[str, Any]]):
    """The names and values of an object, in which a name may be twice."""


def _cell(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return JsonCell("true" if value else "false", value)
    if isinstance(value, str):
        return value
    plain = _plain(value)
    return JsonCell(json.dumps(plain, ensure_ascii=False), plain)


def _plain(value: Any) -> Any:
    """Give what is inside of an object or list without the cells that its numbers became."""
    if isinstance(value, JsonCell):
        return value.as_py()
    if isinstance(value, _Pairs):
        return {name: _plain(item) for name, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _number(text: str) -> JsonCell:
    try:
        value: float = int(text)
    except ValueError:  # not a whole one, or one of more digits than Python reads
        value = float(text)
    return JsonCell(text, value)


def _word(text: str) -> JsonCell:
    """Take NaN and infinities, which are no JSON but written by Python, for nothing."""
    return JsonCell(text, None)

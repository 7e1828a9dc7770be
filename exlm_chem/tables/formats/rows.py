"""Rows of a table of text. A quote that is never closed costs one row, and not the rest of the file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final, Self

from exlm_chem.errors import ExLMError
from exlm_chem.tables.formats.table import Record
from exlm_chem.tables.sources import LONGEST

# Python's limit of 131,072 characters per cell holds for the whole process, and is of no use to anybody.
csv.field_size_limit(2**31 - 1)

_LONGEST_ROW: Final = 10_000
"""Most lines of a row: a quote that is open for longer is a mistake, and its text would fill the memory."""


def split_rows(lines: Iterable[str], delimiter: str, name: str, before: int = 0) -> Iterator[Record]:
    r"""Read lines as rows; a blank line is a row without cells.

    Parameters
    ----------
    lines : iterable of str
        With their ends.
    delimiter : str
        What stands between cells.
    name : str
        The file, for messages.
    before : int
        Lines of the file that come before these.

    Examples
    --------
    >>> [row.cells for row in split_rows(['a,"b\n', 'c"\n', '"d,e\n', 'f,g\n'], ",", "a.csv")]
    [['a', 'b\nc'], ['"d', 'e'], ['f', 'g']]
    """
    span = _Span(iter(lines), before)
    reader = csv.reader(span, delimiter=delimiter)
    while True:
        span.begin()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ExLMError(f"{name}, line {span.first}: no table of text ({error})") from error
        if cells is None:
            return
        if (len(span.taken) == 1 and not span.ended) or _is_whole(span, delimiter):
            yield Record(span.first, cells)
            continue
        line, alone = span.first, span.taken[0]
        span.give_back()
        reader = csv.reader(span, delimiter=delimiter)
        yield Record(
            line,
            next(csv.reader([alone], delimiter=delimiter, quoting=csv.QUOTE_NONE), [""]),
            f"open quote: never closed in line {line}; take it out, or double it inside of quotes",
        )


def _is_whole(span: _Span, delimiter: str) -> bool:
    """Tell whether lines are one row by the letter of the rules, and not two that stray quotes have joined."""
    if span.full:
        return False
    try:
        return len(list(csv.reader(span.taken, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


class _Span:
    """The lines of one row as the reader takes them; they can be given back.

    Attributes
    ----------
    first : int
        Number of the first.
    taken : list of str
        The lines.
    ended, full : bool
        Whether the reader asked for one more when there was none, or no more are to be had by one row.
    """

    def __init__(self, lines: Iterator[str], before: int) -> None:
        self._lines, self._back = lines, list[str]()
        self._number, self._characters = before, 0
        self.taken = list[str]()
        self.begin()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LONGEST_ROW or self._characters > LONGEST:
            self.full = True
            raise StopIteration
        line = self._back.pop() if self._back else next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self._number += 1
        self._characters += len(line)
        self.taken.append(line)
        return line

    def begin(self) -> None:
        """Begin a row."""
        self.first = self._number + 1
        self.taken, self._characters = [], 0
        self.ended = self.full = False

    def give_back(self) -> None:
        """Give back all but the first line."""
        self._back += reversed(self.taken[1:])
        self._number = self.first

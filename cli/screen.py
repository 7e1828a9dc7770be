"""Tables for reading: drawn to the width of a terminal, and plain and in full where there is none."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from exlm_chem.errors import printable

if TYPE_CHECKING:
    from exlm_chem.tables.writers import TableWriter

_SHORT = 14  # characters of a cell that is never broken
_ROWS_ON_SCREEN = 40
_NUMBER = 11  # characters that a number takes of a line


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = (), **frame: Any
) -> None:
    """Print rows of texts below their headings.

    Parameters
    ----------
    columns : sequence of str
        The headings; without any, there is no line for them.
    rows : iterable of sequence of str
        The cells; lines after the first are dim.
    numbers : iterable of int
        Places of the columns that are written flush right.
    **frame
        Of ``rich.table.Table``.
    """
    from rich.table import Table
    from rich.text import Text

    right, lines = set(numbers), list(rows)
    table = Table(**{"box": None, "pad_edge": False, "header_style": "bold", "show_header": any(columns), **frame})
    for place, column in enumerate(columns):
        if place in right:
            table.add_column(Text(column), justify="right", no_wrap=True)
        else:  # short cells are never broken, so that the long ones share the room
            longest = max((len(line) for row in lines for line in row[place].split("\n")), default=0)
            table.add_column(Text(column), overflow="fold", no_wrap=longest <= _SHORT)
    for row in lines:
        table.add_row(*map(_cell, row))
    _print(table)


def show_heading(text: str) -> None:
    """Print a line that stands out."""
    from rich.text import Text

    _print(Text(f"\n{printable(text)}", style="bold"))


def show_text(text: str) -> None:
    """Print a paragraph, broken at the width of a terminal only."""
    from rich.text import Text

    _print(Text(printable(text)))


def _cell(text: str) -> Any:
    """Make a cell whose first line stands out from those below it."""
    from rich.text import Text

    first, *rest = map(printable, text.split("\n"))
    return Text("\n").join([Text(first), *(Text(line, style="dim") for line in rest)])  # Text, for [nH] is no markup


def _print(shown: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    if sys.stdout.isatty():
        Console(file=sys.stdout, highlight=False).print(shown)
        return
    # A file or another program gets lines that are never broken, and no blanks at their ends.
    console = Console(file=sys.stdout, highlight=False, width=10_000, color_system=None)
    if isinstance(shown, Table):
        for column in shown.columns:
            column.no_wrap = True
    with console.capture() as captured:
        console.print(shown, soft_wrap=not isinstance(shown, Table))
    sys.stdout.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


class _Screen:
    """A table for reading, as long as there are few rows; CSV as soon as there are many."""

    def __init__(self, columns: Sequence[str], whole: Sequence[str]) -> None:
        self.columns, self.whole, self.rows = columns, whole, list[Sequence[Any]]()
        self.csv: TableWriter | None = None

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        self.rows += rows
        if len(self.rows) > _ROWS_ON_SCREEN or self.csv is not None:
            from exlm_chem.tables.writers import CsvWriter

            self.csv = self.csv or CsvWriter(sys.stdout, self.columns, ",")
            self.csv.write(self.rows)
            self.rows = []

    def show(self) -> None:
        """Print what has not been printed."""
        if self.csv is not None:
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        from exlm_chem.tables.writers import cell_text

        console = Console()
        table = Table(box=None, pad_edge=False, header_style="bold")
        if not any(row[-2] for row in self.rows):  # no notes: the room is for the others
            self.columns = [*self.columns[:-2], self.columns[-1]]
            self.rows = [[*row[:-2], row[-1]] for row in self.rows]
        numbers = {i for row in self.rows for i, cell in enumerate(row) if isinstance(cell, float)}
        if _NUMBER * len(numbers) > console.width:
            self._list()
            return
        # numbers are shown in full and reasons on several lines; the other columns share what room is left
        others = len(self.columns) - len(numbers) - 1
        room = (console.width - _NUMBER * len(numbers) - 33) // max(others, 1) - 2
        for index, column in enumerate(self.columns):
            if index in numbers:
                table.add_column(Text(column), justify="right", no_wrap=True)
            elif column in self.whole:
                table.add_column(Text(column), overflow="fold")
            elif index < len(self.columns) - 1:
                table.add_column(Text(column), no_wrap=True, overflow="ellipsis", max_width=max(room, 6))
            else:
                table.add_column(Text(column), overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(cell_text(cell)) for cell in row))  # Text, because [nH] is no markup
        console.print(table)

    def _list(self) -> None:
        """Print every row as a list of its cells, because the numbers do not fit beside each other."""
        from exlm_chem.tables.writers import cell_text

        for number, row in enumerate(self.rows):
            show_heading(f"Row {number + 1}")
            cells = [(column, cell_text(cell)) for column, cell in zip(self.columns, row, strict=True)]
            show_table(("", ""), [(column, text) for column, text in cells if text])


@contextmanager
def open_screen(
    _path: str | None,
    columns: Sequence[str],
    _types: object = None,
    _source: object = None,
    whole: Sequence[str] = (),
) -> Iterator["TableWriter"]:
    """Open a table for a terminal; its last columns are note and error, and those of `whole` are never shortened."""
    screen = _Screen(columns, whole)
    yield cast("TableWriter", screen)
    screen.show()

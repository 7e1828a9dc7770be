"""Tables for reading: drawn to the width of a terminal, and plain and in full where there is none."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from exlm_chem.errors import printable

_SHORT = 14  # characters of a cell that is never broken


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

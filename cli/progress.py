"""What long commands show on stderr, if that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from exlm_chem.errors import printable


@contextmanager
def counting(*, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Count rows, unless it shall be quiet because the rows themselves are shown there."""
    if quiet or not _is_terminal():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    spinner = Spinner("dots", "loading")
    # rich would take what is written to stdout, the results, to stderr
    console = Console(stderr=True)
    with Live(spinner, console=console, transient=True, redirect_stdout=False, redirect_stderr=False):
        yield lambda rows: spinner.update(text=f"{rows:,} rows")


@contextmanager
def bar(title: str) -> Iterator[tuple[Callable[[float, str], None], Callable[[str], None]]]:
    """Draw a bar; gives a function that moves it, and one that prints a sentence (also where there is no terminal)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    hidden = not _is_terminal()
    with Progress(*columns, console=console, disable=hidden, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(title, total=1.0, visible=False)
        yield (
            lambda share, text: progress.update(task, completed=share, description=f"{title}: {text}", visible=True),
            lambda sentence: console.print(printable(sentence), markup=False, soft_wrap=True),
        )


def _is_terminal() -> bool:
    """Tell whether stderr is a terminal, which rich believes of a file too if ``FORCE_COLOR`` is set."""
    return sys.stderr is not None and sys.stderr.isatty()

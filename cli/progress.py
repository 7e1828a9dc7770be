"""What long commands show on stderr, if that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from exlm_chem.errors import printable


@contextmanager
def counting(*, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Count rows, unless it shall be quiet because stdout writes to the same terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    with nullcontext() if quiet or not console.is_terminal else console.status("loading") as status:
        yield lambda rows: status.update(f"{rows:,} rows") if status is not None else None


@contextmanager
def bar(title: str) -> Iterator[tuple[Callable[[float, str], None], Callable[[str], None]]]:
    """Draw a bar; gives a function that moves it, and one that prints a sentence (also where there is no terminal)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=1.0, visible=False)
        yield (
            lambda share, text: progress.update(task, completed=share, description=f"{title}: {text}", visible=True),
            lambda sentence: console.print(printable(sentence), markup=False, soft_wrap=True),
        )

"""``exlm-chem predict``."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options
from .progress import counting
from .streams import say_summary

if TYPE_CHECKING:
    from exlm_chem.tables.writers import TableWriter

EXAMPLE = "exlm-chem predict --task bbbp data/examples.csv"

_ROWS_ON_SCREEN = 40


@takes_options
def predict(
    molecules: Annotated[
        list[str],
        typer.Argument(help="A file (.smi .csv .tsv .jsonl .parquet .sdf, also .gz .zst), - for stdin, or SMILES."),
    ],
    options: PredictionOptions,
    reading: ReadOptions,
    task: Annotated[
        str | None, typer.Option("--task", "-t", help="Tasks that ship with the package: one, several (a,b), or all.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="A predictor's directory; may be given several times.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file to write: .csv .tsv .jsonl (also .gz .zst) .parquet [stdout]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object per row on stdout.")] = False,
) -> None:
    """Predict properties of molecules.

    The result has one row per input row, in order, with all its columns and then the predictions. A molecule that
    cannot be read has no prediction and its reason in the column "error"; what was left aside without harm, such as a
    name behind the SMILES, stands in the column "note".
    """
    from exlm_chem.tables.writers import open_writer

    names = _predictor_names(task, model or [])
    if output is None and not as_json and sys.stdout.isatty():
        opened: Any = _open_screen
    else:
        opened = partial(open_writer, stdout_format="jsonl" if as_json else "csv")

    from exlm_chem.prediction.table import predict_file

    with counting(quiet=output is None and sys.stdout.isatty()) as progress:
        summary = predict_file(
            molecules, names, output, options, reading=reading, progress=progress, open_output=opened
        )
    say_summary(summary)


def _predictor_names(task: str | None, models: Sequence[str]) -> list[str]:
    """Give names and directories for `load_predictors`."""
    from exlm_chem import locations
    from exlm_chem.errors import ExLMError, quoted

    tasks = [name for name in locations.available() if locations.is_predictor(locations.SHIPPED / name)]
    listed = ", ".join(tasks) or "none in this installation"
    wanted = [] if task is None else tasks if task == "all" else [name.strip() for name in task.split(",")]
    for flag, names in (("--task", wanted), ("--model", models)):
        if not all(names):
            raise typer.BadParameter(f"{flag} has an empty name; the tasks are: {listed}")
    for name in wanted:
        if name not in tasks:
            raise ExLMError(
                f"no task {quoted(name)} ships with exlm-chem; the tasks are: {listed}; for a directory use --model"
            )
    if not wanted and not models:
        raise typer.BadParameter(f"name a task ({listed}) or a predictor's directory", param_hint="--task or --model")
    return list(dict.fromkeys((*wanted, *models)))


class _Screen:
    """A table for reading, as long as there are few rows; CSV as soon as there are many."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns, self.rows = columns, list[Sequence[Any]]()
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
        # numbers are shown in full and reasons on several lines; the other columns share what room is left
        others = len(self.columns) - len(numbers) - 1
        room = (console.width - 11 * len(numbers) - 33) // max(others, 1) - 2
        for index, column in enumerate(self.columns):
            if index in numbers:
                table.add_column(Text(column), justify="right", no_wrap=True)
            elif index < len(self.columns) - 1:
                table.add_column(Text(column), no_wrap=True, overflow="ellipsis", max_width=max(room, 6))
            else:
                table.add_column(Text(column), overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(cell_text(cell)) for cell in row))  # Text, because [nH] is no markup
        console.print(table)


@contextmanager
def _open_screen(
    _path: str | None, columns: Sequence[str], _types: object = None, _source: object = None
) -> Iterator["TableWriter"]:
    screen = _Screen(columns)
    yield cast("TableWriter", screen)
    screen.show()

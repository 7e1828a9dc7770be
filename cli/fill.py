"""``exlm-chem fill``."""

import sys
from functools import partial
from typing import Annotated, Any

import typer

from exlm_chem.generation.options import FillFileOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options

EXAMPLE = "exlm-chem fill 'c1ccc([MASK])cc1' -n 5"


@takes_options
def fill(
    molecules: Annotated[
        list[str],
        typer.Argument(help="SMILES with [MASK], or molecules whose atoms are named; a file of them, or - for stdin."),
    ],
    options: FillFileOptions,
    reading: ReadOptions,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model that ships, or a model directory.")
    ] = "exlm-small",
    task: Annotated[
        str | None,
        typer.Option("--task", "-t", help="Predictors whose numbers stand beside: names or directories, with commas."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file to write: .csv .tsv .jsonl (also .gz .zst) .parquet [stdout]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object per row on stdout.")] = False,
) -> None:
    """Propose what stands in masked places of molecules.

    The result has one row per proposal, the best first, with the molecule that it was made from in "parent". The
    log-likelihood is summed over all paths through the states of the masks.
    """
    from exlm_chem.generation.table import fill_file
    from exlm_chem.tables.writers import open_writer

    from .progress import counting
    from .screen import open_screen
    from .streams import say_summary

    on_screen = output is None and sys.stdout.isatty()
    opened: Any = partial(open_writer, stdout_format="jsonl" if as_json else "csv")
    if on_screen and not as_json:
        opened = partial(open_screen, whole=("proposal", "filled"))
    with counting(quiet=on_screen) as progress:
        summary = fill_file(
            molecules, model, output, options, predictors=_names(task), reading=reading, progress=progress,
            open_output=opened,
        )  # fmt: skip
    say_summary(summary)


def _names(task: str | None) -> list[str]:
    names = [] if task is None else [name.strip() for name in task.split(",")]
    if not all(names):
        raise typer.BadParameter("--task has an empty name")
    return list(dict.fromkeys(names))

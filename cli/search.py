"""``exlm-chem search``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.analysis.search import SearchOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options

EXAMPLE = "exlm-chem search 'c1ccccc1O' --in data/examples.csv -n 3"


@takes_options
def search(
    molecules: Annotated[
        list[str],
        typer.Argument(help="What is looked for: SMILES, a file of molecules, or - for stdin."),
    ],
    library: Annotated[
        Path, typer.Option("--in", help="What embed wrote: .npz, or a table; or molecules, which are embedded first.")
    ],
    options: SearchOptions,
    reading: ReadOptions,
    model: Annotated[str, typer.Option("--model", "-m", help="The model that made the vectors.")] = "exlm-small",
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file to write: .csv .tsv .jsonl (also .gz .zst) .parquet [stdout]"),
    ] = None,
) -> None:
    """Find the molecules of a library that are nearest to yours.

    The result has one row per molecule found, the nearest first, with all columns of the library. Near is what has a
    like embedding, the same substructures, or both.
    """
    from exlm_chem.analysis.search_table import search_file
    from exlm_chem.tables.writers import open_writer

    from .progress import counting
    from .screen import open_screen
    from .streams import say_summary

    on_screen = output is None and sys.stdout.isatty()
    with counting(quiet=on_screen) as progress:
        summary = search_file(
            molecules, library, model, output, options, reading=reading, progress=progress,
            open_output=open_screen if on_screen else open_writer,
        )  # fmt: skip
    say_summary(summary)

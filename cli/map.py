"""``exlm-chem map``."""

from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.analysis.molecule_map import MapOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options

EXAMPLE = "exlm-chem map data/examples.csv --task bbbp -o map.html"


@takes_options
def map(  # noqa: A001  (the name of the command)
    molecules: Annotated[
        list[str],
        typer.Argument(
            help="What embed wrote, or molecules: a file (.smi .csv .parquet .sdf ...), - for stdin, or SMILES."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A page to write (.html), or a picture (.png .svg .pdf).")
    ],
    options: MapOptions,
    reading: ReadOptions,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model that ships, or a model directory.")
    ] = "exlm-small",
) -> None:
    """Draw molecules as a map on which like ones lie together.

    A page shows structures where the pointer is, and colours by any column of the file, or by what --task predicts;
    nothing is loaded from elsewhere. Like is what has a like embedding.
    """
    from exlm_chem.analysis.molecule_map import map_file

    from .progress import counting
    from .streams import say_summary

    with counting() as progress:
        summary = map_file(molecules, output, model, options, reading=reading, progress=progress)
    say_summary(summary)

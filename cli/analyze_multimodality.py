"""``exlm-chem analyze multimodality``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from exlm_chem.analysis.options import MultimodalityOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options

EXAMPLE = "exlm-chem analyze multimodality -n 50 -o multimodality.png"


@takes_options
def multimodality(
    options: MultimodalityOptions,
    reading: ReadOptions,
    molecules: Annotated[
        list[str] | None,
        typer.Argument(
            help="A file (.smi .csv .tsv .parquet .sdf, also .gz .zst), - for stdin, or SMILES [20,000 that ship]"
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", "-m", help="A model that ships, or a model directory; several by repeating. [exlm-small]"
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A picture to write: .png, .svg or .pdf; numbers beside it in .json.")
    ] = Path("multimodality.png"),
) -> None:
    """Tell how many answers a mask has, and whether the answers to several masks agree.

    Tokens of real molecules are hidden; counted are the answers with which RDKit reads a molecule: the best of each
    mask, the best path through the states, and drawn ones. All models are asked about the same masks.
    """
    from exlm_chem.analysis.multimodality import measure_multimodality
    from exlm_chem.data import data_path

    from .streams import say, say_where

    given = molecules or data_path("zinc_20k.smi.gz")
    models = model or ["exlm-small"]
    _show(measure_multimodality(models, given, output, options, reading=reading, log=say))
    say_where(output)


def _show(results: dict[str, Any]) -> None:
    from .screen import show_heading, show_table

    for name, result in results.items():
        for title, rows in (("masks", result["by_masks"]), ("class", result["by_class"])):
            names = list(next(iter(rows.values())))
            show_heading(f"{name}, by {title}")
            cells = [
                [key, *("" if row[one] != row[one] else f"{row[one]:.3g}" for one in names)]
                for key, row in rows.items()
            ]
            heads = [title, *(one.replace("_", " ") for one in names)]
            show_table(heads, cells, numbers=tuple(range(1, len(heads))))

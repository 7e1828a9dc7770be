"""``exlm-chem analyze semantics``."""

from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.analysis.options import SemanticsOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options

EXAMPLE = "exlm-chem analyze semantics --copies 1 --copies 2 --steps 50 -o semantics.png"


@takes_options
def semantics(
    options: SemanticsOptions,
    reading: ReadOptions,
    molecules: Annotated[
        list[str] | None,
        typer.Argument(help="A file to learn from (.smi .csv .tsv .parquet .sdf, also .gz .zst) [20,000 that ship]"),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A picture to write: .png, .svg or .pdf; numbers beside it in .json.")
    ] = Path("semantics.png"),
) -> None:
    """Train small models on repeated tokens: is it the lost meaning that harms, or the tokens that are not real?

    Every token is repeated, and each copy masked by itself: the share of [MASK] and the share of tokens that are lost
    wholly are then two things. Cells of the grid that stand in the .json already are not trained again.
    """
    from exlm_chem.analysis.semantics import measure_semantics
    from exlm_chem.data import data_path

    from .screen import show_table
    from .streams import say, say_where

    cells = measure_semantics(molecules or data_path("zinc_20k.smi.gz"), output, options, reading=reading, log=say)
    names = ("copies", "masked", "lost", "accuracy", "accuracy_of_lost", "MolLogP", "qed")
    rows = [[_text(cell[name]) for name in names] for cell in cells.values()]
    show_table([name.replace("_", " ") for name in names], rows, numbers=tuple(range(len(names))))
    say_where(output)


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")

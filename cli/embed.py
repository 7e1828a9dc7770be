"""``exlm-chem embed``."""

from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.tables.read_options import ReadOptions

from .files import MOLECULES
from .options import takes_options

EXAMPLE = "exlm-chem embed data/examples.csv -o vectors.npz"


@takes_options
def embed(
    molecules: Annotated[
        list[str],
        typer.Argument(help=MOLECULES),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A file to write: .npz .npy .csv .tsv .parquet (text also .gz .zst).")
    ],
    options: EmbeddingOptions,
    reading: ReadOptions,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model that ships, or a model directory.")
    ] = "exlm-small",
) -> None:
    """Turn molecules into vectors.

    The result has one row per input row, in order, with all its columns. A molecule that cannot be read has NaN and
    its reason in "error"; what was left aside without harm stands in "note". A .npz holds the array "vectors" and one
    array for each other column; a .npy only the vectors.
    """
    from exlm_chem.embedding.table import embed_file

    from .progress import counting
    from .streams import say_summary

    with counting() as progress:
        summary = embed_file(molecules, model, output, options, reading=reading, progress=progress)
    say_summary(summary)

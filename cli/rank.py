"""``exlm-chem rank``."""

from typing import Annotated

import typer

from exlm_chem.prediction.ranking import RankingOptions
from exlm_chem.tables.read_options import ReadOptions

from .files import MOLECULES
from .options import takes_options

EXAMPLE = "exlm-chem rank data/examples.csv --model bbbp -n 3 --diverse --maximize"


@takes_options
def rank(
    molecules: Annotated[
        list[str],
        typer.Argument(help=MOLECULES),
    ],
    options: RankingOptions,
    reading: ReadOptions,
    model: Annotated[str, typer.Option("--model", "-m", help="A predictor that ships, or the directory of one.")],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file to write: .csv .tsv .jsonl (also .gz .zst) .parquet [stdout]"),
    ] = None,
) -> None:
    """Choose the compounds that are worth measuring next.

    The best come first, by the prediction or by what a value may still be where the predictor is unsure; with
    --diverse each is unlike those before it. Only the best are kept in memory.
    """
    from exlm_chem.prediction.ranking import rank_file

    from .progress import counting
    from .streams import say_summary

    with counting() as progress:
        summary = rank_file(molecules, model, output, options, reading=reading, progress=progress)
    say_summary(summary)

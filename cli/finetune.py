"""``exlm-chem finetune``."""

import re
from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.finetuning.options import FinetuningOptions
from exlm_chem.tables.read_options import ReadOptions

from .files import TABLES
from .options import takes_options

EXAMPLE = "exlm-chem finetune tests/data/bbbp_300.csv --target p_np -o runs/my-bbbp"


@takes_options
def finetune(
    data: Annotated[
        list[Path],
        typer.Argument(help=f"A table of measured molecules ({TABLES}), or three: TRAIN VALID TEST."),
    ],
    options: FinetuningOptions,
    labels: LabelOptions,
    reading: ReadOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Directory of the predictor; nothing may be there yet. [runs/NAME-TASK]",
        ),
    ] = None,
) -> None:
    """Train a predictor on a table of measured molecules.

    Labels are numbers, or two words for two classes; an empty cell is a label that is not known. What the cells of a
    column are taken for is said before the training begins. The directory serves "exlm-chem predict --model"; its
    README.md says how good the predictor is on molecules that it was not trained on, splits.json which these are.
    """
    if options.task is None and not options.targets:
        raise typer.BadParameter("give either --task or --target", param_hint="--task or --target")

    from exlm_chem.finetuning.run import finetune as run

    from .progress import bar
    from .streams import say_where

    output = output or Path("runs") / _name(data[0], options)
    with bar("training") as (report, log):
        result = run(data, output, options, labels=labels, reading=reading, log=log, report=report)
    say_where(result.directory)


def _name(data: Path, options: FinetuningOptions) -> str:
    """Name a run after its table and what it learns, in letters that every system takes."""
    what = Path(options.task).name if options.task else "-".join(options.targets)
    return re.sub(r"[^\w.+-]+", "_", f"{data.name.split('.')[0]}-{what}")[:80].strip("_")

"""``exlm-chem predict``."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import typer

from exlm_chem.prediction.options import PredictionOptions
from exlm_chem.tables.read_options import ReadOptions

from .files import MOLECULES
from .importing import importing
from .options import takes_options
from .progress import counting
from .screen import open_screen
from .streams import say_summary

EXAMPLE = "exlm-chem predict --task bbbp data/examples.csv"


@takes_options
def predict(
    molecules: Annotated[
        list[str],
        typer.Argument(help=MOLECULES),
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
        opened: Any = open_screen
    else:
        opened = partial(open_writer, stdout_format="jsonl" if as_json else "csv")

    with importing():  # torch, above all
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

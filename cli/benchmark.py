"""``exlm-chem benchmark``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from exlm_chem.evaluation.options import BenchmarkOptions
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.tables.read_options import ReadOptions

from .files import TABLES
from .options import takes_options

EXAMPLE = (
    "exlm-chem benchmark tests/data/esol_150.csv --target 'measured log solubility in mols per litre' --head linear"
)


@takes_options
def benchmark(
    options: BenchmarkOptions,
    labels: LabelOptions,
    reading: ReadOptions,
    table: Annotated[
        Path | None,
        typer.Argument(metavar="[DATA]", help=f"A table of measured molecules: {TABLES}."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare kinds of features, each with the same heads: is a language model worth it for these molecules?

    A head is chosen by cross-validation inside of training and validation, scaffold by scaffold; the test part is
    looked at once.
    """
    from exlm_chem.evaluation.benchmark import run_benchmark, summarise
    from exlm_chem.storage import json_text

    from .progress import bar
    from .screen import show_text

    with bar("comparing") as (report, _):
        results = run_benchmark(table, options, labels, reading, report)
    if as_json:
        content = {"tables": [one.to_json() for one in results], "summary": summarise(results)}
        typer.echo(json_text(content, indent=2))
        return
    for one in results:
        _show(one.to_json())
        if len(results) > 1:
            show_text(str(one))
    show_text(summarise(results))


def _show(result: dict[str, Any]) -> None:
    from .screen import show_heading, show_table, show_text

    sizes = ", ".join(f"{count:,} {name}" for name, count in result["molecules"].items())
    show_heading(f"{result['table']}: {result['metric']}, {sizes}")
    for note in result["notes"]:
        show_text(note)
    rows = []
    for trial in result["trials"]:
        chosen, interval = trial["chosen_by"][trial["head"]], trial["interval"]
        value = "-" if trial["test"] is None else f"{trial['test']:.3f} +- {trial['sd']:.3f}"
        bounds = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "-"
        rows.append([trial["features"], trial["head"], "-" if chosen is None else f"{chosen:.3f}", value, bounds])
    show_table(["features", "head", "cross-validation", "test", "95 % interval"], rows, numbers=(2, 3))

"""``exlm-chem evaluate``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from exlm_chem.evaluation.options import EvaluateOptions
from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.tables.read_options import ReadOptions

from .files import TABLES
from .options import takes_options

EXAMPLE = "exlm-chem evaluate bbbp tests/data/bbbp_300.csv"


@takes_options
def evaluate(
    predictor: Annotated[str, typer.Argument(help="A predictor that ships, or the directory of one.")],
    data: Annotated[Path, typer.Argument(help=f"A table of measured molecules: {TABLES}.")],
    options: EvaluateOptions,
    labels: LabelOptions,
    reading: ReadOptions,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Judge a predictor on measured molecules: metrics with intervals, calibration, coverage, errors far away.

    Molecules that it was trained on are judged apart, as far as the predictor says which these are.
    """
    from exlm_chem.evaluation.evaluate import evaluate_predictor
    from exlm_chem.storage import json_text

    from .streams import say

    result = evaluate_predictor(predictor, data, options, labels, reading)
    for note in result.notes:
        say(note)
    if as_json:
        typer.echo(json_text(result.to_json(), indent=2))
        return
    for group in result.groups.values():
        _show(group, result.to_json()["main_metric"])


def _show(group: dict[str, Any], main: str) -> None:
    from .screen import show_heading, show_table, show_text

    show_heading(f"{group['molecules']:,} molecules that {group['meaning']}")
    columns = group["columns"]
    if len(columns) > 1:
        measured = {name: one["metrics"][main] for name, one in columns.items()}
        rows = [[name, f"{columns[name]['known']:,}", *_cells(one)] for name, one in measured.items()]
        show_table(["column", "known", main, "95 % interval"], rows, numbers=(1, 2))
        values = [
            one["metrics"][main]["value"] for one in columns.values() if one["metrics"][main]["value"] is not None
        ]
        if values:
            show_text(f"mean of {len(values)} of {len(columns)} columns: {sum(values) / len(values):.3f}")
        return
    (one,) = columns.values()
    show_table(["metric", "value", "95 % interval"], [[k, *_cells(v)] for k, v in one["metrics"].items()], numbers=(1,))
    for bin_ in one.get("calibration", []):
        share, said = f"{bin_['share']:.0%}", f"{bin_['probability']:.0%}"
        show_text(f"where {said} is predicted, {share} of {bin_['molecules']:,} are 1")
    for what in ("intervals", "sets"):
        if what in one:
            show_text(f"{what} that promise {one[what]['promised']:.0%} hold {one[what]['coverage']:.1%}")
    if far := one.get("error_by_distance", {}).get("fifths"):
        errors = " ".join(f"{part['rmse']:.2f}" for part in far)
        show_text(f"root mean squared error by distance to the training molecules, the nearest fifth first: {errors}")


def _cells(measured: dict[str, Any]) -> list[str]:
    if measured["value"] is None:
        return ["-", str(measured["why"])]
    interval = measured["interval"]
    return [f"{measured['value']:.3f}", f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""]

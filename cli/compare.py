"""``exlm-chem compare``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from exlm_chem.evaluation.options import CompareOptions

from .options import takes_options

EXAMPLE = "exlm-chem compare tests/data/runs/descriptors tests/data/runs/ecfp"


@takes_options
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Directories with predictions.csv, or such files, at least two.")],
    options: CompareOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A picture of the result: .png, .svg or .pdf.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Tell which of several runs is better, and whether that is more than chance.

    The runs must have predicted the same molecules of the same folds, best five times five (columns: row, part, fold,
    seed, target, y, prediction). Folds share training molecules, so that p-values are somewhat too small.
    """
    from exlm_chem.evaluation.comparison import compare as run
    from exlm_chem.storage import json_text

    result = run(runs, options)
    if output is not None:
        from exlm_chem.evaluation.comparison_plot import plot

        plot(result, output)
    if as_json:
        typer.echo(json_text(result.to_json(), indent=2))
        return
    _show(result.to_json())


def _show(result: dict[str, Any]) -> None:
    from .screen import show_table, show_text

    rows = []
    for place, one in enumerate(result["methods"]):
        difference, p = result["differences"][place][0], result["p_values"][place][0]
        compared = ("", "") if place == 0 else (f"{difference:+.3f}", "< .001" if p < 0.001 else f"{p:.3f}")
        rows.append([one["name"], f"{one['mean']:.3f}", f"{one['sd']:.3f}", *compared])
    show_table(["run", result["metric"], "sd", "to the best", "p"], rows, numbers=(1, 2, 3, 4))
    test = {"tukey": "Tukey's test", "conover": "Conover's test"}[result["test"]]
    show_text(
        f"{len(result['folds'])} folds; {test}: {result['why_this_test']}; "
        f"p that all are alike {result['p_all_alike']:.2g}"
    )
    show_text(result["summary"])

"""``exlm-chem analyze ablation``."""

from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.analysis.options import AblationOptions

from .options import takes_options

EXAMPLE = "exlm-chem analyze ablation --variants exlm,mlm --seeds 1 --passes 0.1 -o ablation.png"


@takes_options
def ablation(
    options: AblationOptions,
    corpus: Annotated[
        list[Path] | None,
        typer.Argument(help="Files to learn from: .smi .csv .tsv .parquet .sdf, also .gz .zst [20,000 that ship]"),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A picture to write: .png, .svg or .pdf; numbers beside it in .json.")
    ] = Path("ablation.png"),
    models: Annotated[Path | None, typer.Option("--models", help="A folder that keeps the trained models.")] = None,
) -> None:
    """Tell what each part of the model is worth, by small runs that differ in one thing.

    All variants see the same molecules as often and are measured on the same masks; mlm-equal-seconds sees as many as
    it can in the CPU time that exlm takes. Runs that stand in the .json already are not made again.
    """
    from exlm_chem.analysis.ablation import MEASURES, measure_ablation
    from exlm_chem.data import data_path

    from .screen import show_table
    from .streams import say, say_where

    summary = measure_ablation(corpus or [data_path("zinc_20k.smi.gz")], output, options, models=models, log=say)
    rows = [[variant, *(_text(*measured[name]) for name in MEASURES)] for variant, measured in summary.items()]
    numbers = tuple(range(1, len(MEASURES) + 1))
    show_table(["variant", *(name.replace("_", " ") for name in MEASURES)], rows, numbers=numbers)
    say_where(output)


def _text(mean: float, half: float) -> str:
    """Write a mean and half of its interval, which a single seed does not have."""
    if mean != mean:  # noqa: PLR0124  (NaN: not measured)
        return ""
    digits = 0 if mean >= 1000 else 1 if mean >= 10 else 3
    return f"{mean:,.{digits}f}" + ("" if half != half else f" ±{half:,.{digits}f}")  # noqa: PLR0124

"""``exlm-chem pretrain``: from SMILES files to a model directory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exlm_chem.pretraining.options import CORPUS, LENGTH, OUTPUT, PretrainingOptions

from .options import takes_options
from .progress import bar

if TYPE_CHECKING:
    from exlm_chem.pretraining.measurements import Progress

EXAMPLE = "exlm-chem pretrain data/zinc_20k.smi.gz --preset tiny --max-time 1m -o runs/first"


@takes_options
def pretrain(
    corpus: Annotated[
        list[str], typer.Argument(help="SMILES files or tables: .smi .csv .tsv .parquet .sdf, also .gz or .zst.")
    ],
    options: PretrainingOptions,
    valid: Annotated[
        str,
        typer.Option(
            help="Validation molecules: a share of the corpus, or a file.",
            metavar="SHARE|FILE",
            rich_help_panel=CORPUS,
        ),
    ] = str(PretrainingOptions.validation),
    smiles_column: Annotated[
        str | None,
        typer.Option(help="The column of the SMILES [found by its name]", metavar="NAME", rich_help_panel=CORPUS),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Where prepared corpora are kept [$EXLM_CHEM_CACHE, or the user's cache directory]",
            metavar="DIR",
            rich_help_panel=CORPUS,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The run's and later the model's directory [runs/NAME-PRESET-OBJECTIVE]",
            metavar="DIR",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on where an earlier run in the output stopped.", rich_help_panel=LENGTH),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only say what the run would need, from a few steps; nothing is kept.",
            rich_help_panel=LENGTH,
        ),
    ] = False,
) -> None:
    """Pretrain a model on your own molecules, on a laptop or a GPU.

    The run's directory gets checkpoints, metrics.csv, curves.png, run.json and, in the end, the model.
    """
    from dataclasses import replace

    from exlm_chem.pretraining.run import pretrain as run

    share, files = _share_or_file(valid)
    options = replace(options, validation=share)
    source: dict[str, Any] = {"smiles_column": smiles_column, "validation_files": files, "cache": cache}
    if dry_run:
        _print_estimate(corpus, options, source)
        return
    output = output or Path("runs") / f"{Path(corpus[0]).name.split('.')[0]}-{options.preset}-{options.objective}"
    with bar("pretraining") as (move, log):

        def report(progress: "Progress", share: float, loss: float) -> None:
            window = progress.window
            seconds = max(window.seconds, 1e-9)
            speed = f"{window.molecules / seconds:,.0f} molecules/s, {window.tokens / seconds:,.0f} tokens/s"
            text = f"step {progress.step:,}, loss {loss:.3f}, {speed}, {progress.gemm_share:.0%} of the GEMM peak"
            move(min(share, 1.0), text)

        directory = run(corpus, output, options, resume=resume, report=report, log=log, **source)
    typer.echo(str(directory))


def _share_or_file(valid: str) -> tuple[float, list[str]]:
    """Tell a share of the corpus from a file; what exists is a file."""
    if not Path(valid).exists():
        try:
            return float(valid), []
        except ValueError:
            pass
    return 0.0, [valid]


def _print_estimate(corpus: list[str], options: PretrainingOptions, source: dict[str, Any]) -> None:
    from exlm_chem.pretraining.durations import readable_duration
    from exlm_chem.pretraining.estimate import estimate
    from exlm_chem.pretraining.run import prepare_corpus
    from exlm_chem.tokenizer import ExLMTokenizer

    made = ExLMTokenizer(options.scheme)
    with bar("preparing") as (_, log):
        needs = estimate(prepare_corpus(corpus, made, options, log=log, **source), made, options)
    rows = {
        "parameters": f"{needs.parameters:,}",
        "molecules": f"{needs.training_molecules:,} to learn from",
        "tokens": f"{needs.tokens_per_epoch:,} an epoch, after expansion",
        "speed": f"{needs.molecules_per_second:,.0f} molecules/s, {needs.tokens_per_second:,.0f} tokens/s, "
        f"{needs.gemm_share:.0%} of the GEMM peak",
        "steps": f"{needs.steps:,}",
        "time": readable_duration(needs.training_seconds),
        "memory": f"{needs.memory_gb:.1f} GB",
    }
    if needs.target_seconds:
        rows["targets"] = (
            f"{readable_duration(needs.target_seconds)} for the molecule-level targets first, once for a corpus"
        )
    for name, value in rows.items():
        typer.echo(f"{name:<12} {value}")

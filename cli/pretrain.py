"""``exlm-chem pretrain``: from files of SMILES, or of text, to a model directory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exlm_chem.options import option
from exlm_chem.pretraining.corpus_files import CorpusFiles
from exlm_chem.pretraining.options import CORPUS, LENGTH, OUTPUT, PretrainingOptions
from exlm_chem.tables.read_options import ReadOptions

from .options import takes_options
from .progress import bar
from .streams import say_where

if TYPE_CHECKING:
    from exlm_chem.pretraining.measurements import Progress

EXAMPLE = "exlm-chem pretrain data/zinc_20k.smi.gz --preset tiny --max-time 1m -o runs/first"


@dataclass(frozen=True, kw_only=True)
class Start:
    """What belongs to one start of a run, and not to what it computes."""

    valid: str = option(
        str(PretrainingOptions.validation),
        "Validation molecules: a share of the corpus, or a file.",
        metavar="SHARE|FILE",
        group=CORPUS,
    )
    cache: Path | None = option(
        None,
        "Where prepared corpora are kept.",
        shown="$EXLM_CHEM_CACHE, or the user's cache directory",
        metavar="DIR",
        group=CORPUS,
    )
    output: Path | None = option(
        None,
        "The run's and later the model's directory.",
        short="-o",
        shown="runs/NAME-PRESET-OBJECTIVE",
        metavar="DIR",
        group=OUTPUT,
    )
    resume: bool = option(False, "Go on where an earlier run in the output stopped.", group=LENGTH)
    dry_run: bool = option(
        False, "Only say what the run would need, from a few steps; the prepared corpus is kept.", group=LENGTH
    )

    def files(self, corpus: list[str], reading: ReadOptions) -> tuple[CorpusFiles, float]:
        """Give the files of the corpus, and the share of it for validation."""
        share, validation = _share_or_file(self.valid)
        return CorpusFiles(corpus, validation, reading), share


@takes_options
def pretrain(
    corpus: Annotated[
        list[str],
        typer.Argument(
            help="SMILES files or tables: .smi .csv .tsv .parquet .sdf, also .gz or .zst; or text, see --tokenizer."
        ),
    ],
    options: PretrainingOptions,
    start: Start,
    reading: ReadOptions,
) -> None:
    """Pretrain a model on your own molecules, or on text, on a laptop or a GPU.

    The run's directory gets checkpoints, metrics.csv, curves.png, run.json and, in the end, the model.
    """
    from exlm_chem.pretraining.run import pretrain as run

    files, share = start.files(corpus, reading)
    options = replace(options, validation=share)
    if start.dry_run:
        _print_estimate(files, options, start.cache)
        return
    name = f"{Path(corpus[0]).name.split('.')[0]}-{options.preset}-{options.objective}"
    output = start.output or Path("runs") / name
    with bar("pretraining") as (move, log):

        def report(progress: "Progress", share: float, loss: float) -> None:
            window = progress.window
            seconds = max(window.seconds, 1e-9)
            speed = f"{window.molecules / seconds:,.0f} molecules/s, {window.tokens / seconds:,.0f} tokens/s"
            text = f"step {progress.step:,}, loss {loss:z.3f}, {speed}, {progress.gemm_share:.0%} of the GEMM peak"
            move(min(share, 1.0), text)

        directory = run(files, output, options, resume=start.resume, cache=start.cache, report=report, log=log)
    say_where(directory)


def _share_or_file(valid: str) -> tuple[float, list[str]]:
    """Tell a share of the corpus from a file; what exists is a file."""
    if not Path(valid).exists():
        try:
            return float(valid), []
        except ValueError:
            pass
    return 0.0, [valid]


def _print_estimate(files: CorpusFiles, options: PretrainingOptions, cache: Path | None) -> None:
    from exlm_chem.pretraining.accelerator import make_accelerator
    from exlm_chem.pretraining.durations import readable_duration
    from exlm_chem.pretraining.estimate import estimate
    from exlm_chem.pretraining.run import check_before_work, prepare_corpus
    from exlm_chem.text_tokenizer import open_tokenizer

    made = open_tokenizer(options.scheme)
    check_before_work(options, made)
    make_accelerator(replace(options, loggers=()), Path())  # refuses what the environment asks for and there is not
    with bar("preparing") as (_, log):
        needs = estimate(prepare_corpus(files, made, options, cache=cache, log=log), made, options)
    rows = {
        "parameters": f"{needs.parameters:,}",
        f"{made.reads}s": f"{needs.training_molecules:,} to learn from",
        "tokens": f"{needs.tokens_per_epoch:,} an epoch, after expansion",
        "speed": f"{needs.molecules_per_second:,.0f} molecules/s, {needs.tokens_per_second:,.0f} tokens/s, "
        f"{needs.gemm_share:.0%} of the GEMM peak",
        "steps": f"{needs.steps:,}",
        "time": readable_duration(needs.training_seconds),
        "memory": f"{needs.memory_gb:.1f} GB",
    }
    if needs.objective_seconds:
        rows["objectives"] = (
            f"{readable_duration(needs.objective_seconds)} for the molecule-level objectives first, once for a corpus"
        )
    for name, value in rows.items():
        typer.echo(f"{name:<12} {value}")

"""``exlm-chem pretrain``: from SMILES files to a model directory."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .choices import Objective, Optimizer, Precision, Preset, Schedule, Scheme, SmilesColumn
from .progress import bar

if TYPE_CHECKING:
    from exlm_chem.pretraining.measurements import Progress

EXAMPLE = "exlm-chem pretrain data/zinc_20k.smi.gz --preset tiny --max-time 1m -o runs/first"

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def pretrain(
    corpus: Annotated[
        list[str], typer.Argument(help="SMILES files or tables: .smi .csv .tsv .parquet .sdf, also .gz or .zst.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The run's and later the model's directory [runs/NAME-PRESET-OBJECTIVE]"),
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help="Size: tiny (0.5 M parameters), small (6 M), base (40 M), paper (90 M).")
    ] = Preset.small,
    objective: Annotated[
        Objective, typer.Option(help="exlm, or mlm for the plain masked language model.")
    ] = Objective.exlm,
    states: Annotated[int, typer.Option(help="States of every masked token (exlm).")] = 4,
    mask_ratio: Annotated[float, typer.Option(help="Share of the tokens that is masked.")] = 0.15,
    molecule_objective: Annotated[
        str, typer.Option(help="What else the embedding must predict: descriptors, ecfp, descriptors,ecfp or none.")
    ] = "none",
    guided: Annotated[
        float,
        typer.Option(help="First share of the run in which a token is emitted by its own states only; 0 as published."),
    ] = 0.3,
    unmasked: Annotated[float, typer.Option(help="Share of the molecules without masks (molecule objectives).")] = 0.0,
    max_steps: Annotated[int | None, typer.Option(help="End after so many optimizer steps.")] = None,
    epochs: Annotated[float | None, typer.Option(help="End after so many passes over the corpus [3]")] = None,
    max_time: Annotated[str | None, typer.Option(help="End after so much training time, like 90s, 30m, 10h.")] = None,
    batch_tokens: Annotated[int, typer.Option(help="Tokens of a batch, after expansion.")] = 8192,
    accumulation: Annotated[int, typer.Option(help="Batches per optimizer step.")] = 1,
    optimizer: Annotated[
        Optimizer, typer.Option(help="muon (for the matrices of the layers, AdamW for the rest) or adamw.")
    ] = Optimizer.muon,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1e-3,
    schedule: Annotated[
        Schedule, typer.Option(help="linear (warm-up, constant, down to 0) or cosine.")
    ] = Schedule.linear,
    precision: Annotated[
        Precision, typer.Option(help="auto is bf16 where the device has it in hardware.")
    ] = Precision.auto,
    compile_model: Annotated[
        bool, typer.Option("--compile", help="Compile the layers: for GPUs, it saves nothing on a CPU.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run in the output stopped.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what the run would need, from a few steps; nothing is kept.")
    ] = False,
    ema: Annotated[
        float, typer.Option(help="Average of the weights that is measured and saved: decay, like 0.999; 0 for none.")
    ] = 0.0,
    randomise: Annotated[
        float, typer.Option(help="Share of the molecules that are written from another atom in every epoch.")
    ] = 0.0,
    deduplicate: Annotated[bool, typer.Option("--deduplicate", help="Leave aside a SMILES that came before.")] = False,
    check: Annotated[bool, typer.Option(help="Whether RDKit must accept a molecule, or only the tokenizer.")] = True,
    cache: Annotated[
        Path | None,
        typer.Option(help="Where prepared corpora are kept [$EXLM_CHEM_CACHE, or the user's cache directory]"),
    ] = None,
    fsdp: Annotated[
        bool, typer.Option("--fsdp", help="Shard a model that is too large for one device (under torchrun).")
    ] = False,
    log_to: Annotated[str, typer.Option("--log", help="Also log to tensorboard, wandb, or both, with a comma.")] = "",
    valid: Annotated[str, typer.Option(help="Validation molecules: a share of the corpus, or a file.")] = "0.01",
    smiles_column: SmilesColumn = None,
    tokenizer: Annotated[Scheme, typer.Option(help="How SMILES are cut into tokens.")] = Scheme.lossless,
    device: Annotated[str, typer.Option(help="cpu, or auto for a GPU if there is one.")] = "auto",
    seed: Annotated[int, typer.Option(help="Fixes initial weights, order and masks.")] = 0,
    num_workers: Annotated[int, typer.Option(help="Processes that prepare batches.")] = 0,
    checkpoint_minutes: Annotated[float, typer.Option(help="Time between checkpoints.")] = 5.0,
) -> None:
    """Pretrain a model on your own molecules, on a laptop or a GPU.

    The run's directory gets checkpoints, metrics.csv, curves.png, run.json and, in the end, the model.
    """
    from exlm_chem.pretraining.options import PretrainingOptions
    from exlm_chem.pretraining.run import pretrain as run

    share, files = (float(valid), []) if re.fullmatch(r"[0-9.eE-]+", valid) else (0.0, [valid])
    options = PretrainingOptions(
        preset=preset.value,
        objective=objective.value,
        states=states,
        mask_ratio=mask_ratio,
        molecule_objectives=_names(molecule_objective),
        guided=guided,
        unmasked=unmasked,
        max_steps=max_steps,
        epochs=epochs,
        max_seconds=parse_duration(max_time) if max_time else None,
        batch_tokens=batch_tokens,
        accumulation=accumulation,
        optimizer=optimizer.value,
        learning_rate=learning_rate,
        schedule=schedule.value,
        precision=precision.value,
        compile=compile_model,
        device=device,
        validation=share,
        checkpoint_minutes=checkpoint_minutes,
        seed=seed,
        num_workers=num_workers,
        scheme=tokenizer.value,
        ema=ema,
        randomise=randomise,
        deduplicate=deduplicate,
        check=check,
        fsdp=fsdp,
        loggers=_names(log_to),
    )
    if dry_run:
        _print_estimate(corpus, options, smiles_column, files, cache)
        return
    output = output or Path("runs") / f"{Path(corpus[0]).name.split('.')[0]}-{preset}-{objective}"
    with bar("pretraining") as (move, log):

        def report(progress: "Progress", share: float, loss: float) -> None:
            window = progress.window
            seconds = max(window.seconds, 1e-9)
            speed = f"{window.molecules / seconds:,.0f} molecules/s, {window.tokens / seconds:,.0f} tokens/s"
            text = f"step {progress.step:,}, loss {loss:.3f}, {speed}, {progress.gemm_share:.0%} of the GEMM peak"
            move(min(share, 1.0), text)

        directory = run(
            corpus,
            output,
            options,
            resume=resume,
            smiles_column=smiles_column,
            validation_files=files,
            cache=cache,
            report=report,
            log=log,
        )
    typer.echo(str(directory))


def parse_duration(text: str) -> float:
    """Turn ``90s``, ``30m``, ``1.5h`` or a number of seconds into seconds.

    Examples
    --------
    >>> parse_duration("1.5h")
    5400.0
    """
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)([smhd]?)", text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no time; write it like 90s, 30m or 10h.", param_hint="--max-time")
    return float(match[1]) * UNITS[match[2] or "s"]


def _names(text: str) -> Any:
    return () if text in ("", "none") else tuple(dict.fromkeys(name.strip() for name in text.split(",")))


def _print_estimate(
    corpus: list[str], options: Any, smiles_column: str | None, validation_files: list[str], cache: Path | None
) -> None:
    from exlm_chem.pretraining.estimate import estimate
    from exlm_chem.pretraining.measurements import readable_duration
    from exlm_chem.pretraining.run import prepare_corpus
    from exlm_chem.tokenizer import ExLMTokenizer

    made = ExLMTokenizer(options.scheme)
    with bar("preparing") as (_, log):
        prepared = prepare_corpus(
            corpus,
            made,
            options,
            smiles_column=smiles_column,
            validation_files=validation_files,
            cache=cache,
            log=log,
        )
        needs = estimate(prepared, made, options)
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

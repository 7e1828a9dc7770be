"""``exlm-chem finetune``."""

from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.finetuning.label_options import LabelOptions
from exlm_chem.tables.read_options import ReadOptions

from .choices import (
    Device,
    EncoderModel,
    Method,
    Pooling,
    PoolingRule,
    Standardise,
    StandardiseRule,
)
from .options import takes_options

EXAMPLE = "exlm-chem finetune tests/data/bbbp_300.csv --target p_np -o runs/my-bbbp"


@takes_options
def finetune(
    data: Annotated[
        Path, typer.Argument(help="A table of measured molecules: .csv .tsv .jsonl .parquet .sdf, also .gz .zst.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Directory of the predictor; nothing may be there yet.")
    ],
    task: Annotated[
        str | None, typer.Option("--task", "-t", help="A task of data/tasks.toml, or a TOML file with your own.")
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option("--target", help="A column of labels; may be given several times.")
    ] = None,
    model: EncoderModel = "exlm-small",
    method: Annotated[
        Method, typer.Option(help="Train linear models on the frozen encoder (seconds), or everything together.")
    ] = Method.head,
    split: Annotated[
        str,
        typer.Option(
            help="scaffold, random, stratified, butina, group:COLUMN, date:COLUMN, a COLUMN of the table that says "
            "train, valid or test, or a file of row numbers (.json .csv)."
        ),
    ] = "scaffold",
    seeds: Annotated[int, typer.Option(min=1, help="Train so often; the best on the validation part is kept.")] = 1,
    seed: Annotated[int, typer.Option(help="Fixes the result.")] = 0,
    pooling: PoolingRule = Pooling.mean,
    standardise: StandardiseRule = Standardise.none,
    epochs: Annotated[int, typer.Option(min=1, help="Method full: most passes over the training molecules.")] = 30,
    patience: Annotated[int, typer.Option(min=1, help="Method full: epochs without progress before it ends.")] = 8,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Method full: molecules per step.")] = 32,
    learning_rate: Annotated[float, typer.Option("--learning-rate", help="Method full: peak learning rate.")] = 2e-4,
    device: Device = "auto",
    *,
    labels: LabelOptions,
    reading: ReadOptions,
) -> None:
    """Train a predictor on a table of measured molecules.

    Labels are numbers, or two words for two classes; an empty cell is a label that is not known. What was taken for
    what is said before the training begins. The directory serves "exlm-chem predict --model"; its README.md says
    how good the predictor is on molecules that it was not trained on, splits.json which these are.
    """
    if (task is None) == (not target):
        raise typer.BadParameter("give either --task or --target", param_hint="--task or --target")

    from exlm_chem.finetuning.full import TrainingOptions
    from exlm_chem.finetuning.run import finetune as run

    from .progress import bar
    from .streams import say_where

    options = TrainingOptions(epochs=epochs, patience=patience, batch_size=batch_size, learning_rate=learning_rate)
    with bar("training") as (report, log):
        result = run(
            data,
            output,
            task=task,
            targets=target or (),
            labels=labels,
            model=model,
            method=method.value,
            split=split,
            pooling=pooling.value,
            standardise=standardise.value,
            seeds=seeds,
            seed=seed,
            options=options,
            reading=reading,
            device=device,
            log=log,
            report=report,
        )
    say_where(result.directory)

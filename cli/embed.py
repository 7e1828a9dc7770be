"""``exlm-chem embed``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "exlm-chem embed data/examples.csv -o vectors.npz"


class Pooling(StrEnum):
    """How one vector is made of a molecule."""

    mean = "mean"
    first = "first"


class Standardise(StrEnum):
    """What is done to a molecule first."""

    none = "none"
    fragment = "fragment"
    parent = "parent"


class OnInvalid(StrEnum):
    """What happens to a row without a molecule."""

    flag = "flag"
    skip = "skip"
    fail = "raise"


def embed(
    molecules: Annotated[
        list[str],
        typer.Argument(help="A file (.smi .csv .tsv .parquet .sdf, also .gz .zst), - for stdin, or SMILES."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A file to write: .npz .npy .csv .tsv .parquet (text also .gz .zst).")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model that ships, or a model directory.")
    ] = "exlm-small",
    pooling: Annotated[
        Pooling, typer.Option(help="Mean over the tokens that are not special, or the first state of <s>.")
    ] = Pooling.mean,
    standardise: Annotated[
        Standardise, typer.Option(help="What is done first: nothing, keep the largest fragment, or its neutral parent.")
    ] = Standardise.none,
    smiles_column: Annotated[
        str | None, typer.Option("--smiles-column", help="The column of the SMILES [found by its name]")
    ] = None,
    on_invalid: Annotated[
        OnInvalid, typer.Option("--on-invalid", help="A row without a vector: give the reason, leave it out, or stop.")
    ] = OnInvalid.flag,
    batch_tokens: Annotated[
        int | None, typer.Option("--batch-tokens", min=1, help="Most tokens in a batch [what suits the device]")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, mps, or auto for the best there is.")] = "auto",
) -> None:
    """Turn molecules into vectors.

    The result has one row per input row, in order, with all its columns. A molecule that cannot be read has NaN and
    its reason in "error". A .npz holds the array "vectors" and one array for each column; a .npy only the vectors.
    """
    from exlm_chem.embedding.embedder import ExLM
    from exlm_chem.embedding.table import embed_file

    from .progress import counting

    with counting() as progress:
        summary = embed_file(
            molecules,
            ExLM.from_pretrained(model, device),
            output,
            pooling=pooling.value,
            standardise=standardise.value,
            smiles_column=smiles_column,
            on_invalid=on_invalid.value,
            batch_tokens=batch_tokens,
            progress=progress,
        )
    typer.echo(str(summary), err=True)

"""``exlm-chem embed``."""

from pathlib import Path
from typing import Annotated

import typer

from exlm_chem.errors import printable
from exlm_chem.tables.read_options import ReadOptions

from .choices import Device, EncoderModel, OnInvalid, Pooling, PoolingRule, Standardise, StandardiseRule
from .options import takes_options

EXAMPLE = "exlm-chem embed data/examples.csv -o vectors.npz"


@takes_options
def embed(
    molecules: Annotated[
        list[str],
        typer.Argument(help="A file (.smi .csv .tsv .jsonl .parquet .sdf, also .gz .zst), - for stdin, or SMILES."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A file to write: .npz .npy .csv .tsv .parquet (text also .gz .zst).")
    ],
    model: EncoderModel = "exlm-small",
    pooling: PoolingRule = Pooling.mean,
    standardise: StandardiseRule = Standardise.none,
    on_invalid: Annotated[
        OnInvalid, typer.Option("--on-invalid", help="A row without a vector: give the reason, leave it out, or stop.")
    ] = OnInvalid.flag,
    batch_tokens: Annotated[
        int | None, typer.Option("--batch-tokens", min=1, help="Most tokens in a batch [what suits the device]")
    ] = None,
    device: Device = "auto",
    *,
    reading: ReadOptions,
) -> None:
    """Turn molecules into vectors.

    The result has one row per input row, in order, with all its columns. A molecule that cannot be read has NaN and
    its reason in "error". A .npz holds the array "vectors" and one array for each column; a .npy only the vectors.
    """
    from exlm_chem.embedding.embedder import ExLM
    from exlm_chem.embedding.table import embed_file

    from .progress import counting
    from .streams import say

    with counting() as progress:
        summary = embed_file(
            molecules,
            ExLM.from_pretrained(model, device),
            output,
            pooling=pooling.value,
            standardise=standardise.value,
            reading=reading,
            on_invalid=on_invalid.value,
            batch_tokens=batch_tokens,
            progress=progress,
        )
    for sentence in (*summary.reading, summary):
        say(printable(str(sentence)))

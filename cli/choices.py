"""What options may say, and options that several commands have: typer wants the choices as enumerations."""

from enum import StrEnum
from typing import Annotated

import typer


class Pooling(StrEnum):
    """How one vector is made of a molecule."""

    mean = "mean"
    first = "first"


class Standardise(StrEnum):
    """What is done to a molecule first."""

    none = "none"
    fragment = "fragment"
    parent = "parent"


class Method(StrEnum):
    """What fine-tuning trains."""

    head = "head"
    full = "full"


class Scheme(StrEnum):
    """The tokenizer's schemes."""

    lossless = "lossless"
    atomwise = "atomwise"
    selfies = "selfies"


Device = Annotated[str, typer.Option("--device", help="cpu, cuda, mps, or auto for the best there is.")]
EncoderModel = Annotated[str, typer.Option("--model", "-m", help="A model that ships, or a model directory.")]
PoolingRule = Annotated[
    Pooling, typer.Option("--pooling", help="Mean over the tokens that are not special, or the first state of <s>.")
]
StandardiseRule = Annotated[
    Standardise,
    typer.Option("--standardise", help="What is done first: nothing, largest fragment, or its neutral parent."),
]

"""What a user may say about vectors."""

from __future__ import annotations

from dataclasses import dataclass

from exlm_chem.errors import ExLMError
from exlm_chem.options import documented, option
from exlm_chem.tables.result_options import ResultOptions
from exlm_chem.terms import Pooling, Standardise, VectorType


@documented
@dataclass(frozen=True, kw_only=True)
class VectorOptions:
    """How a molecule becomes a vector."""

    pooling: Pooling = option(
        "mean",
        "Mean over the tokens that are not special, also with that of the middle layer behind it (mean+middle) or the "
        "largest of each number (mean+max); the "
        "first state of <s>, or all of them side by side (states).",
    )
    layer: int = option(
        -1,
        "Which layer's features are pooled: 0 is the embedding of the tokens, -1 the last one.",
        note="The last one is normed, the others are as the next layer gets them, from torch.",
    )
    standardise: Standardise = option(
        "none", "What is taken of a molecule: all of it, its largest fragment, or the neutral parent of that."
    )


@documented
@dataclass(frozen=True, kw_only=True)
class EmbeddingOptions(ResultOptions, VectorOptions):
    """How molecules become vectors, and what becomes of those that cannot be read."""

    batch_tokens: int | None = option(
        None,
        "Most tokens in a batch, padding included.",
        note="It decides memory and speed, not the result, as `batch_size` does.",
        shown="what suits the device",
        least=1,
        most=1_000_000_000,
    )
    batch_size: int = option(512, "Most molecules in a batch.", least=1, most=1_000_000)
    dtype: VectorType = option(
        "float32", "How the numbers are written; int8 only into .npz, with a scale for each column beside them."
    )
    dim: int | None = option(
        None,
        "Length of the vectors: their first principal axes, which are kept with the model.",
        shown="as long as the model is wide",
        least=1,
        most=1_000_000,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dim is not None and (self.pooling != "mean" or self.layer != -1):
            raise ExLMError("--dim is for --pooling mean of the last layer, whose axes are kept; leave it away")

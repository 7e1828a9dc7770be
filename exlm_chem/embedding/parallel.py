"""`ParallelExLM`: an encoder that spreads molecules over processes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from exlm_chem.embedding.embedder import BATCH_SIZE, ExLM
from exlm_chem.terms import BackendName, EmbeddingPrecision, Pooling

PART: Final = 1024
"""How many different molecules are worth a process."""


class ParallelExLM(ExLM):
    """An encoder that spreads molecules over processes of joblib; each of them reads the weights itself.

    It is read by `from_pretrained`, and used as an `ExLM` is. Up to 1,024 different molecules stay in this process.

    Attributes
    ----------
    n_jobs : int or None
        How many processes; -1 for all processors, None for what ``joblib.parallel_config`` says.

    Examples
    --------
    >>> encoder = ParallelExLM.from_pretrained("exlm-small", device="cpu")
    >>> encoder.n_jobs = 2
    >>> encoder.embed(["CCO", "CCN"]).shape
    (2, 256)
    """

    n_jobs: int | None = None
    _source: tuple[str | Path, str, BackendName, EmbeddingPrecision]

    @classmethod
    def from_pretrained(
        cls,
        name_or_directory: str | Path = "exlm-small",
        device: str = "auto",
        backend: BackendName = "auto",
        precision: EmbeddingPrecision = "fp32",
    ) -> Self:
        """See `ExLM.from_pretrained`."""
        encoder = super().from_pretrained(name_or_directory, device, backend, precision)
        encoder._source = (name_or_directory, device, backend, precision)  # noqa: SLF001  (its own)
        return encoder

    def embed_tokens(
        self,
        token_ids: Sequence[Sequence[int]],
        pooling: Pooling = "mean",
        batch_tokens: int | None = None,
        batch_size: int = BATCH_SIZE,
        layer: int = -1,
    ) -> NDArray[np.float32]:
        """See `ExLM.embed_tokens`."""
        unique = sorted(dict.fromkeys(map(tuple, token_ids)), key=len, reverse=True)  # the long ones first
        pool = Parallel(n_jobs=self.n_jobs)
        alone = self.n_jobs is None and pool.n_jobs == 1  # this process, which has the weights already
        if alone or len(unique) <= PART:
            return super().embed_tokens(token_ids, pooling, batch_tokens, batch_size, layer)
        parts = [unique[start : start + PART] for start in range(0, len(unique), PART)]
        vectors = np.concatenate(
            pool(delayed(_embed_part)(self._source, part, pooling, batch_tokens, batch_size, layer) for part in parts)
        )
        row_of = {ids: row for row, ids in enumerate(unique)}
        return vectors[[row_of[tuple(ids)] for ids in token_ids]]


def _embed_part(
    source: tuple[str | Path, str, BackendName, EmbeddingPrecision],
    token_ids: list[tuple[int, ...]],
    pooling: Pooling,
    batch_tokens: int | None,
    batch_size: int,
    layer: int,
) -> NDArray[np.float32]:
    return open_once(*source).embed_tokens(token_ids, pooling, batch_tokens, batch_size, layer)


@lru_cache(maxsize=1)
def open_once(
    model: str | Path, device: str = "auto", backend: BackendName = "auto", precision: EmbeddingPrecision = "fp32"
) -> ExLM:
    """Read an encoder, the same one again only once in a process.

    Parameters
    ----------
    model, device, backend, precision
        See `ExLM.from_pretrained`.
    """
    return ExLM.from_pretrained(model, device, backend, precision)

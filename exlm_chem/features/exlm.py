"""The vectors of an encoder as a block of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.features.block import MoleculeBlock
from exlm_chem.terms import Pooling

if TYPE_CHECKING:  # torch: a predictor of fingerprints alone does not need it
    from exlm_chem.embedding.embedder import ExLM


class ExlmBlock(MoleculeBlock):
    """One vector for each molecule, from an encoder.

    Parameters
    ----------
    encoder : ExLM
        The encoder.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        See `ExLM.embed`.
    layer : int
        See `ExLM.embed`; a number of the last one becomes -1.

    Raises
    ------
    ExLMError
        If the encoder does not have that layer.

    Examples
    --------
    >>> from exlm_chem import ExLM
    >>> block = ExlmBlock(ExLM.from_pretrained("exlm-small", device="cpu"))
    >>> block.compute(["CCO", None]).shape
    (2, 256)
    """

    name = "exlm"

    def __init__(self, encoder: ExLM, pooling: Pooling = "mean", layer: int = -1) -> None:
        self.encoder, self.pooling, self.layer = encoder, pooling, encoder.check_layer(layer)
        self.names = tuple(f"exlm{number}" for number in range(encoder.vector_width(pooling)))

    @property
    def settings(self) -> dict[str, Any]:
        """Which weights and which tokenizer, and how one vector is made of a molecule."""
        encoder = self.encoder
        known = {"weights": encoder.fingerprint, "tokenizer": encoder.tokenizer.fingerprint, "pooling": self.pooling}
        # the last layer is not named: the fingerprint stays what it was before there were others
        return known if self.layer == -1 else {**known, "layer": self.layer}

    def compute(self, molecules: Sequence[Any]) -> NDArray[np.float32]:
        """See `MoleculeBlock`; NaN also for a molecule that is too long for the encoder."""
        token_ids = [self._encoded(one) for one in molecules]
        values = np.full((len(molecules), self.width), np.nan, np.float32)
        good = [index for index, ids in enumerate(token_ids) if ids]
        values[good] = self.encoder.embed_tokens([token_ids[i] for i in good], self.pooling, layer=self.layer)
        return values

    def _encoded(self, molecule: Any) -> list[int]:
        if not molecule:
            return []
        try:
            ids = self.encoder.tokenizer.encode(molecule)
        except ValueError:  # for SELFIES, some molecules have no words
            return []
        return list(ids) if len(ids) <= self.encoder.max_tokens else []

"""`ExLMMolTransformer`: the vectors of molecules among the pretrained featurizers of molfeat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.parallel import open_once
from exlm_chem.terms import Pooling

try:
    from molfeat.trans.pretrained import PretrainedMolTransformer
except ImportError as error:
    raise ImportError("ExLMMolTransformer needs molfeat; run: pip install molfeat") from error


class ExLMMolTransformer(PretrainedMolTransformer):  # type: ignore[misc]
    """ExLM vectors as a featurizer of molfeat; a molecule that cannot be read is None, as in molfeat's others.

    It is a plug-in: after ``molfeat.plugins.load_registered_plugins()`` it stands in `molfeat.trans.pretrained`.

    Parameters
    ----------
    model : str or Path
        Name of a model that ships, or a model directory.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        See `ExLM.embed`.
    device : str
        A torch device, or "auto".
    dtype : type
        What is given back.
    **params
        See `PretrainedMolTransformer`.

    Examples
    --------
    >>> ExLMMolTransformer(device="cpu")(["CCO", "CCN"]).shape
    (2, 256)
    """

    def __init__(
        self,
        model: str | Path = "exlm-small",
        pooling: Pooling = "mean",
        device: str = "auto",
        dtype: Any = np.float32,
        **params: Any,
    ) -> None:
        super().__init__(dtype=dtype, device=device, **params)
        self.model = str(model)
        self.pooling: Pooling = pooling
        self.device = device

    def _convert(self, inputs: list[Any], **kwargs: Any) -> list[Any]:  # noqa: ARG002  (molfeat's signature)
        return inputs

    def _embed(self, smiles: Sequence[Any], **kwargs: Any) -> list[NDArray[np.float32] | None]:  # noqa: ARG002
        vectors = open_once(self.model, self.device).embed(smiles, self.pooling)
        return [None if np.isnan(vector).any() else vector for vector in vectors]

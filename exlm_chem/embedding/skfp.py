"""`ExLMFingerprint`: the vectors of molecules among the fingerprints of scikit-fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import StrOptions

from exlm_chem.embedding.parallel import open_once
from exlm_chem.locations import encoder_directory, locate
from exlm_chem.modeling.config_file import read_config
from exlm_chem.terms import Pooling

try:
    from skfp.bases import BaseFingerprintTransformer
except ImportError as error:
    raise ImportError("ExLMFingerprint needs scikit-fingerprints; run: pip install scikit-fingerprints") from error


class ExLMFingerprint(BaseFingerprintTransformer):  # type: ignore[misc]
    """ExLM vectors as a fingerprint of scikit-fingerprints.

    Like the others it raises for a molecule that cannot be read, which `MolFromSmilesTransformer` filters out; a
    transformer that answers NaN is `ExLMTransformer`.

    Parameters
    ----------
    model : str or Path
        Name of a model that ships, or a model directory.
    pooling : {"mean", "mean+middle", "mean+max", "first", "states"}
        See `ExLM.embed`.
    device : str
        A torch device, or "auto".
    n_jobs, batch_size, verbose
        See `BaseFingerprintTransformer`.

    Examples
    --------
    >>> ExLMFingerprint(device="cpu").transform(["CCO", "CCN"]).shape
    (2, 256)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseFingerprintTransformer._parameter_constraints,  # noqa: SLF001  (its subclasses are to do so)
        "model": [str, Path],
        "pooling": [StrOptions(set(get_args(Pooling)))],
        "device": [str],
    }

    def __init__(
        self,
        model: str | Path = "exlm-small",
        pooling: Pooling = "mean",
        device: str = "auto",
        n_jobs: int | None = None,
        batch_size: int | None = None,
        verbose: int | dict[str, Any] = 0,
    ) -> None:
        super().__init__(_width(model, pooling), n_jobs=n_jobs, batch_size=batch_size, verbose=verbose)
        self.model = model
        self.pooling = pooling
        self.device = device

    def set_params(self, **params: Any) -> Self:
        """Change parameters; another model or pooling may give vectors of another length."""
        super().set_params(**params)
        self.n_features_out = self._n_features_out = _width(self.model, self.pooling)
        return self

    def _calculate_fingerprint(self, X: Sequence[Any]) -> NDArray[np.float32]:
        return open_once(self.model, self.device).embed(X, self.pooling, on_invalid="raise")


def _width(model: str | Path, pooling: Pooling) -> int:
    known = pooling if pooling in get_args(Pooling) else "mean"  # another one is refused when it is used
    return read_config(encoder_directory(locate(model))).config.vector_width(known)

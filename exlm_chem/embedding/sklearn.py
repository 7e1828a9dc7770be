"""`ExLMTransformer`: the vectors of molecules inside scikit-learn pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from exlm_chem.embedding.cache import VectorCache
from exlm_chem.embedding.parallel import ParallelExLM
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.terms import BackendName, EmbeddingPrecision, OnInvalidMolecule, Pooling


@dataclass(eq=False, repr=False)
class ExLMTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn SMILES into ExLM vectors in a scikit-learn pipeline.

    Nothing is learned by `fit`. A pickle holds the parameters and not the weights: these are read again where it is
    used, and must be the same.

    Parameters
    ----------
    model : str or Path
        Name of a model that ships, or a model directory.
    pooling, layer
        See `ExLM.embed`.
    device : str
        A torch device, or "auto".
    on_invalid : {"nan", "raise"}
        A molecule that cannot be read becomes a row of NaN, or raises `ExLMError`. Behind NaN, `SkipInvalid` lets
        any estimator learn from the others: a transformer cannot drop rows, because their labels would stay.
    backend, precision
        See `ExLM.from_pretrained`.
    cache : str or Path, optional
        A file in which vectors are kept between runs; see `VectorCache`.
    n_jobs : int, optional
        How many processes share the work if there are many molecules; -1 for all processors. See `ParallelExLM`.

    Examples
    --------
    >>> ExLMTransformer(on_invalid="raise").get_params()["on_invalid"]
    'raise'
    """

    model: str | Path = "exlm-small"
    pooling: Pooling = "mean"
    device: str = "auto"
    on_invalid: OnInvalidMolecule = "nan"
    backend: BackendName = "auto"
    precision: EmbeddingPrecision = "fp32"
    cache: str | Path | None = None
    n_jobs: int | None = None
    layer: int = -1

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: ARG002  (scikit-learn's signature)
        """Read the weights; the molecules are not looked at."""
        self._embedder()
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Turn molecules into vectors.

        Parameters
        ----------
        X : list, array, Series of SMILES or RDKit Mols, or a table with one column of them
            The molecules; see `exlm_chem.smiles.containers.molecules_in`.

        Returns
        -------
        float32 array of shape (molecules, width), or a DataFrame after ``set_output(transform="pandas")``
        """
        if self.on_invalid not in get_args(OnInvalidMolecule):
            raise ExLMError(
                f"on_invalid must be 'nan' or 'raise', not {quoted(self.on_invalid)}; to drop molecules together with "
                "their labels choose 'nan' and put exlm_chem.embedding.skip_invalid.SkipInvalid around the estimator"
            )
        embedder = self._embedder()
        embedder.n_jobs = self.n_jobs
        embed = embedder.embed if self.cache is None else partial(VectorCache(self.cache).embed, embedder)
        return embed(X, self.pooling, on_invalid=self.on_invalid, layer=self.layer)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Name the columns: exlm_0, exlm_1, ..."""
        return np.array([f"exlm_{index}" for index in range(self._embedder().vector_width(self.pooling))], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True  # molecules are no numbers, and their columns are not counted
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags.allow_nan = True  # an empty cell
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags

    def _embedder(self) -> ParallelExLM:
        # The parameters may have been changed by set_params since the weights were read.
        wanted = (str(self.model), self.device, self.backend, self.precision)
        loaded: tuple[tuple[str, ...], ParallelExLM] | None = getattr(self, "_loaded", None)
        if loaded is not None and loaded[0] == wanted:
            return loaded[1]
        embedder = ParallelExLM.from_pretrained(self.model, self.device, self.backend, self.precision)
        name, fingerprint = getattr(self, "_fingerprint", ("", ""))
        if name == str(self.model) and fingerprint != embedder.fingerprint:
            raise ExLMError(f"model '{self.model}' has other weights than when this transformer was saved")
        self._loaded = (wanted, embedder)
        self._fingerprint = (str(self.model), embedder.fingerprint)
        return embedder

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_loaded"}

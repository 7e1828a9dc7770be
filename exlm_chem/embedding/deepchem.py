"""`ExLMFeaturizer`: the vectors of molecules inside DeepChem."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import BATCH_SIZE, ExLM
from exlm_chem.errors import quoted
from exlm_chem.smiles.containers import molecules_in
from exlm_chem.terms import Pooling

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep the fifteen lines on missing optional packages away that DeepChem prints when it is imported."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


try:
    with _quietly():
        from deepchem.feat import MolecularFeaturizer
except ImportError as error:
    raise ImportError("ExLMFeaturizer needs DeepChem; run: pip install 'exlm-chem[deepchem]'") from error


class ExLMFeaturizer(MolecularFeaturizer):  # type: ignore[misc]
    """Turn molecules into ExLM vectors in DeepChem loaders and pipelines.

    Unlike most featurizers it works on batches. A molecule that cannot be read gives an empty array, and DeepChem's
    loaders drop its row together with its labels.

    Parameters
    ----------
    model : str or Path
        Name of a model that ships, or a model directory.
    pooling, batch_size
        See `ExLM.embed`.
    device : str
        A torch device, or "auto".

    Notes
    -----
    ``str(featurizer)`` ends with a digest of the weights. DeepChem names the folders of its cache by it, so that two
    models never share a folder.

    Examples
    --------
    >>> import deepchem as dc  # doctest: +SKIP
    >>> loader = dc.data.CSVLoader(["p_np"], ExLMFeaturizer(), feature_field="smiles")  # doctest: +SKIP
    >>> loader.create_dataset("bbbp.csv").X.shape  # doctest: +SKIP
    (2039, 256)
    """

    def __init__(
        self,
        model: str | Path = "exlm-small",
        pooling: Pooling = "mean",
        batch_size: int = BATCH_SIZE,
        device: str = "auto",
    ) -> None:
        super().__init__()
        self.model = model
        self.pooling = pooling
        self.batch_size = batch_size
        self.device = device
        self._loaded: ExLM | None = None

    def featurize(self, datapoints: Any, log_every_n: int = 1000, **kwargs: Any) -> NDArray[Any]:  # noqa: ARG002
        """Turn molecules into vectors.

        Parameters
        ----------
        datapoints : str, RDKit Mol, or iterable of these
            The molecules.
        log_every_n : int
            Part of DeepChem's signature; there is nothing to log between two molecules of a batch.
        **kwargs
            What loaders say about each molecule, as the positions of its atoms in an SDF: the vector does not depend
            on it.

        Returns
        -------
        float32 array of shape (molecules, width)
            If one of the molecules cannot be read: an array of objects, an empty array in the place of this molecule.
        """
        molecules = molecules_in(datapoints)
        embedder = self._embedder()
        inputs = embedder.read_all(molecules)
        vectors = embedder.embed_inputs(inputs, self.pooling, batch_size=self.batch_size)
        errors = [one.molecule.error for one in inputs]
        if not any(errors):
            return vectors
        features = np.empty(len(inputs), dtype=object)
        for index, (error, vector) in enumerate(zip(errors, vectors, strict=True)):
            if error is not None:
                logger.warning("Failed to featurize datapoint %d, %s: %s", index, quoted(molecules[index]), error)
            features[index] = vector if error is None else np.array([])
        return features

    def _featurize(self, datapoint: Any, **kwargs: Any) -> NDArray[Any]:  # noqa: ARG002
        """Turn one molecule into its vector; DeepChem calls this from outside in some places."""
        vector: NDArray[Any] = self.featurize([datapoint])[0]
        return vector

    def __str__(self) -> str:
        return f"ExLMFeaturizer_{self.pooling}_{self._embedder().fingerprint[:16]}"

    def _embedder(self) -> ExLM:
        if self._loaded is None:
            self._loaded = ExLM.from_pretrained(self.model, self.device)
        return self._loaded

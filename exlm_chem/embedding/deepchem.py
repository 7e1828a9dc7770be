"""`ExLMFeaturizer`: the vectors of molecules inside DeepChem."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import BATCH_SIZE, ExLM
from exlm_chem.embedding.quiet_deepchem import deepchem
from exlm_chem.errors import ExLMError, quoted
from exlm_chem.smiles.containers import molecules_in
from exlm_chem.terms import Pooling

Output = Literal["vectors", "smiles"]
"""What the featurizer makes of a molecule."""

logger = logging.getLogger(__name__)


class ExLMFeaturizer(deepchem.feat.MolecularFeaturizer):  # type: ignore[misc]
    """Turn molecules into ExLM vectors in DeepChem loaders and pipelines.

    Unlike most featurizers it works on batches. A molecule that cannot be read gives an empty array, and DeepChem's
    loaders drop its row together with its labels.

    Parameters
    ----------
    model : str or Path
        Name of a model that ships, or a model directory.
    pooling, batch_size, layer
        See `ExLM.embed`.
    device : str
        A torch device, or "auto".
    output : {"vectors", "smiles"}
        Vectors, or the canonical SMILES of the molecules that the model can read: what `ExLMModel` takes.

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
        output: Output = "vectors",
        layer: int = -1,
    ) -> None:
        super().__init__()
        if output not in get_args(Output):
            raise ExLMError(f"output must be 'vectors' or 'smiles', not {quoted(output)}")
        self.model = model
        self.pooling = pooling
        self.batch_size = batch_size
        self.device = device
        self.output = output
        self.layer = layer
        self._loaded: ExLM | None = None

    def featurize(self, datapoints: Any, log_every_n: int = 1000, **kwargs: Any) -> NDArray[Any]:  # noqa: ARG002
        """Turn molecules into vectors, or into SMILES.

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
        float32 array of shape (molecules, width), or array of str
            If one of the molecules cannot be read: an array of objects, an empty array in the place of this molecule.
        """
        molecules = molecules_in(datapoints)
        embedder = self._embedder()
        inputs = embedder.read_all(molecules)
        values: NDArray[Any] = (
            np.array([one.molecule.smiles for one in inputs], dtype=str)
            if self.output == "smiles"
            else embedder.embed_inputs(inputs, self.pooling, batch_size=self.batch_size, layer=self.layer)
        )
        errors = [one.molecule.error for one in inputs]
        if not any(errors):
            return values
        features = np.empty(len(inputs), dtype=object)
        for index, (error, value) in enumerate(zip(errors, values, strict=True)):
            if error is not None:
                logger.warning("Failed to featurize datapoint %d, %s: %s", index, quoted(molecules[index]), error)
            features[index] = value if error is None else np.array([])
        return features

    def _featurize(self, datapoint: Any, **kwargs: Any) -> NDArray[Any]:  # noqa: ARG002
        """Turn one molecule into its vector or SMILES; DeepChem calls this from outside in some places."""
        feature: NDArray[Any] = self.featurize([datapoint])[0]
        return feature

    def __str__(self) -> str:
        made_of = self.pooling if self.layer == -1 else f"{self.pooling}_{self.layer}"
        kind = made_of if self.output == "vectors" else self.output
        return f"ExLMFeaturizer_{kind}_{self._embedder().fingerprint[:16]}"

    def _embedder(self) -> ExLM:
        if self._loaded is None:
            self._loaded = ExLM.from_pretrained(self.model, self.device)
        return self._loaded

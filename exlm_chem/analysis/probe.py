"""What frozen vectors know of molecules: descriptors of RDKit that a ridge reads from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PROBES = ("MolLogP", "qed")
"""An additive and a not so additive number."""


def probe_values(texts: Sequence[str]) -> NDArray[np.float64]:
    """Compute what the probes shall know, NaN where RDKit reads no molecule.

    Parameters
    ----------
    texts : sequence of str
        SMILES.

    Returns
    -------
    array of float64, shape (n, probes)

    Examples
    --------
    >>> probe_values(["CCO", "C1"]).round(3).tolist()
    [[-0.001, 0.407], [nan, nan]]
    """
    functions = [getattr(Descriptors, name) for name in PROBES]
    with rdBase.BlockLogs():
        read = [Chem.MolFromSmiles(text) for text in texts]
    return np.array([[np.nan if one is None else function(one) for function in functions] for one in read])


def probe(vectors: NDArray[np.float32], values: NDArray[np.float64]) -> dict[str, float]:
    """Give the share of the variance of every probe that a ridge explains on the last quarter of the molecules.

    Parameters
    ----------
    vectors : array of float32, shape (n, D)
    values : array of float64, shape (n, probes)
        From `probe_values`.
    """
    learns = np.arange(len(values)) < len(values) * 3 // 4
    scores = {}
    for name, value in zip(PROBES, values.T, strict=True):
        known = np.isfinite(value)
        ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13)))
        ridge.fit(vectors[known & learns], value[known & learns])
        scores[name] = float(ridge.score(vectors[known & ~learns], value[known & ~learns]))
    return scores

"""By similarity: molecules of one cluster of fingerprints stay together.

References
----------
Butina, Unsupervised data base clustering based on Daylight's fingerprint and Tanimoto similarity, J. Chem. Inf.
Comput. Sci. 39 (1999) 747.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

from exlm_chem.errors import ExLMError
from exlm_chem.finetuning.splits.split import Split, pack
from exlm_chem.smiles.bounds import is_slow

CUTOFF: Final = 0.6
"""Largest Tanimoto distance to the centre of a cluster; DeepChem's."""

BITS: Final = 1024
CHUNK: Final = 500  # molecules that are compared with all others at a time

MOST_MOLECULES: Final = 10_000
"""Every molecule is compared with every other: beyond this many it takes minutes."""


def butina_split(smiles: Sequence[str]) -> Split:
    """Split as DeepChem's ``ButinaSplitter`` does with its default arguments: largest clusters first.

    Raises
    ------
    ExLMError
        If there are too many molecules.

    Examples
    --------
    >>> split = butina_split(["CCCCCO", "CCCCCCO", "CCCCCCCO", "c1ccncc1", "c1ccsc1"])
    >>> split.train, split.valid, split.test
    ([2, 0, 1, 4], [], [3])
    """
    if len(smiles) > MOST_MOLECULES:
        raise ExLMError(
            f"clusters of {len(smiles):,} molecules would take long (at most {MOST_MOLECULES:,}); "
            "use --split scaffold, or group:COLUMN with clusters of your own"
        )
    clusters = butina_clusters(smiles)
    groups = [""] * len(smiles)
    for cluster in clusters:
        for index in cluster:
            groups[index] = smiles[cluster[0]]
    description = (
        f"DeepChem's ButinaSplitter, 80/10/10: clusters of Tanimoto distance {CUTOFF} (ECFP4, 1024 bits), "
        "largest first, on RDKit-canonical SMILES"
    )
    largest_first = sorted(clusters, key=lambda cluster: -len(cluster))
    return Split("butina", description, *pack(largest_first, len(smiles)), groups)


def butina_clusters(smiles: Sequence[str], cutoff: float = CUTOFF) -> list[list[int]]:
    """Cluster molecules; each cluster starts with its centre.

    Gives what ``rdkit.ML.Cluster.Butina`` gives, without the matrix of all distances. A molecule that RDKit may need
    long for is a cluster of its own.

    Examples
    --------
    >>> butina_clusters(["CCCCCO", "CCCCCCO", "c1ccncc1"])
    [[1, 0], [2]]
    """
    neighbours = _neighbours(smiles, cutoff)
    free = np.ones(len(smiles), dtype=bool)
    clusters = []
    for size, index in sorted(((len(one), index) for index, one in enumerate(neighbours)), reverse=True):
        if not free[index]:
            continue
        free[index] = False
        others = neighbours[index][free[neighbours[index]]] if size > 1 else np.empty(0, dtype=np.int64)
        free[others] = False
        clusters.append([index, *others.tolist()])
    return clusters


def _neighbours(smiles: Sequence[str], cutoff: float) -> list[NDArray[np.int64]]:
    """Give, for every molecule, those within a Tanimoto distance, itself among them."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
    known = [index for index, one in enumerate(smiles) if not is_slow(one)]
    bits = np.zeros((len(smiles), BITS), np.float32)
    with rdBase.BlockLogs():
        for index in known:
            bits[index] = generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(smiles[index]))
    counts = bits.sum(1, dtype=np.float64)
    neighbours = []
    for start in range(0, len(smiles), CHUNK):
        # Bits in common, exact as a matrix product; no molecule has no bits, but one that was not read.
        common = (bits[start : start + CHUNK] @ bits.T).astype(np.float64)
        either = np.maximum(counts[start : start + CHUNK, None] + counts - common, 1)
        neighbours += [np.flatnonzero(row) for row in 1 - common / either <= cutoff]
    return [near if len(near) else np.array([index]) for index, near in enumerate(neighbours)]

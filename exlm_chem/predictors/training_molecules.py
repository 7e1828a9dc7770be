"""What a predictor keeps of its training part: to say what a new molecule is like, and how wrong it was there.

One file: texts and measured values of all molecules; predictions out of fold and fingerprints of up to 20,000, vectors
of up to 4,000, both drawn at random. It is read when a column needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from exlm_chem.errors import ExLMError
from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.ecfp import EcfpBlock
from exlm_chem.features.tanimoto import NearestRows, TanimotoIndex
from exlm_chem.predictors.chemistry import Chemistry, graph_of, without_stereo
from exlm_chem.smiles.bounds import is_slow

FINGERPRINT: Final = EcfpBlock(counts=True)
"""Similarity is that of count-ECFP4."""

MOST_FINGERPRINTS: Final = 20_000
MOST_VECTORS: Final = 4_000

SHARE_INSIDE: Final = 0.95
"""As similar as this share of the training molecules is to another one, a new molecule is in the domain."""

_SAMPLE: Final = 1_000
"""Molecules from which that similarity is measured."""


@dataclass(frozen=True)
class TrainingMolecules:
    """The training part of a predictor, as far as it is kept.

    Examples
    --------
    >>> kept = TrainingMolecules.collect(["CCO", "CCN"], np.array([[0.1], [0.2]]), np.array([[0.3], [0.1]]))
    >>> kept.index.nearest(FINGERPRINT.compute(["CCCO"]))[0], kept.chemistry.elements
    (array([0]), ('C', 'N', 'O'))
    """

    texts: Sequence[str]
    """*The* texts of all N molecules."""
    flat: Sequence[str]
    """Their texts without stereo; empty where that changes nothing."""
    values: NDArray[np.float32]
    """Measured, shape (N, columns); NaN where unknown."""
    out_of_fold: NDArray[np.float32]
    """Predicted by models that had not seen the molecule, shape (N, columns); NaN where either is unknown."""
    fingerprint_rows: NDArray[np.int32]
    """The molecules with a fingerprint."""
    fingerprints: NDArray[np.uint16]
    """Theirs, shape (fingerprints, 2048)."""
    vector_rows: NDArray[np.int32]
    """The molecules with a vector."""
    vectors: NDArray[np.int8]
    """Theirs less `center`, each stretched to -127..127: a direction. Shape (vectors, width)."""
    center: NDArray[np.float32]
    """The mean of the vectors, shape (width,)."""
    chemistry: Chemistry
    """Elements, sizes and charges."""
    least_similarity: float
    """To the nearest training molecule, for a molecule in the domain."""

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def collect(
        cls,
        texts: Sequence[str],
        values: NDArray[Any],
        out_of_fold: NDArray[Any],
        vectors: NDArray[Any] | None = None,
        seed: int = 0,
    ) -> TrainingMolecules:
        """Keep what is needed of a training part.

        Parameters
        ----------
        texts : sequence of str
            *The* texts of N molecules, in the order of the training.
        values, out_of_fold : array of shape (N, columns)
            Measured values, and predictions of models that had not seen the molecule; NaN where there is none.
        vectors : array of shape (N, width), optional
            Of the encoder.
        seed : int
            Decides which molecules are kept if they are many.
        """
        if not len(texts) == len(values) == len(out_of_fold):
            raise ExLMError("a training part needs as many values and predictions as it has molecules")
        draw = np.random.default_rng(seed).permutation(len(texts)).astype(np.int32)
        rows, vector_rows = np.sort(draw[:MOST_FINGERPRINTS]), np.sort(draw[:MOST_VECTORS])
        # what was not measured says nothing of how wrong a prediction is
        kept = np.full(out_of_fold.shape, np.nan, np.float32)
        kept[rows] = np.where(np.isnan(values[rows]), np.nan, out_of_fold[rows])
        with rdBase.BlockLogs():
            parsed = [None if is_slow(text) else Chem.MolFromSmiles(text) for text in texts]
        flat = [text if one is None else without_stereo(text, one) for text, one in zip(texts, parsed, strict=True)]
        counts = compute_blocks([texts[row] for row in rows], [FINGERPRINT])[FINGERPRINT.name]
        known = ~np.isnan(counts[:, 0])
        rows, fingerprints = rows[known], np.minimum(counts[known], 65_535).astype(np.uint16)
        directions, center = _directions(np.zeros((0, 0)) if vectors is None else vectors[vector_rows])
        return cls(
            texts=list(texts),
            flat=["" if one == text else one for one, text in zip(flat, texts, strict=True)],
            values=values.astype(np.float32),
            out_of_fold=kept,
            fingerprint_rows=rows,
            fingerprints=fingerprints,
            vector_rows=vector_rows if vectors is not None else np.empty(0, np.int32),
            vectors=directions,
            center=center,
            chemistry=Chemistry.of(filter(None, map(graph_of, texts, parsed))),
            least_similarity=_least_similarity(fingerprints, seed),
        )

    @cached_property
    def index(self) -> TanimotoIndex:
        """Finds the nearest of the fingerprints; its rows are places in `fingerprint_rows`."""
        return TanimotoIndex(self.fingerprints)

    @cached_property
    def known_texts(self) -> frozenset[str]:
        """All texts, with stereo where a molecule has it."""
        return frozenset(self.texts)

    def unseen(self, text: str, molecule: Any) -> list[str]:
        """Name what of a molecule no training molecule has; see `Chemistry.unseen`."""
        return [] if text in self.known_texts else self.chemistry.unseen(molecule)

    @cached_property
    def known_connections(self) -> frozenset[str]:
        """All texts without stereo."""
        return frozenset(flat or text for flat, text in zip(self.flat, self.texts, strict=True))

    def nearest_by_vector(self, vectors: NDArray[Any]) -> NearestRows:
        """Find the molecule whose vector points in the most similar direction from the mean of all.

        Parameters
        ----------
        vectors : array of shape (B, width)
            Of the same encoder; NaN for a molecule without.

        Returns
        -------
        rows : int array of shape (B,)
            Places in `vector_rows`, -1 where there is none.
        similarities : array of shape (B,)
            Cosines, NaN where there is none.
        """
        rows, best = np.full(len(vectors), -1, np.int64), np.full(len(vectors), np.nan)
        good = np.flatnonzero(~np.isnan(vectors).any(1))
        if len(good) and len(self.vectors):
            # one molecule at a time: a product of matrices gives other last digits for other heights
            directions = self._unit_vectors
            for row in good:
                own = _unit(vectors[row : row + 1] - self.center)[0]
                cosines = directions @ own
                rows[row], best[row] = int(cosines.argmax()), float(cosines.max())
        return rows, best

    @cached_property
    def _unit_vectors(self) -> NDArray[np.float32]:
        return _unit(self.vectors.astype(np.float32))


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.where(length > 0, length, 1)).astype(np.float32)
    return unit


def _directions(vectors: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Give vectors less their mean as directions of eight bits, and the mean."""
    if not len(vectors):
        return np.zeros(vectors.shape, np.int8), np.zeros(vectors.shape[1], np.float32)
    good = ~np.isnan(vectors).any(1)
    center = vectors[good].mean(0) if good.any() else np.zeros(vectors.shape[1])
    moved = np.where(good[:, None], vectors - center, 0.0)
    largest = np.abs(moved).max(1, keepdims=True)
    eight_bits = np.round(127 * moved / np.where(largest > 0, largest, 1)).astype(np.int8)
    return eight_bits, center.astype(np.float32)


def _least_similarity(fingerprints: NDArray[np.uint16], seed: int) -> float:
    """Give the similarity to their nearest other that all but a few of the molecules have."""
    if len(fingerprints) < 2:
        return 1.0
    sample = np.sort(np.random.default_rng(seed).permutation(len(fingerprints))[:_SAMPLE])
    _, similarities = TanimotoIndex(fingerprints).nearest(fingerprints[sample], leave_out=sample)
    return float(np.quantile(similarities, 1 - SHARE_INSIDE))

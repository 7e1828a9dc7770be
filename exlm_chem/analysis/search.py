"""The molecules of a library that are nearest to some others: by their vectors, by their substructures, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from exlm_chem.analysis.library import Library, unit
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.features.bit_vectors import bit_vectors
from exlm_chem.machine import checked_device
from exlm_chem.options import check_options, documented, option
from exlm_chem.storage import write_file
from exlm_chem.terms import BackendName, EmbeddingPrecision, OnInvalid

CANDIDATES: Final = 50
"""Among how many times as many of the nearest by vector the nearest by both are looked for."""

_LAST: Final = -2.0
"""What stands in the order for a similarity that is not known: less than any."""

_COMPARED: Final = 10_000
"""Vectors of an index that are compared with those of the library at a time."""


@documented
@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """What is near, and how many molecules are wanted."""

    by: Literal["embedding", "tanimoto", "both"] = option(
        "embedding", "Cosine of the embeddings, Tanimoto similarity of ECFP4, or the mean of both."
    )
    number: int = option(10, "How many molecules for each one.", short="-n", least=1, most=100_000)
    index: str | None = option(
        None,
        "An index file (usearch) for large libraries: made if it is not there; approximate.",
        note="Without it the search is exact.",
        metavar="FILE",
    )
    library_column: str | None = option(None, "The column of the library's SMILES.", metavar="NAME", shown="found")
    report: str | None = option(None, "A page for the browser besides, with structures.", metavar="FILE.html")
    on_invalid: OnInvalid = option(
        "flag", "A molecule that cannot be read: flag gives the reason, skip leaves it out, raise ends the run."
    )
    device: str = option("auto", "cpu, cuda, mps, or auto for the best there is.")
    backend: BackendName = option("auto", "What the encoder runs on.")
    precision: EmbeddingPrecision = option("fp32", "Of the encoder; see embed.")

    def __post_init__(self) -> None:
        check_options(self)
        checked_device(self.device)
        if self.index is not None and self.by == "tanimoto":
            raise ExLMError("--index is one of embeddings; leave it away, or search --by embedding or both")


@dataclass(frozen=True)
class Hit:
    """One molecule that was found.

    Attributes
    ----------
    row : int
        Of the library.
    cosine, tanimoto : float
        How near it is; NaN for what RDKit needs too long for.
    """

    row: int
    cosine: float
    tanimoto: float


class Searcher:
    """A library that can be asked for what is near a molecule.

    Parameters
    ----------
    library : Library
        What is searched.
    encoder : ExLM
        The one that made its vectors.
    options : SearchOptions, optional
        What is near.

    Raises
    ------
    ExLMError
        If the vectors are those of another encoder, or the index is of another library.
    """

    def __init__(self, library: Library, encoder: ExLM, options: SearchOptions | None = None) -> None:
        self.library, self._encoder, self._options = library, encoder, options or SearchOptions()
        library.check_encoder(encoder)
        self._index = None if self._options.index is None else _open_index(self._options.index, library)

    def search(self, smiles: Sequence[str | None]) -> list[list[Hit] | str]:
        """Find what is near some molecules.

        Parameters
        ----------
        smiles : sequence of str or None
            The molecules.

        Returns
        -------
        list of (list of Hit, or str)
            For each the nearest molecules, the nearest first; or the reason why there are none.
        """
        inputs = self._encoder.read_all(smiles)
        good = [place for place, one in enumerate(inputs) if one.molecule.error is None]
        dim = self.library.dim_of(self._encoder)
        vectors = unit(self._encoder.embed_inputs([inputs[place] for place in good], dim=dim))
        found: list[list[Hit] | str] = [one.molecule.error or "" for one in inputs]
        if not len(self.library.rows):
            return ["the library is empty"] * len(found)
        for place, vector, rows in zip(good, vectors, self._candidates(vectors), strict=True):
            found[place] = self._hits(inputs[place].molecule.smiles, vector, rows)
        return found

    def _candidates(self, vectors: NDArray[np.float32]) -> Sequence[NDArray[np.int64] | None]:
        """Give for each vector the rows that are looked at; None for all."""
        if self._options.by == "tanimoto":
            return [None] * len(vectors)
        wanted = self._options.number * (CANDIDATES if self._options.by == "both" else 1)
        if self._index is None:
            return [_largest(self.library.vectors @ vector, wanted) for vector in vectors]
        found = [self._index.search(vector, min(wanted, len(self.library.rows))) for vector in vectors]
        return [one.keys.astype(np.int64) for one in found]

    def _hits(self, smiles: str, vector: NDArray[np.float32], rows: NDArray[np.int64] | None) -> list[Hit]:
        number = self._options.number
        asked = bit_vectors([smiles])[0]
        if rows is None:
            rows = _largest(np.nan_to_num(_likeness(asked, self._fingerprints), nan=_LAST), number)
        near = _likeness(asked, self._of_rows(rows))
        cosine = np.clip(self.library.vectors[rows] @ vector, -1, 1)
        score = {"embedding": cosine, "tanimoto": near, "both": (cosine + near) / 2}[self._options.by]
        order = np.argsort(-np.nan_to_num(score, nan=_LAST), kind="stable")[:number]
        return [Hit(int(rows[one]), float(cosine[one]), float(near[one])) for one in order]

    @cached_property
    def _fingerprints(self) -> list[Any]:
        return bit_vectors(self.library.smiles)

    def _of_rows(self, rows: NDArray[np.int64]) -> list[Any]:
        if "_fingerprints" in self.__dict__:
            return [self._fingerprints[row] for row in rows]
        return bit_vectors([self.library.smiles_of(row) for row in rows])


def _likeness(asked: Any, others: Sequence[Any]) -> NDArray[np.float32]:
    """Give the Tanimoto similarities; NaN where there is no fingerprint."""
    from rdkit.DataStructs import BulkTanimotoSimilarity

    found = np.full(len(others), np.nan, np.float32)
    known = [place for place, one in enumerate(others) if asked is not None and one is not None]
    found[known] = BulkTanimotoSimilarity(asked, [others[place] for place in known]) if known else []
    return found


def _largest(values: NDArray[np.float32], number: int) -> NDArray[np.int64]:
    """Give the places of the largest numbers, the largest first, of equal ones the first."""
    number = min(number, len(values))
    places = np.sort(np.argpartition(-values, number - 1)[:number])
    return places[np.argsort(-values[places], kind="stable")]


def _open_index(path: str, library: Library) -> Any:
    """Read an index, or make it."""
    try:
        from usearch.index import Index
    except ImportError:
        raise ExLMError("--index needs usearch; run: pip install 'exlm-chem[search]'") from None
    if Path(path).exists():
        index = Index.restore(path)
        if index is None or (len(index), index.ndim) != library.vectors.shape or not _holds(index, library):
            raise ExLMError(f"{path} is no index of {library.name}; remove it, or name another file with --index")
        return index
    index = Index(ndim=library.vectors.shape[1], metric="cos", dtype="f32")
    index.add(np.arange(len(library.rows)), library.vectors)
    with write_file(path) as file:
        file.write(bytes(index.save() or b""))
    return index


def _holds(index: Any, library: Library) -> bool:
    """Tell whether the vectors of an index are those of a library, row by row."""
    for start in range(0, len(library.rows), _COMPARED):
        wanted = library.vectors[start : start + _COMPARED]
        found = index.get(np.arange(start, start + len(wanted)))
        if any(one is None for one in found):
            return False
        if not np.allclose(np.asarray(found, np.float32), wanted, atol=0.01):
            return False
    return True

"""Vectors kept on the disk between runs, by the weights that made them and the molecule."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import BATCH_SIZE, ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.smiles.containers import molecules_in
from exlm_chem.terms import OnInvalidMolecule, Pooling


class VectorCache:
    """A file of vectors; several processes may use it at once.

    Parameters
    ----------
    path : str or Path
        An SQLite file; made when the first vectors are kept.

    Examples
    --------
    >>> import tempfile
    >>> encoder = ExLM.from_pretrained("exlm-small", device="cpu")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = VectorCache(Path(folder) / "vectors.sqlite")
    ...     first = cache.embed(encoder, ["CCO", "OCC", "no"])
    ...     len(cache), bool((cache.embed(encoder, ["C(C)O"])[0] == first[0]).all())
    (1, True)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __len__(self) -> int:
        with self._opened() as database:
            (count,) = database.execute("SELECT count(*) FROM vectors").fetchone()
            return int(count)

    def embed(
        self,
        encoder: ExLM,
        molecules: Any,
        pooling: Pooling = "mean",
        on_invalid: OnInvalidMolecule = "nan",
        *,
        batch_size: int = BATCH_SIZE,
        layer: int = -1,
    ) -> NDArray[np.float32]:
        """Do what `ExLM.embed` does, and compute only what is not kept yet.

        Parameters
        ----------
        encoder : ExLM
            The encoder.
        molecules, pooling, on_invalid, batch_size, layer
            See `ExLM.embed`.

        Returns
        -------
        float32 array of shape (molecules, width)
        """
        given = molecules_in(molecules)
        inputs = encoder.read_all(given)
        if on_invalid == "raise" and any(one.molecule.error for one in inputs):
            return encoder.embed(given, pooling, on_invalid="raise", batch_size=batch_size)  # which says what is wrong
        made_of = f"{pooling} " if layer == -1 else f"{pooling} {layer} "
        maker = f"{encoder.fingerprint} {encoder.tokenizer.fingerprint} {encoder.backend.name} {made_of}"
        keys = [_key(maker, one.molecule.smiles) if one.token_ids else b"" for one in inputs]
        with self._opened() as database:
            known = self._known(database, sorted({*keys} - {b""}))
            missing = {key: one for key, one in zip(keys, inputs, strict=True) if key and key not in known}
            made = encoder.embed_inputs(list(missing.values()), pooling, batch_size=batch_size, layer=layer)
            known |= dict(zip(missing, made, strict=True))
            with database:
                database.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                    ((key, _packed(key, known[key])) for key in missing),
                )
        vectors = np.full((len(keys), encoder.vector_width(pooling)), np.nan, np.float32)
        for row, key in enumerate(keys):
            if key:
                vectors[row] = known[key]
        return vectors

    def _known(self, database: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        found: dict[bytes, NDArray[np.float32]] = {}
        for start in range(0, len(keys), 500):  # SQLite takes so many values at once
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            rows = database.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part)  # noqa: S608  (marks)
            unpacked = {key: _unpacked(key, packed) for key, packed in rows}
            found |= {key: vector for key, vector in unpacked.items() if vector is not None}
        return found

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file; whatever is wrong with it, now or later, is told in one sentence."""
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as database:
                database.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
                yield database
        except sqlite3.Error as error:
            raise ExLMError(f"{self.path} cannot be used as a cache of vectors ({error}); name another file") from None


def _packed(key: bytes, vector: NDArray[np.float32]) -> bytes:
    """Write a vector with a checksum behind it: SQLite has none, and a disk may return something else."""
    numbers = vector.astype("<f4").tobytes()
    return numbers + zlib.crc32(key + numbers).to_bytes(4, "little")


def _unpacked(key: bytes, packed: Any) -> NDArray[np.float32] | None:
    """Give the vector, or nothing if it is damaged, which is computed anew then."""
    if not isinstance(packed, bytes) or len(packed) % 4:
        return None
    numbers, checksum = packed[:-4], packed[-4:]
    return np.frombuffer(numbers, "<f4") if zlib.crc32(key + numbers).to_bytes(4, "little") == checksum else None


def _key(maker: str, smiles: str) -> bytes:
    return hashlib.sha256((maker + smiles).encode()).digest()

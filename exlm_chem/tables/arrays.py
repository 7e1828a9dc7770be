"""NumPy files written as a stream: the rows wait on the disk until their number, which the header holds, is known."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.storage import final_target, is_special
from exlm_chem.tables.outputs import open_output
from exlm_chem.tables.parquet_writer import as_utf8
from exlm_chem.tables.writers import unique_names

ARRAY_SUFFIXES = (".npy", ".npz")


class ArrayWriter:
    """Collects vectors, and the texts that belong to them, on the disk.

    Parameters
    ----------
    folder : Path or None
        Where there is room for the temporary files; None for where the system has them.
    columns : sequence of str
        Names of the texts; "vectors" is taken.
    width : int
        Length of a vector.
    """

    def __init__(self, folder: Path | None, columns: Sequence[str], width: int) -> None:
        self.columns = unique_names(["vectors", *map(as_utf8, columns)])[1:]
        self.width, self.rows = width, 0
        self._longest = [1] * len(columns)
        self._vectors: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closed in __exit__)
        self._texts: IO[str] = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._vectors.close()
        self._texts.close()

    def write(self, texts: Sequence[Sequence[str]], vectors: NDArray[np.float32]) -> None:
        """Take some rows: a text for every column, and vectors of shape (rows, width)."""
        self._vectors.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        for row in texts:
            self._texts.write(json.dumps(row) + "\n")  # escapes what is no UTF-8
            self._longest = [max(longest, len(text)) for longest, text in zip(self._longest, row, strict=True)]
        self.rows += len(texts)

    def save(self, file: IO[bytes], *, npz: bool) -> None:
        """Write the vectors (.npy), or the vectors and every column of texts (.npz), into a file."""
        if not npz:
            self._save_vectors(file)
            return
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("vectors.npy", "w", force_zip64=True) as member:
                self._save_vectors(member)
            for index, name in enumerate(self.columns):
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    self._save_texts(member, index)

    def _save_vectors(self, file: IO[bytes]) -> None:
        _write_header(file, np.dtype("<f4"), (self.rows, self.width))
        self._vectors.seek(0)
        shutil.copyfileobj(self._vectors, file, 1 << 20)

    def _save_texts(self, file: IO[bytes], index: int) -> None:
        dtype = np.dtype(f"<U{self._longest[index]}")
        _write_header(file, dtype, (self.rows,))
        self._texts.seek(0)
        for line in self._texts:
            file.write(np.array(json.loads(line)[index], dtype=dtype).tobytes())


@contextmanager
def open_arrays(
    path: str | Path, columns: Sequence[str], width: int, source: str | None = None
) -> Iterator[ArrayWriter]:
    """Open a NumPy file for writing; it gets its name when all is written, and vanishes if anything fails.

    Parameters
    ----------
    path : path
        Ending in ``.npy`` or ``.npz``.
    columns, width
        See `ArrayWriter`.
    source : str, optional
        The input, over which nothing is written; see `open_output`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_arrays(Path(folder) / "a.npz", ["smiles"], width=2) as writer:
    ...         writer.write([["CCO"]], np.zeros((1, 2)))
    ...     with np.load(Path(folder) / "a.npz") as arrays:
    ...         print({name: arrays[name].tolist() for name in arrays})
    {'vectors': [[0.0, 0.0]], 'smiles': ['CCO']}
    """
    folder = None if is_special(path) else final_target(path).parent
    with open_output(path, source) as file, ArrayWriter(folder, columns, width) as writer:
        yield writer
        writer.save(file, npz=Path(path).suffix.lower() == ".npz")


def _write_header(file: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)

"""NumPy files written as a stream: the rows wait on the disk until their number, which the header holds, is known."""

from __future__ import annotations

import json
import os
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

from exlm_chem.errors import ExLMError
from exlm_chem.tables.writers import unique_names

ARRAY_SUFFIXES = (".npy", ".npz")


class ArrayWriter:
    """Collects vectors, and the texts that belong to them, on the disk.

    Parameters
    ----------
    folder : Path
        Where there is room for the temporary files.
    columns : sequence of str
        Names of the texts; "vectors" is taken.
    width : int
        Length of a vector.
    """

    def __init__(self, folder: Path, columns: Sequence[str], width: int) -> None:
        self.columns = unique_names(["vectors", *columns])[1:]
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
            self._texts.write(json.dumps(row) + "\n")
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
        The input, over which nothing is written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_arrays(Path(folder) / "a.npz", ["smiles"], width=2) as writer:
    ...         writer.write([["CCO"]], np.zeros((1, 2)))
    ...     with np.load(Path(folder) / "a.npz") as arrays:
    ...         print({name: arrays[name].tolist() for name in arrays})
    {'vectors': [[0.0, 0.0]], 'smiles': ['CCO']}
    """
    target = Path(os.path.realpath(path))
    if source is not None and target.exists() and target.samefile(source):
        raise ExLMError(f"{path} is the input, which is never written over; choose another name")
    if target.is_dir():
        raise ExLMError(f"{path} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise ExLMError(f"there is no folder {Path(path).parent}; make it first")
    working = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with ArrayWriter(target.parent, columns, width) as writer:
            yield writer
            with working.open("wb") as file:
                writer.save(file, npz=target.suffix.lower() == ".npz")
        working.replace(target)
    except BaseException as error:
        working.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ExLMError(f"{path} cannot be written: {error.strerror or error}") from error
        raise


def _write_header(file: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)

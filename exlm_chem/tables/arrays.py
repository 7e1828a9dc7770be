"""NumPy files written as a stream: the rows wait on the disk until their number, which the header holds, is known."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from exlm_chem.storage import final_target, is_special
from exlm_chem.tables.names import unique_names
from exlm_chem.tables.outputs import open_output
from exlm_chem.tables.parquet_writer import as_utf8
from exlm_chem.tables.quantised import quantised, restored, scale_of
from exlm_chem.tables.results import Rows
from exlm_chem.tables.writers import cell_text

ARRAY_SUFFIXES = (".npy", ".npz")
VECTOR_TYPES: Final[dict[str, Any]] = {"float32": np.float32, "float16": np.float16, "int8": np.int8}
"""How vectors are kept, and the type of their columns."""

_ROWS: Final = 4096
"""Converted at a time."""


class ArrayWriter:
    """Collects vectors, and the texts that belong to them, on the disk.

    Parameters
    ----------
    folder : Path or None
        Where there is room for the temporary files; None for where the system has them.
    columns : sequence of str
        Names of all columns; "vectors" is taken, and for whole numbers "scale".
    types : sequence
        Their types: those of `VECTOR_TYPES` are the vectors, all others are texts.
    """

    def __init__(self, folder: Path | None, columns: Sequence[str], types: Sequence[Any]) -> None:
        kinds = [kind for kind in types if kind in VECTOR_TYPES.values()]
        self._dtype = np.dtype(kinds[0]).newbyteorder("<")
        texts = [name for name, kind in zip(columns, types, strict=True) if kind not in kinds]
        taken = ["vectors", "scale"] if self._dtype == np.int8 else ["vectors"]
        self.columns = unique_names([*taken, *map(as_utf8, texts)])[len(taken) :]
        self.width, self.rows = len(kinds), 0
        self._largest = np.zeros(self.width, np.float32)
        self._longest = [1] * len(texts)
        self._vectors: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closed in __exit__)
        self._texts: IO[str] = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._vectors.close()
        self._texts.close()

    def write(self, rows: Rows) -> None:
        """Take some rows, whose values are the vectors."""
        self._vectors.write(np.ascontiguousarray(rows.values, dtype="<f4").tobytes())
        self._largest = np.fmax(self._largest, np.fmax.reduce(np.abs(rows.values), initial=0))
        for cells, texts in zip(rows.cells, rows.texts, strict=True):
            row = [cell_text(cell) for cell in (*cells, *texts)]
            self._texts.write(json.dumps(row) + "\n")  # escapes what is no UTF-8
            self._longest = [max(longest, len(text)) for longest, text in zip(self._longest, row, strict=True)]
        self.rows += len(rows.cells)

    def save(self, file: IO[bytes], *, npz: bool) -> None:
        """Write the vectors (.npy), or the vectors and every column of texts (.npz), into a file."""
        if not npz:
            self._save_vectors(file)
            return
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("vectors.npy", "w", force_zip64=True) as member:
                self._save_vectors(member)
            if self._dtype == np.int8:
                with archive.open("scale.npy", "w") as member:
                    np.save(member, scale_of(self._largest))
            for index, name in enumerate(self.columns):
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    self._save_texts(member, index)

    def _save_vectors(self, file: IO[bytes]) -> None:
        _write_header(file, self._dtype, (self.rows, self.width))
        self._vectors.seek(0)
        if self._dtype == np.float32:
            shutil.copyfileobj(self._vectors, file, 1 << 20)
            return
        scale = scale_of(self._largest)
        while part := self._vectors.read(4 * self.width * _ROWS):
            vectors = np.frombuffer(part, "<f4").reshape(-1, self.width)
            kept = quantised(vectors, scale) if self._dtype == np.int8 else vectors.astype(self._dtype)
            file.write(kept.tobytes())

    def _save_texts(self, file: IO[bytes], index: int) -> None:
        dtype = np.dtype(f"<U{self._longest[index]}")
        _write_header(file, dtype, (self.rows,))
        self._texts.seek(0)
        for line in self._texts:
            file.write(np.array(json.loads(line)[index], dtype=dtype).tobytes())


@contextmanager
def open_arrays(
    path: str | Path, columns: Sequence[str], types: Sequence[Any], source: str | None = None
) -> Iterator[ArrayWriter]:
    """Open a NumPy file for writing; it gets its name when all is written, and vanishes if anything fails.

    Parameters
    ----------
    path : path
        Ending in ``.npy`` or ``.npz``.
    columns, types
        See `ArrayWriter`.
    source : str, optional
        The input, over which nothing is written; see `open_output`.

    Examples
    --------
    >>> types = {"smiles": str, "x": np.float32, "y": np.float32, "error": str}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_arrays(Path(folder) / "a.npz", list(types), list(types.values())) as writer:
    ...         writer.write(Rows([["CCO"]], np.zeros((1, 2)), [[]], [[None]], ["CCO"]))
    ...     with np.load(Path(folder) / "a.npz") as arrays:
    ...         print({name: arrays[name].tolist() for name in arrays})
    {'vectors': [[0.0, 0.0]], 'smiles': ['CCO'], 'error': ['']}
    """
    folder = None if is_special(path) else final_target(path).parent
    with open_output(path, source) as file, ArrayWriter(folder, columns, types) as writer:
        yield writer
        writer.save(file, npz=Path(path).suffix.lower() == ".npz")


def vectors_in(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Give the vectors of a ``.npz`` that was opened by `numpy.load`, in whatever type they are kept.

    Returns
    -------
    float32 array of shape (molecules, width)
        NaN in a row without a vector.
    """
    vectors = arrays["vectors"]
    return restored(vectors, arrays["scale"]) if vectors.dtype == np.int8 else vectors.astype(np.float32)


def _write_header(file: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)

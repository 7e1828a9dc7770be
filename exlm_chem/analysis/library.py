"""What ``exlm-chem embed`` wrote, as a library of molecules that can be searched or drawn as a map."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.tables.columns import choose_smiles_column
from exlm_chem.tables.numbers import number_in
from exlm_chem.tables.parquet_writer import plain_value
from exlm_chem.tables.reader import MoleculeReader

_VECTOR: Final = re.compile(r"(?:exlm_)?exlm_\d+")
_NEAR: Final = 0.98
"""Cosine of the vectors of one molecule that two precisions of a model stay above."""


@dataclass(frozen=True)
class Library:
    """Molecules with their vectors; one without a vector is left out.

    Attributes
    ----------
    name : str
        The file.
    columns : list of str
        Names of its columns, without the vectors.
    rows : list of lists
        The cells of each molecule.
    smiles_index : int
        The place of the SMILES among them.
    vectors : float32 array of shape (molecules, width)
        Of length 1.
    """

    name: str
    columns: list[str]
    rows: list[list[Any]]
    smiles_index: int
    vectors: NDArray[np.float32]

    @property
    def smiles(self) -> list[str]:
        """The SMILES as they were given."""
        return [self.smiles_of(row) for row in range(len(self.rows))]

    def smiles_of(self, row: int) -> str:
        """Give the SMILES of one molecule as it was given."""
        return str(plain_value(self.rows[row][self.smiles_index]))

    def check_encoder(self, encoder: ExLM) -> None:
        """Refuse an encoder other than the one that made the vectors.

        Raises
        ------
        ExLMError
            If the vector of the first molecule is another one.
        """
        if not self.rows:
            return
        width = self.vectors.shape[1]
        again = unit(encoder.embed([self.smiles_of(0)])) if encoder.width == width else np.zeros((1, width))
        if not float(again[0] @ self.vectors[0]) > _NEAR:
            raise ExLMError(
                f"the vectors of {self.name} are not those of this model; name with --model the one that made them, "
                "and embed with mean pooling and without a rule of standardisation"
            )


def read_library(path: str | Path, smiles_column: str | None = None, encoder: ExLM | None = None) -> Library:
    """Read a file that ``exlm-chem embed`` wrote, ``.npz`` or a table; or molecules, which are embedded now.

    Parameters
    ----------
    path : str or Path
        The file.
    smiles_column : str, optional
        Which column holds the SMILES, where its name does not say so.
    encoder : ExLM, optional
        For a table without vectors: what makes them.

    Raises
    ------
    ExLMError
        If there are no vectors or no molecules in it.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        raise ExLMError(f"{path} holds vectors without their molecules; embed into .npz, .parquet or .csv instead")
    if suffix == ".npz":
        names, rows, smiles_index, vectors = _read_arrays(path, smiles_column)
    else:
        names, rows, smiles_index, vectors = _read_table(path, smiles_column, encoder)
    good = np.flatnonzero(np.isfinite(vectors).all(1))
    return Library(str(path), names, [rows[row] for row in good], smiles_index, unit(vectors[good]))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors to length 1.

    Examples
    --------
    >>> unit(np.array([[3.0, 4.0]], np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    scaled: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled


def _read_arrays(
    path: str | Path, smiles_column: str | None
) -> tuple[list[str], list[list[Any]], int, NDArray[np.float32]]:
    try:
        with np.load(path) as arrays:
            vectors = arrays["vectors"].astype(np.float32)
            names = [name for name in arrays.files if name != "vectors"]
            columns: list[list[Any]] = [list(arrays[name].tolist()) for name in names]
    except FileNotFoundError:
        raise ExLMError(f"{path} does not exist; make it with: exlm-chem embed MOLECULES -o {path}") from None
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise ExLMError(f"{path} is no .npz that exlm-chem embed wrote; make it again") from None
    rows = [list(row) for row in zip(*columns, strict=True)] if columns else []
    if vectors.ndim != 2 or len(rows) != len(vectors):
        raise ExLMError(f"{path} holds vectors without their molecules; embed the molecules again")
    index = choose_smiles_column(names, lambda place: columns[place][:20], smiles_column, str(path), lambda _: None)
    return names, rows, index, vectors


def _read_table(
    path: str | Path, smiles_column: str | None, encoder: ExLM | None
) -> tuple[list[str], list[list[Any]], int, NDArray[np.float32]]:
    with MoleculeReader(Path(path), smiles_column) as reader:
        places = [place for place, name in enumerate(reader.columns) if _VECTOR.fullmatch(name)]
        if not places and encoder is None:
            raise ExLMError(f"{path} has no columns exlm_0, exlm_1, ...; make it with: exlm-chem embed MOLECULES -o")
        others = [place for place in range(len(reader.columns)) if place not in set(places)]
        rows, numbers, smiles = [], [], []
        for record in reader:
            rows.append([record.cells[place] for place in others])
            numbers.append([number_in(plain_value(record.cells[place])) for place in places])
            smiles.append(record.smiles if record.error is None else None)
        names = [reader.columns[place] for place in others]
        if places or encoder is None:
            vectors = np.array(numbers, np.float32).reshape(-1, len(places))
        else:
            vectors = encoder.embed(smiles)
        return names, rows, others.index(reader.smiles_index), vectors

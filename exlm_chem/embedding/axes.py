"""The principal axes of a model's vectors, kept with the model: short vectors, for libraries of many millions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save as to_bytes

from exlm_chem.embedding.embedder import ExLM
from exlm_chem.errors import ExLMError
from exlm_chem.model_directory import open_model
from exlm_chem.storage import sha256, write_file
from exlm_chem.storage.tensors import read_tensors
from exlm_chem.tables.read_options import ReadOptions
from exlm_chem.tables.reader import MoleculeReader

AXES_NAME: Final = "axes.safetensors"
MOST_AXES: Final = 128
MOST_MOLECULES: Final = 10_000
"""From which they are fitted; more change nothing that a search would see."""

_WEIGHTS: Final = "weights_sha256"


@dataclass(frozen=True)
class PrincipalAxes:
    """Directions in which the vectors of molecules differ, the most important first.

    Vectors are turned onto them and not shifted: cosines stay what they are, as far as the axes reach.

    Attributes
    ----------
    axes : float32 array of shape (axes, width)
        At right angles, of length 1.
    fingerprint : str
        Changes when the numbers do.

    Examples
    --------
    >>> axes = PrincipalAxes(np.array([[0.6, 0.8]], np.float32), "")
    >>> axes.reduce(np.array([[3.0, 4.0]], np.float32), 1).tolist()
    [[5.0]]
    """

    axes: NDArray[np.float32]
    fingerprint: str

    def check(self, dim: int) -> None:
        """Refuse more axes than there are."""
        if not 1 <= dim <= len(self.axes):
            raise ExLMError(f"--dim must be from 1 to {len(self.axes)}, as many axes as are kept; or leave it away")

    def reduce(self, vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
        """Give what vectors, shape (molecules, width), are on the first axes, shape (molecules, dim)."""
        self.check(dim)
        return np.asarray(vectors @ self.axes[:dim].T, np.float32)


def fit_axes(
    model: str | Path,
    molecules: Path | Sequence[str],
    *,
    reading: ReadOptions | str | None = None,
    device: str = "auto",
) -> Path:
    """Find the principal axes of a model's vectors, and keep them in its directory.

    Parameters
    ----------
    model : str or Path
        See `exlm_chem.locations.locate`.
    molecules : Path or sequence of str
        Molecules like those that will be embedded; see `MoleculeReader`. The first 10,000 count.
    reading : ReadOptions or str, optional
        See `MoleculeReader`.
    device : str
        See `ExLM`.

    Returns
    -------
    Path
        The file. Nothing else in the directory changes.
    """
    from sklearn.decomposition import PCA

    found = open_model(model)
    with MoleculeReader(molecules, reading) as reader:
        texts = [one.smiles for one in islice(reader, MOST_MOLECULES) if one.error is None]
    vectors = ExLM.from_pretrained(found.path, device).embed(texts)
    vectors = vectors[np.isfinite(vectors).all(1)]
    number = min(MOST_AXES, vectors.shape[1])
    if len(vectors) <= number:
        raise ExLMError(f"{number} axes need more than {number} molecules, and these are {len(vectors)}; give more")
    pca = PCA(number, svd_solver="covariance_eigh").fit(vectors.astype(np.float64))
    axes = np.ascontiguousarray(pca.components_, np.float16)  # safetensors writes the memory as it lies
    path = found.path / AXES_NAME
    with write_file(path) as file:
        file.write(to_bytes({"axes": axes}, metadata={_WEIGHTS: found.fingerprint}))
    return path


def read_axes(encoder: ExLM) -> PrincipalAxes:
    """Read the principal axes that are kept with a model.

    Raises
    ------
    ExLMError
        If there are none, or those of other weights.
    """
    path = None if encoder.directory is None else encoder.directory / AXES_NAME
    if path is None or not path.is_file():
        raise ExLMError("this model has no principal axes for --dim; find them with: exlm-chem models axes MODEL FILE")
    axes = read_tensors(path).get("axes", np.empty((0, 0), np.float32))
    with safe_open(path, framework="numpy") as file:
        made_for = (file.metadata() or {}).get(_WEIGHTS)
    if made_for != encoder.fingerprint or axes.shape[1:] != (encoder.width,):
        raise ExLMError(
            f"{path} holds the axes of another model; find them again with: exlm-chem models axes MODEL FILE"
        )
    return PrincipalAxes(axes, sha256(path))

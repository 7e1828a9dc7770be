"""Places in a plane for vectors, so that those of like molecules lie together."""

from __future__ import annotations

import warnings
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from exlm_chem.errors import ExLMError

Layout = Literal["tsne", "pca", "umap"]
"""How a map is laid out."""

_FEWEST: Final = 5
"""Fewer different molecules have too few neighbours for anything but principal components."""

_NEIGHBOURS: Final = 30


def lay_out(vectors: NDArray[np.float32], method: Layout = "tsne", seed: int = 0) -> NDArray[np.float32]:
    """Give vectors places in a plane.

    Parameters
    ----------
    vectors : array of shape (molecules, width)
        The same vector gets the same place.
    method : {"tsne", "pca", "umap"}
        t-SNE, of scikit-learn, keeps neighbours together; principal components keep large distances and lose
        neighbours; UMAP is for where it is installed and wanted.
    seed : int
        Fixes the places.

    Returns
    -------
    float32 array of shape (molecules, 2)

    Examples
    --------
    >>> lay_out(np.array([[0, 0, 0], [2, 0, 0], [2, 0, 0]], np.float32)).round(2).tolist()
    [[-1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    """
    different, which = np.unique(vectors, axis=0, return_inverse=True)
    if len(different) < 2:
        return np.zeros((len(vectors), 2), np.float32)
    if len(different) < _FEWEST:
        method = "pca"
    points = {"tsne": _tsne, "pca": _pca, "umap": _umap}[method](different, seed)
    return np.asarray(points, np.float32)[which.reshape(-1)]


def _pca(vectors: NDArray[np.float32], _: int) -> Any:
    from sklearn.decomposition import PCA

    count = min(2, *vectors.shape)
    points = PCA(count, svd_solver="full").fit_transform(vectors)
    return np.pad(points, ((0, 0), (0, 2 - count)))


def _tsne(vectors: NDArray[np.float32], seed: int) -> Any:
    from sklearn.manifold import TSNE

    perplexity = min(_NEIGHBOURS, (len(vectors) - 1) / 3)
    return TSNE(init="pca", perplexity=perplexity, random_state=seed).fit_transform(vectors)


def _umap(vectors: NDArray[np.float32], seed: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those that its imports give
        try:
            from umap import UMAP
        except ImportError:
            raise ExLMError("--layout umap needs umap-learn; run: pip install 'exlm-chem[umap]'") from None
        neighbours = min(15, len(vectors) - 1)
        return UMAP(random_state=seed, n_jobs=1, n_neighbors=neighbours, init="pca").fit_transform(vectors)

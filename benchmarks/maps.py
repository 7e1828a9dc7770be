"""Claim: of the ways to lay out a map, t-SNE keeps most molecules beside those that are nearest to them.

    python -m benchmarks.maps

Of the first molecules of the sample of ZINC: which share of the ten nearest by embedding are among the ten nearest on
the map, scikit-learn's trustworthiness (1: nobody lies beside a stranger), and seconds; UMAP where it is installed.
"""

from __future__ import annotations

import gzip
import time
from importlib.util import find_spec
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.writer import arguments, write_result
from exlm_chem import ExLM
from exlm_chem.analysis.layout import Layout, lay_out
from exlm_chem.analysis.library import unit
from exlm_chem.data import data_path

NEAREST: Final = 10


def main() -> None:
    """Measure."""
    from sklearn.manifold import trustworthiness

    parser = arguments("maps", __doc__)
    parser.add_argument("--molecules", type=int, default=5000)
    args = parser.parse_args()
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        molecules = [line.split()[0] for line in lines][: args.molecules]
    vectors = unit(ExLM.from_pretrained("exlm-small", "cpu").embed(molecules))
    right = nearest(vectors)
    content: dict[str, Any] = {"molecules": len(molecules), "nearest": NEAREST, "layouts": {}}
    for method in get_args(Layout):
        if method == "umap" and find_spec("umap") is None:
            continue
        start = time.perf_counter()
        points = lay_out(vectors, method)
        content["layouts"][method] = {
            "seconds": round(time.perf_counter() - start, 1),
            "kept": float(np.mean([len({*a} & {*b}) / NEAREST for a, b in zip(right, nearest(points), strict=True)])),
            "trustworthiness": float(trustworthiness(vectors, points, n_neighbors=NEAREST)),
        }
    write_result(args.output, content)


def nearest(vectors: NDArray[np.float32]) -> list[list[int]]:
    """Give the nearest others of each."""
    from sklearn.neighbors import NearestNeighbors

    found: list[list[int]] = (
        NearestNeighbors(n_neighbors=NEAREST).fit(vectors).kneighbors(return_distance=False).tolist()
    )
    return found


if __name__ == "__main__":
    main()

"""Claim: most of the ten nearest molecules are found again with shorter vectors, or with numbers of fewer bits.

    python -m benchmarks.short_vectors

The principal axes of `exlm-small` come from the first 10,000 molecules of ``data/zinc_20k.smi.gz``; the library are the
next 9,800, and the last 200 are looked for. Right are the nearest by cosine of the whole vectors in single precision.
"""

from __future__ import annotations

import gzip
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.writer import arguments, write_result
from exlm_chem import ExLM
from exlm_chem.analysis.library import unit
from exlm_chem.data import data_path
from exlm_chem.tables.quantised import quantised, restored, scale_of

FITTED: Final = 10_000
QUERIES: Final = 200
NEAREST: Final = 10
DIMS: Final = (16, 32, 64, 96, 128, None)
BYTES: Final = {"float32": 4, "float16": 2, "int8": 1}


def main() -> None:
    """Measure."""
    args = arguments("short_vectors", __doc__).parse_args()
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        molecules = [line.split()[0] for line in lines][FITTED:]
    encoder = ExLM.from_pretrained("exlm-small", "cpu")
    vectors = encoder.embed(molecules)
    right = nearest(vectors)
    rows = []
    for dim in DIMS:
        short = vectors if dim is None else encoder.axes.reduce(vectors, dim)
        for kind, size in BYTES.items():
            found = nearest(as_kept(short, kind))
            recall = np.mean([len({*one} & {*other}) / NEAREST for one, other in zip(right, found, strict=True)])
            rows.append({"dim": short.shape[1], "dtype": kind, "bytes": short.shape[1] * size, "recall": float(recall)})
    content: dict[str, Any] = {
        "library": len(molecules) - QUERIES,
        "queries": QUERIES,
        "nearest": NEAREST,
        "rows": rows,
    }
    write_result(args.output, content)


def as_kept(vectors: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    """Give vectors as a file of a type gives them back."""
    if kind == "int8":
        scale = scale_of(np.abs(vectors).max(0))
        return restored(quantised(vectors, scale), scale)
    return vectors.astype(kind).astype(np.float32)


def nearest(vectors: NDArray[np.float32]) -> list[list[int]]:
    """Give the nearest of the library for each of the molecules at the end."""
    scaled = unit(vectors)
    cosines = scaled[-QUERIES:] @ scaled[:-QUERIES].T
    found: list[list[int]] = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST].tolist()
    return found


if __name__ == "__main__":
    main()

"""Vectors of a library by workers of Ray, into Parquet, from Python; on this machine or on a cluster.

pip install 'exlm-chem[ray]'
python examples/ray_library.py                                     # the examples that ship, on all processors
python examples/ray_library.py library.parquet --address auto      # on the cluster that this machine belongs to
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from exlm_chem import ExLM
from exlm_chem.data import data_path
from exlm_chem.embedding.options import EmbeddingOptions
from exlm_chem.embedding.table import embed_file


def main(
    library: Path, output: Path, encoder: str = "exlm-small", address: str | None = None, workers: int | None = None
) -> bool:
    """Embed a file, and compare the first chunk with `ExLM.embed`.

    Parameters
    ----------
    library : Path
        Anything that ``exlm-chem embed`` reads.
    output : Path
        Ending in ``.parquet``.
    encoder : str
        Name of a model that ships, or a model directory.
    address : str, optional
        Of a cluster; by default that of ``RAY_ADDRESS``, and where there is none, a Ray of our own on this machine.
    workers : int, optional
        How many; one for each processor, or GPU, by default.

    Returns
    -------
    bool
        Whether the vectors are the same.
    """
    options = EmbeddingOptions(engine="ray", ray_address=address, ray_workers=workers)
    print(embed_file(library, encoder, output, options))
    rows = pq.read_table(output).slice(0, options.chunk_size)  # rows that are answered together, to the last bit
    expected = ExLM.from_pretrained(encoder).embed(rows["smiles"].to_pylist())
    vectors = np.stack([rows[f"exlm_{index}"].to_numpy() for index in range(expected.shape[1])], axis=1)
    return bool(np.array_equal(vectors, expected, equal_nan=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="?", default=data_path("examples.csv"))
    parser.add_argument("-o", "--output", type=Path, default=Path("vectors.parquet"))
    parser.add_argument("--encoder", default="exlm-small")
    parser.add_argument("--address")
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    same = main(given.library, given.output, given.encoder, given.address, given.workers)
    print(f"vectors are those of ExLM.embed: {same}")

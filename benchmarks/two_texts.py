"""Claim: how near the vectors of two SMILES of one molecule are, before they are made canonical.

For molecules of the sample that ships, the tokens of the canonical text and those of one from another atom are encoded
as they stand. Writes ``benchmarks/results/two_texts.json``.

    python -m benchmarks.two_texts --models exlm-small
"""

from __future__ import annotations

import gzip
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inference import cosines
from benchmarks.writer import arguments, write_result
from exlm_chem.data import data_path
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.smiles.molecule import randomised_smiles


def main() -> None:
    """Compare for every model and write the result."""
    parser = arguments("two_texts", __doc__)
    parser.add_argument("--models", nargs="+", default=("exlm-small",), help="names or directories")
    parser.add_argument("--molecules", type=int, default=1000)
    args = parser.parse_args()
    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        smiles = [line.split()[0] for line in islice(lines, args.molecules)]
    results = {Path(name).name: compared(ExLM.from_pretrained(name), smiles) for name in args.models}
    write_result(args.output, {"molecules": len(smiles), "results": results})


def compared(encoder: ExLM, smiles: list[str]) -> dict[str, Any]:
    """Give quantiles of the cosine between two texts of a molecule, and its median between two molecules."""
    canonical = encoder.embed(smiles)
    others = [randomised_smiles(one, seed) for seed, one in enumerate(smiles)]
    vectors = encoder.embed_tokens([encoder.tokenizer.encode(one) for one in others])
    quantiles = np.quantile(cosines(canonical, vectors), (0.05, 0.5, 0.95)).tolist()
    return {
        "two texts": dict(zip(("5 %", "median", "95 %"), quantiles, strict=True)),
        "two molecules, median": float(np.median(cosines(canonical, np.roll(canonical, 1, 0)))),
    }


if __name__ == "__main__":
    main()

"""ECFP4 as RDKit's bit vectors, for its own similarities and pickers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from rdkit.DataStructs import ExplicitBitVect

from exlm_chem.features.compute import compute_blocks
from exlm_chem.features.ecfp import EcfpBlock
from exlm_chem.smiles.bounds import is_slow


def bit_vectors(smiles: Sequence[str]) -> list[Any]:
    """Give ECFP4 of 2,048 bits; None for what RDKit cannot read, or needs too long for.

    Examples
    --------
    >>> [one and one.GetNumOnBits() for one in bit_vectors(["CCO", "no molecule"])]
    [6, None]
    """
    generator = GetMorganGenerator(radius=2, fpSize=2048)

    def vector(text: str) -> Any:
        if text and is_slow(text):
            return _slow_vector(text)
        molecule: Any = Chem.MolFromSmiles(text) if text else None
        return None if molecule is None else generator.GetFingerprint(molecule)

    with rdBase.BlockLogs():
        return [vector(text) for text in smiles]


def _slow_vector(text: str) -> Any:
    """Let the process compute it that may be ended."""
    block = EcfpBlock()
    numbers = compute_blocks([text], [block])[block.name][0]
    if np.isnan(numbers).any():
        return None
    made = ExplicitBitVect(block.width)
    made.SetBitsFromList(np.flatnonzero(numbers).tolist())
    return made

"""Mask units: tokens that are hidden together, so that a model must learn dependencies of several granularities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exlm_chem.base_tokenizer import Tokenizer
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.molecule import fragments
from exlm_chem.smiles.token_atoms import atoms_of_tokens
from exlm_chem.terms import MaskUnit

SPAN = 3.0
"""Mean number of neighbouring tokens in a span."""


def mask_units(
    unit: MaskUnit, input_ids: NDArray[np.int64], tokenizer: Tokenizer, generator: np.random.Generator
) -> NDArray[np.int64] | None:
    """Number the units of every row; tokens with the same number are masked together.

    Parameters
    ----------
    unit : {"token", "span", "fragment"}
        Every token alone; runs of neighbouring tokens, three on average; the fragments between the bonds that BRICS
        would cut, each with the bonds, brackets and ring digits that follow its atoms.
    input_ids : array of int64, shape (B, T)
    tokenizer : Tokenizer
    generator : numpy.random.Generator
        Source of randomness of the spans.

    Returns
    -------
    array of int64, shape (B, T), or None
        None for single tokens. A molecule that RDKit does not read is one unit.

    Examples
    --------
    >>> from exlm_chem.tokenizer import ExLMTokenizer
    >>> tokenizer = ExLMTokenizer()
    >>> ids = np.array([tokenizer.encode("c1ccccc1C(=O)OCC")])
    >>> mask_units("fragment", ids, tokenizer, np.random.default_rng(0))[0].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 3, 3]
    """
    if unit == "token":
        return None
    if unit == "span":
        begins = generator.random(input_ids.shape) < 1 / SPAN
        return begins.cumsum(axis=1) - begins[:, :1]
    return np.array([_units_of(row, tokenizer) for row in input_ids.tolist()], np.int64)


def _units_of(ids: list[int], tokenizer: Tokenizer) -> list[int]:
    """Number of the fragment of every token: that of the last atom that began at or before it."""
    try:
        numbers = fragments(tokenizer.decode(ids))
    except MoleculeError:
        return [0] * len(ids)
    texts = ["" if token <= tokenizer.unk_id else tokenizer.decode([token]) for token in ids]
    atoms = np.maximum.accumulate(atoms_of_tokens(texts))
    # RDKit drops [H], which are atoms of the text: then there are fewer numbers.
    return [numbers[min(max(atom, 0), len(numbers) - 1)] for atom in atoms.tolist()]

"""What an encoder reads: a molecule and its token ids, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from exlm_chem.smiles.molecule import Molecule, read_molecule
from exlm_chem.terms import Standardise
from exlm_chem.tokenizer import ExLMTokenizer


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What the model reads for one cell of a table: the molecule and its token ids, none if it has an error."""

    molecule: Molecule
    token_ids: tuple[int, ...] = ()


def read_input(
    molecule: Any, tokenizer: ExLMTokenizer, max_tokens: int, standardise: Standardise = "none"
) -> ModelInput:
    """Read one molecule for a model; see `ExLM.read`.

    Examples
    --------
    >>> read_input("OCC", ExLMTokenizer(), max_tokens=10)
    ModelInput(molecule=Molecule(smiles='CCO', ...), token_ids=(0, 7, 7, 9, 2))
    >>> read_input("CCO", ExLMTokenizer(), max_tokens=4).molecule.error
    'too long for this model: 3 tokens, and it reads 2'
    """
    result = read_molecule(molecule, standardise)
    if result.error is not None:
        return ModelInput(result)
    try:
        ids = tokenizer.encode(result.smiles)
    except ValueError as error:  # for SELFIES, some molecules have no words
        return ModelInput(replace(result, smiles="", error=str(error)))
    if len(ids) > max_tokens:
        reason = f"too long for this model: {len(ids) - 2:,} tokens, and it reads {max_tokens - 2:,}"
        return ModelInput(replace(result, smiles="", error=reason))
    return ModelInput(result, tuple(ids))

"""Molecule-level objectives: numbers that RDKit computes from a molecule and that its embedding shall know.

Evidence that they make small encoders useful: MolBERT (arXiv 2011.13230), ChemBERTa-2 (arXiv 2209.01712) and CheMeleon
(arXiv 2506.15792), which also standardises and clamps as it is done here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from exlm_chem.features.block import RDKitBlock
from exlm_chem.features.descriptors import DescriptorBlock
from exlm_chem.features.ecfp import EcfpBlock
from exlm_chem.smiles.bounds import bounded
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.terms import MoleculeObjective


@dataclass(frozen=True)
class ObjectiveKind:
    """One molecule-level objective.

    Attributes
    ----------
    block : RDKitBlock
        What is to be predicted.
    standardise : bool
        Whether the numbers are to be regressed (standardised), or are bits to be predicted.
    """

    block: RDKitBlock
    standardise: bool


@cache
def molecule_objective(name: MoleculeObjective) -> ObjectiveKind:
    """Give an objective by its name.

    Examples
    --------
    >>> molecule_objective("ecfp")
    ObjectiveKind(block=EcfpBlock(radius=2, bits=2048, counts=False, width=2048), standardise=False)
    """
    if name == "descriptors":
        return ObjectiveKind(DescriptorBlock(), standardise=True)
    return ObjectiveKind(EcfpBlock(), standardise=False)


def objective_values(smiles: str, name: MoleculeObjective) -> NDArray[np.float32]:
    """Compute the values of an objective for one SMILES string; all NaN if RDKit refuses it or needs too long."""
    try:
        values = bounded(_values, smiles, name)
    except MoleculeError:
        return np.full(molecule_objective(name).block.width, np.nan, np.float32)
    return np.array(values, np.float32)


def _values(smiles: str, name: MoleculeObjective) -> list[float]:
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    values: list[float] = molecule_objective(name).block.compute([molecule])[0].tolist()
    return values

"""Molecule-level targets: numbers that RDKit computes from a molecule and that its embedding shall know.

Evidence that they make small encoders useful: MolBERT (arXiv 2011.13230), ChemBERTa-2 (arXiv 2209.01712) and CheMeleon
(arXiv 2506.15792), which also standardises and clamps as it is done here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from exlm_chem.terms import MoleculeObjective

ECFP_BITS = 2048
VSA_SIZES = {"SlogP_VSA": 12, "SMR_VSA": 10, "PEOE_VSA": 14}
MQN_SIZE, BCUT_SIZE, AUTOCORRELATION_SIZE = 42, 8, 192


@dataclass(frozen=True)
class TargetKind:
    """One kind of targets.

    Attributes
    ----------
    names : tuple of str
        Name of every number.
    compute : callable
        From an RDKit molecule to the numbers, NaN where one does not exist.
    standardise : bool
        Whether the numbers are to be regressed (standardised) or are bits to be predicted.
    """

    names: tuple[str, ...]
    compute: Callable[[Any], NDArray[np.float32]]
    standardise: bool


@cache
def target_kind(name: MoleculeObjective) -> TargetKind:
    """Give a kind of targets by its name.

    Examples
    --------
    >>> kind = target_kind("descriptors")
    >>> values = dict(zip(kind.names, kind.compute(Chem.MolFromSmiles("CCO")), strict=True))
    >>> float(values["NumHeavyAtoms"]), round(float(values["exactmw"]), 2)
    (3.0, 46.04)
    >>> int(target_kind("ecfp").compute(Chem.MolFromSmiles("CCO")).sum())
    6
    """
    if name == "descriptors":
        return TargetKind(descriptor_names(), fast_descriptors, standardise=True)
    return TargetKind(tuple(f"ecfp{bit}" for bit in range(ECFP_BITS)), ecfp_bits, standardise=False)


def descriptor_names() -> tuple[str, ...]:
    """Names of the `fast_descriptors`."""
    return (
        *_properties().GetPropertyNames(),
        *(f"{kind}{i + 1}" for kind, size in VSA_SIZES.items() for i in range(size)),
        *(f"MQN{i + 1}" for i in range(MQN_SIZE)),
        *(f"BCUT2D{i + 1}" for i in range(BCUT_SIZE)),
        *(f"AUTOCORR2D{i + 1}" for i in range(AUTOCORRELATION_SIZE)),
    )


def fast_descriptors(molecule: Any) -> NDArray[np.float32]:
    """Those of RDKit's descriptors that are computed in C++: about 500 molecules a second on one core.

    Parameters
    ----------
    molecule : RDKit Mol

    Returns
    -------
    array of float32, shape (descriptors,)
        NaN where RDKit gives none, as for partial charges of metals.
    """
    with rdBase.BlockLogs():
        values = [
            *_or_missing(_properties().ComputeProperties, molecule, len(_properties().GetPropertyNames())),
            *_or_missing(rdMolDescriptors.SlogP_VSA_, molecule, VSA_SIZES["SlogP_VSA"]),
            *_or_missing(rdMolDescriptors.SMR_VSA_, molecule, VSA_SIZES["SMR_VSA"]),
            *_or_missing(rdMolDescriptors.PEOE_VSA_, molecule, VSA_SIZES["PEOE_VSA"]),
            *_or_missing(rdMolDescriptors.MQNs_, molecule, MQN_SIZE),
            *_or_missing(rdMolDescriptors.BCUT2D, molecule, BCUT_SIZE),
            *_or_missing(rdMolDescriptors.CalcAUTOCORR2D, molecule, AUTOCORRELATION_SIZE),
        ]
    with np.errstate(over="ignore"):
        numbers = np.asarray(values, dtype=np.float64).astype(np.float32)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def ecfp_bits(molecule: Any) -> NDArray[np.float32]:
    """Bits of the extended-connectivity fingerprint of radius 2, as 0 and 1."""
    bits: NDArray[np.float32] = _ecfp_generator().GetFingerprintAsNumPy(molecule).astype(np.float32)
    return bits


def compute_targets(smiles: str, name: MoleculeObjective) -> NDArray[np.float32]:
    """Compute the targets of one SMILES string; all NaN if RDKit refuses it."""
    kind = target_kind(name)
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    return np.full(len(kind.names), np.nan, np.float32) if molecule is None else kind.compute(molecule)


@cache
def _properties() -> Any:
    return rdMolDescriptors.Properties()


@cache
def _ecfp_generator() -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=ECFP_BITS)


def _or_missing(function: Callable[[Any], Any], molecule: Any, size: int) -> list[float]:
    try:
        values = list(function(molecule))
    except (RuntimeError, ValueError):
        return [np.nan] * size
    return values if len(values) == size else [np.nan] * size

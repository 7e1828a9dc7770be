"""Physical and topological descriptors of RDKit, those that it computes in C++."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import rdMolDescriptors

from exlm_chem.features.block import UNDEFINED, RDKitBlock

VECTORS: Final[dict[str, tuple[Callable[[Any], Any], int]]] = {
    "SlogP_VSA": (rdMolDescriptors.SlogP_VSA_, 12),
    "SMR_VSA": (rdMolDescriptors.SMR_VSA_, 10),
    "PEOE_VSA": (rdMolDescriptors.PEOE_VSA_, 14),
    "MQN": (rdMolDescriptors.MQNs_, 42),
    "BCUT2D": (rdMolDescriptors.BCUT2D, 8),
    "AUTOCORR2D": (rdMolDescriptors.CalcAUTOCORR2D, 192),
}
"""Functions of RDKit that give several numbers, and how many."""


class DescriptorBlock(RDKitBlock):
    """The descriptors that RDKit computes in C++: about 500 molecules a second on one core.

    Undefined are those that RDKit does not give, as the partial charges of metals.

    Examples
    --------
    >>> from rdkit import Chem
    >>> block = DescriptorBlock()
    >>> values = dict(zip(block.names, block.compute([Chem.MolFromSmiles("CCO")])[0], strict=True))
    >>> float(values["NumHeavyAtoms"]), round(float(values["exactmw"]), 2)
    (3.0, 46.04)
    """

    name = "descriptors"
    milliseconds = 2.0

    def __init__(self) -> None:
        numbered = (f"{name}{number + 1}" for name, (_, size) in VECTORS.items() for number in range(size))
        self.names = (*_properties().GetPropertyNames(), *numbered)

    def compute_one(self, molecule: Any) -> NDArray[np.float32]:
        """See `RDKitBlock`."""
        scalars = self.width - sum(size for _, size in VECTORS.values())
        values = _or_undefined(_properties().ComputeProperties, molecule, scalars)
        for function, size in VECTORS.values():
            values += _or_undefined(function, molecule, size)
        with np.errstate(over="ignore"):
            numbers = np.asarray(values, dtype=np.float64).astype(np.float32)
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers


@cache
def _properties() -> Any:
    return rdMolDescriptors.Properties()


def _or_undefined(function: Callable[[Any], Any], molecule: Any, size: int) -> list[float]:
    try:
        values = list(function(molecule))
    except (RuntimeError, ValueError):
        return [UNDEFINED] * size
    return values if len(values) == size else [UNDEFINED] * size

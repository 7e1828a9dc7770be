"""Physical and topological descriptors of RDKit: those that it computes in C++, or its whole list."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import Descriptors, rdMolDescriptors

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

_ALL: Final[Callable[..., dict[str, float]]] = Descriptors.CalcMolDescriptors


class DescriptorBlock(RDKitBlock):
    """Descriptors of RDKit; undefined are those that it does not give, as the partial charges of metals.

    Parameters
    ----------
    full : bool
        False for the 321 that RDKit computes in C++, about 500 molecules a second on one core: what pretraining
        predicts. True for the 217 of `rdkit.Chem.Descriptors.CalcMolDescriptors`, about 150 a second: as features they
        are worth more.

    Examples
    --------
    >>> from rdkit import Chem
    >>> block = DescriptorBlock()
    >>> values = dict(zip(block.names, block.compute([Chem.MolFromSmiles("CCO")])[0], strict=True))
    >>> float(values["NumHeavyAtoms"]), round(float(values["exactmw"]), 2)
    (3.0, 46.04)
    >>> DescriptorBlock(full=True)
    DescriptorBlock(full=True, width=217)
    """

    name = "descriptors"

    def __init__(self, full: bool = False) -> None:
        self.full = full
        self.milliseconds = 7.0 if full else 2.0
        if full:
            self.names = tuple(name for name, _ in Descriptors.descList)
            return
        numbered = (f"{name}{number + 1}" for name, (_, size) in VECTORS.items() for number in range(size))
        self.names = (*_properties().GetPropertyNames(), *numbered)

    def compute_one(self, molecule: Any) -> NDArray[np.float32]:
        """See `RDKitBlock`."""
        values = list(_ALL(molecule, UNDEFINED, True).values()) if self.full else self._fast(molecule)
        with np.errstate(over="ignore"):
            numbers = np.asarray(values, dtype=np.float64).astype(np.float32)
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers

    @property
    def settings(self) -> dict[str, Any]:
        """See `FeatureBlock`; the fast ones came first, without a setting."""
        return {"full": True} if self.full else {}

    def _fast(self, molecule: Any) -> list[float]:
        scalars = self.width - sum(size for _, size in VECTORS.values())
        values = _or_undefined(_properties().ComputeProperties, molecule, scalars)
        for function, size in VECTORS.values():
            values += _or_undefined(function, molecule, size)
        return values


@cache
def _properties() -> Any:
    return rdMolDescriptors.Properties()


def _or_undefined(function: Callable[[Any], Any], molecule: Any, size: int) -> list[float]:
    try:
        values = list(function(molecule))
    except (RuntimeError, ValueError):
        return [UNDEFINED] * size
    return values if len(values) == size else [UNDEFINED] * size

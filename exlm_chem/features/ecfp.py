"""The extended-connectivity fingerprint: which neighbourhoods of atoms a molecule has, or how often.

References
----------
Rogers and Hahn, Extended-connectivity fingerprints, J. Chem. Inf. Model. 50 (2010) 742.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import rdFingerprintGenerator

from exlm_chem.features.block import RDKitBlock


class EcfpBlock(RDKitBlock):
    """Bits or counts of the neighbourhoods around every atom.

    Parameters
    ----------
    radius : int
        Bonds from the atom in the middle to the rim: 2 is ECFP4.
    bits : int
        Width to which the neighbourhoods are folded.
    counts : bool
        Whether to say how often each occurs, instead of whether it does.

    Examples
    --------
    >>> from rdkit import Chem
    >>> int(EcfpBlock().compute([Chem.MolFromSmiles("CCO")]).sum())
    6
    >>> int(EcfpBlock(counts=True).compute([Chem.MolFromSmiles("CCCCO")]).sum())
    13
    """

    name = "ecfp"

    def __init__(self, radius: int = 2, bits: int = 2048, *, counts: bool = False) -> None:
        self.radius, self.bits, self.counts = radius, bits, counts
        self.names = tuple(f"ecfp{bit}" for bit in range(bits))

    @property
    def settings(self) -> dict[str, Any]:
        """Radius, width, and whether occurrences are counted."""
        return {"radius": self.radius, "bits": self.bits, "counts": self.counts}

    def compute_one(self, molecule: Any) -> NDArray[np.float32]:
        """See `RDKitBlock`."""
        generator = self._generator
        values = (
            generator.GetCountFingerprintAsNumPy(molecule) if self.counts else generator.GetFingerprintAsNumPy(molecule)
        )
        numbers: NDArray[np.float32] = values.astype(np.float32)
        return numbers

    @cached_property
    def _generator(self) -> Any:
        return rdFingerprintGenerator.GetMorganGenerator(radius=self.radius, fpSize=self.bits)

    def __getstate__(self) -> dict[str, Any]:
        # A worker process makes its own generator: RDKit's cannot be sent.
        return {name: value for name, value in self.__dict__.items() if name != "_generator"}

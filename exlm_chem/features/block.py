"""The interface of a block: so many numbers for every molecule, of one kind."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase


class FeatureBlock(ABC):
    """Numbers of one kind, computed from RDKit molecules and from nothing else: no torch, no state, no randomness.

    Attributes
    ----------
    name : str
        Of the kind.
    names : tuple of str
        Of every number, in order.

    Examples
    --------
    >>> from rdkit import Chem
    >>> class Atoms(FeatureBlock):
    ...     name, names = "atoms", ("atoms",)
    ...     def compute_one(self, molecule):
    ...         return np.array([molecule.GetNumAtoms()], np.float32)
    >>> Atoms().compute([Chem.MolFromSmiles("CCO"), None]).tolist()
    [[3.0], [nan]]
    >>> Atoms()
    Atoms(width=1)
    """

    name: str
    names: tuple[str, ...]
    #: To be raised when the same molecule gives other numbers than before.
    revision: int = 1

    @abstractmethod
    def compute_one(self, molecule: Any) -> NDArray[np.float32]:
        """Compute the numbers of one RDKit molecule, shape (width,); NaN where one is undefined."""

    def compute(self, molecules: Sequence[Any]) -> NDArray[np.float32]:
        """Compute the numbers of some molecules.

        Parameters
        ----------
        molecules : sequence of RDKit Mol or None
            None stands for a molecule that could not be read.

        Returns
        -------
        float32 array of shape (molecules, width)
            NaN where a number is undefined, and for None.
        """
        values = np.full((len(molecules), self.width), np.nan, np.float32)
        with rdBase.BlockLogs():
            for row, molecule in zip(values, molecules, strict=True):
                if molecule is not None:
                    row[:] = self.compute_one(molecule)
        return values

    @property
    def width(self) -> int:
        """How many numbers there are."""
        return len(self.names)

    @property
    def settings(self) -> dict[str, Any]:
        """What the numbers depend on, besides the class."""
        return {}

    @property
    def fingerprint(self) -> str:
        """SHA-256 that changes when the numbers would: of the name, the numbers' names, settings and revision."""
        known = [self.name, self.names, self.settings, self.revision]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def __repr__(self) -> str:
        shown = {**self.settings, "width": self.width}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


UNDEFINED: Final = float("nan")

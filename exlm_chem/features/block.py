"""The interface of a block: so many numbers of one kind for every molecule."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase


class FeatureBlock(ABC):
    """Numbers of one kind: what they are called, and on what they depend.

    Attributes
    ----------
    name : str
        Of the kind.
    names : tuple of str
        Of every number, in order.
    """

    name: str
    names: tuple[str, ...]
    #: To be raised when the same molecule gives other numbers than before.
    revision: int = 1

    @property
    def width(self) -> int:
        """How many numbers there are."""
        return len(self.names)

    @property
    def settings(self) -> dict[str, Any]:
        """What the numbers depend on, besides the class; JSON can hold it."""
        return {}

    @property
    def fingerprint(self) -> str:
        """SHA-256 that changes when the numbers would: of the name, the numbers' names, settings and revision."""
        known = [self.name, self.names, self.settings, self.revision]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def __repr__(self) -> str:
        shown = {**self.settings, "width": self.width}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class MoleculeBlock(FeatureBlock):
    """Numbers that follow from the molecule alone, whatever the others of the call."""

    @abstractmethod
    def compute(self, molecules: Sequence[Any]) -> NDArray[np.float32]:
        """Compute the numbers of some molecules.

        Parameters
        ----------
        molecules : sequence of str or None
            *The* texts of molecules, as `exlm_chem.smiles.molecule.read_molecule` gives them; None or an empty text
            stands for a molecule that could not be read.

        Returns
        -------
        float32 array of shape (molecules, width)
            NaN where a number is undefined, and for what is no molecule.
        """


class RDKitBlock(MoleculeBlock):
    """Numbers computed from RDKit molecules and from nothing else: no torch, no state, no randomness.

    `compute` also takes molecules of RDKit in the place of their texts.

    Examples
    --------
    >>> from rdkit import Chem
    >>> class Atoms(RDKitBlock):
    ...     name, names = "atoms", ("atoms",)
    ...     def compute_one(self, molecule):
    ...         return np.array([molecule.GetNumAtoms()], np.float32)
    >>> Atoms().compute(["CCO", Chem.MolFromSmiles("C"), None]).tolist()
    [[3.0], [1.0], [nan]]
    >>> Atoms()
    Atoms(width=1)
    """

    #: What one molecule costs, about: decides when several processes are worth their start.
    milliseconds: float = 0.2

    @abstractmethod
    def compute_one(self, molecule: Any) -> NDArray[np.float32]:
        """Compute the numbers of one RDKit molecule, shape (width,); NaN where one is undefined."""

    def compute(self, molecules: Sequence[Any]) -> NDArray[np.float32]:
        """See `MoleculeBlock`."""
        values = np.full((len(molecules), self.width), np.nan, np.float32)
        with rdBase.BlockLogs():
            for row, one in zip(values, molecules, strict=True):
                molecule = Chem.MolFromSmiles(one) if isinstance(one, str) and one else one
                if molecule:
                    row[:] = self.compute_one(molecule)
        return values


UNDEFINED: Final = float("nan")

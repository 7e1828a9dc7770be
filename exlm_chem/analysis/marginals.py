"""What a model says of each mask by itself, and of all masks of a molecule one after the other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from exlm_chem.analysis.masked import MaskedMolecules
from exlm_chem.modeling import ExLMForMaskedLM
from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.inputs import NOT_A_TARGET, prepare_inputs
from exlm_chem.modeling.outputs import MaskedLMOutput, StateGraph

BATCH = 64  # molecules


def state_shares(graph: StateGraph, evidence: bool) -> Tensor:
    """How probable it is that a state emits a target, of the paths that end where a path must.

    Parameters
    ----------
    graph : StateGraph
    evidence : bool
        Whether the targets are known (the posterior), or only how many there are (the prior).

    Returns
    -------
    Tensor, shape (R, M, S)
        Sums to 1 over the states for every target of a row; 0 beyond.
    """
    with torch.inference_mode(False), torch.enable_grad():
        match = graph.match.detach().clone() if evidence else torch.zeros_like(graph.match)
        match.requires_grad_()
        sizes = graph.target_length.clone(), graph.state_length.clone()
        likelihood = log_likelihood(match, graph.transitions.detach().clone(), *sizes)
        (shares,) = torch.autograd.grad(likelihood.sum(), [match])
    return shares.detach()


def marginals(output: MaskedLMOutput) -> Tensor:
    """Log-probability of every token at every mask, whatever the other masks are.

    With the objective "exlm" a mask's distribution is the mixture of its states, each by its prior share.

    Parameters
    ----------
    output : MaskedLMOutput

    Returns
    -------
    Tensor, shape (N, V)
        All masks of all rows, in order.

    Examples
    --------
    >>> from exlm_chem.modeling import ExLMConfig
    >>> config = ExLMConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    >>> inputs = prepare_inputs(config, torch.tensor([[0, 4, 4, 2]]), torch.tensor([[-100, 7, 9, -100]]))
    >>> found = marginals(ExLMForMaskedLM(config)(inputs))
    >>> found.shape, bool((found.exp().sum(1) - 1).abs().max() < 1e-5)
    (torch.Size([2, 20]), True)
    """
    if output.graph is None:
        return output.logits.log_softmax(-1)
    shares = state_shares(output.graph, evidence=False)
    mixed = shares @ output.logits.to(shares.dtype).softmax(-1)
    return mixed[inner_targets(output.graph)].clamp(min=torch.finfo(mixed.dtype).tiny).log()


def inner_targets(graph: StateGraph) -> Tensor:
    """Which targets are masks, and not ``<s>`` and ``</s>`` around them: bool of shape (R, M)."""
    number = torch.arange(graph.targets.shape[1], device=graph.targets.device)
    return (number > 0) & (number < graph.target_length[:, None] - 1)


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

    Their sum over a molecule's masks is the log-likelihood of all its hidden tokens together, as no answer can be that
    is given for each mask by itself. The order is drawn.

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

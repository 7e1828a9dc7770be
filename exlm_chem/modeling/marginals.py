"""What a masked language model says of each mask by itself, whatever the other masks are."""

from __future__ import annotations

import torch
from torch import Tensor

from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.outputs import MaskedLMOutput, StateGraph


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
    >>> from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
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
    return mixed[output.graph.masked].clamp(min=torch.finfo(mixed.dtype).tiny).log()

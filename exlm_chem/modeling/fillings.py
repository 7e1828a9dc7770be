"""Fillings: what a model would put into the masks, from the best and from drawn paths through the state graph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from exlm_chem.modeling.alignment import sample_path
from exlm_chem.modeling.mask_graph import MaskGraph


@dataclass(frozen=True)
class BestFillings:
    """The n best pairs of a path and what it emits, the best first.

    Attributes
    ----------
    tokens : Tensor of int64, shape (n, M)
        What stands in the masks; the same may come from several paths.
    paths : Tensor of int64, shape (n, steps)
        The states of the path, those of the ends included.
    scores : Tensor, shape (n,)
        Log-probability of path and tokens together.
    """

    tokens: Tensor
    paths: Tensor
    scores: Tensor


def best_fillings(graph: MaskGraph, tokens: Tensor, number: int) -> BestFillings:
    """Find the most probable pairs of a path and what it emits: exactly those, with fewer only if there are fewer.

    Parameters
    ----------
    graph : MaskGraph
        The states.
    tokens : Tensor of int64, shape (A,)
        What may stand in a mask.
    number : int
        How many.

    Examples
    --------
    Two masks of an "mlm": one path, and every mask has its own opinion.

    >>> opinions = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.1, 0.4]]).log()
    >>> graph = MaskGraph(opinions, torch.tensor([[-torch.inf, 0.0], [-torch.inf] * 2]), torch.arange(2), (), 2)
    >>> best_fillings(graph, torch.arange(3), 3).tokens.tolist()
    [[0, 0], [0, 2], [1, 0]]
    """
    states = len(graph.transitions)
    scores = torch.full((states, 1), -torch.inf)
    scores[0] = 0.0
    steps: list[tuple[Tensor, Tensor, Tensor]] = []
    for step, emitted in enumerate(graph.layers(tokens)):
        if step:
            ways = (scores[:, None] + graph.transitions[:, :, None]).transpose(0, 1).flatten(1)
            arrived, origin = ways.topk(min(number, ways.shape[1]))
            origin = torch.stack([origin // scores.shape[1], origin % scores.shape[1]])
        else:
            arrived, origin = scores, torch.zeros(2, states, 1, dtype=torch.long)
        said, which = graph.emissions[:, emitted].topk(min(number, len(emitted)))
        way, word = _pairs(arrived.shape[1], said.shape[1], number)
        scores, chosen = (arrived[:, way] + said[:, word]).topk(min(number, len(way)))
        steps.append((origin, way[chosen], emitted[which.gather(1, word[chosen])]))
    found = scores[-1] > -torch.inf
    return BestFillings(*_traced_back(steps, graph, int(found.sum())), scores[-1][found])


def _pairs(ways: int, words: int, number: int) -> tuple[Tensor, Tensor]:
    """Give the places, in two lists that are sorted, of all pairs that may be among the best sums."""
    # Every pair of an earlier or equal place in both lists is no worse, and there are (way + 1) x (word + 1) of them.
    rank = torch.arange(1, max(ways, words) + 1)
    possible = rank[:ways, None] * rank[None, :words] <= number
    way, word = possible.nonzero(as_tuple=True)
    return way, word


def _traced_back(steps: list[tuple[Tensor, Tensor, Tensor]], graph: MaskGraph, number: int) -> tuple[Tensor, Tensor]:
    """Give tokens and paths of the first hypotheses of the last state."""
    state, rank = torch.full((number,), len(graph.transitions) - 1), torch.arange(number)
    tokens, paths = [], []
    for origin, way, token in reversed(steps):
        tokens.append(token[state, rank])
        paths.append(state)
        state, rank = origin[:, state, way[state, rank]]
    emitted = torch.stack(tokens[::-1], 1)
    return emitted[:, 1:-1] if graph.ends else emitted, torch.stack(paths[::-1], 1)


def sample_fillings(
    graph: MaskGraph,
    tokens: Tensor,
    number: int,
    generator: torch.Generator,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Tensor:
    """Draw fillings: a path from the posterior over all paths, and of each of its states a token.

    Parameters
    ----------
    graph : MaskGraph
        The states.
    tokens : Tensor of int64, shape (A,)
        What may stand in a mask.
    number : int
        How many; the same may come several times.
    generator : torch.Generator
        Source of randomness.
    temperature : float
        Below 1 a state's probable tokens become more probable, above 1 less; at 1 the model's own probabilities count.
    top_p : float
        Of every state only its most probable tokens are drawn, as many as are needed for this share.

    Returns
    -------
    Tensor of int64, shape (number, M)
    """
    at_a_time = graph.rows_at_a_time
    sizes = [min(at_a_time, number - start) for start in range(0, number, at_a_time)]
    path = torch.cat([sample_path(*graph.masses(tokens, size), generator=generator) for size in sizes])
    path = path[:, 1:-1] if graph.ends else path
    chances, order = (graph.emissions[:, tokens] / temperature).softmax(1).sort(dim=1, descending=True)
    before = chances.cumsum(1) - chances  # the best token is always kept
    chances = chances.masked_fill(before >= top_p, 0.0)[path.flatten()]
    drawn = torch.multinomial(chances, 1, generator=generator)
    return tokens[order[path.flatten()].gather(1, drawn)].view(path.shape)

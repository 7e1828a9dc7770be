"""The state graph of a molecule with masks: its states, what they would emit, transitions and best paths."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch

from exlm_chem.analysis.options import GraphOptions
from exlm_chem.generation.infill import Infiller, Proposal
from exlm_chem.generation.options import FillOptions
from exlm_chem.generation.template import MASK
from exlm_chem.modeling.fillings import best_fillings
from exlm_chem.modeling.mask_graph import MaskGraph
from exlm_chem.tokenizer import BOS, EOS, ExLMTokenizer

_LEAST_USE = 1e-3


@dataclass(frozen=True)
class State:
    """One state.

    Attributes
    ----------
    token : int
        The token of the sequence that it belongs to; 0 is ``<s>``.
    visits : float
        Probability that a path goes through it, whatever stands in the masks.
    top : list of (str, float)
        Its most probable tokens.
    """

    token: int
    visits: float
    top: list[tuple[str, float]]


@dataclass(frozen=True)
class Transition:
    """A way from a state to a later one.

    Attributes
    ----------
    source, target : int
        The states.
    probability : float
        What the transition matrix says.
    use : float
        Probability that a path takes it, whatever stands in the masks.
    """

    source: int
    target: int
    probability: float
    use: float


@dataclass(frozen=True)
class Path:
    """A path and what it emits.

    Attributes
    ----------
    states : list of int
        Where it goes.
    filled : list of str
        What it puts into the masks.
    log_probability : float
        Of this path alone, in nats.
    """

    states: list[int]
    filled: list[str]
    log_probability: float


@dataclass(frozen=True)
class GraphView:
    """What there is to see of a state graph.

    Attributes
    ----------
    text : str
        The molecule with its masks.
    sequence : list of str
        Its tokens, ``<s>`` and ``</s>`` included.
    states : list of State
    transitions : list of Transition
        Those that more than one path in a thousand takes.
    paths : list of Path
        The best paths, each filling once.
    proposals : list of Proposal
        The best fillings by the sum over all paths.
    """

    text: str
    sequence: list[str]
    states: list[State]
    transitions: list[Transition]
    paths: list[Path]
    proposals: list[Proposal]

    def as_json(self) -> dict[str, Any]:
        """Give all of it as JSON can hold it."""
        proposals = [
            {"smiles": one.smiles, "filled": one.filled, "log_likelihood": one.log_likelihood, "valid": one.valid}
            for one in self.proposals
        ]
        return {**asdict(self), "proposals": proposals}


def view_graph(text: str, infiller: Infiller, options: GraphOptions | None = None) -> GraphView:
    """Look at the state graph of a molecule.

    Parameters
    ----------
    text : str
        A SMILES with ``[MASK]``.
    infiller : Infiller
        The model.
    options : GraphOptions, optional
        How much is told.

    Raises
    ------
    ExLMError
        In one sentence if the text cannot be read.

    Examples
    --------
    >>> view = view_graph("c1ccc([MASK])cc1", Infiller.from_pretrained("exlm-small", device="cpu"))
    >>> len(view.states), view.proposals[0].smiles
    (12, 'c1ccc(Br)cc1')
    """
    options = options or GraphOptions()
    template = infiller.template(text)
    [graph] = infiller.graphs([template])
    visits, uses = graph.path_posteriors(infiller.words)
    return GraphView(
        text=str(template),
        sequence=[BOS, *(token or MASK for token in template.tokens), EOS],
        states=_states(graph, visits, infiller.tokenizer, options.tokens),
        transitions=[
            Transition(source, target, float(graph.transitions[source, target].exp()), float(uses[source, target]))
            for source, target in (uses > _LEAST_USE).nonzero().tolist()
        ],
        paths=_paths(graph, infiller, options.paths),
        proposals=infiller.fill(template, FillOptions(number=options.paths)),
    )


def _states(graph: MaskGraph, visits: torch.Tensor, tokenizer: ExLMTokenizer, number: int) -> list[State]:
    chances, order = graph.emissions.exp().topk(number)
    return [
        State(token, visited, [(tokenizer.decode([one], False), chance) for one, chance in zip(*top, strict=True)])
        for token, visited, *top in zip(
            graph.token_index.tolist(), visits.tolist(), order.tolist(), chances.tolist(), strict=True
        )
    ]


def _paths(graph: MaskGraph, infiller: Infiller, number: int) -> list[Path]:
    best = best_fillings(graph, infiller.words, number * 8)
    paths: dict[tuple[str, ...], Path] = {}
    for tokens, states, score in zip(best.tokens.tolist(), best.paths.tolist(), best.scores.tolist(), strict=True):
        filled = tuple(infiller.tokenizer.decode([token]) for token in tokens)
        paths.setdefault(filled, Path(states, list(filled), score))
    return list(paths.values())[:number]

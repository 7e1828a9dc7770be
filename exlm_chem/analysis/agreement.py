"""What a model says of the masks of one molecule: each by itself, and whether the answers go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exlm_chem.analysis.masked import MaskedMolecules
from exlm_chem.analysis.token_classes import token_class
from exlm_chem.generation.infill import Infiller
from exlm_chem.modeling.fillings import best_fillings, sample_fillings
from exlm_chem.modeling.inputs import NOT_A_TARGET, prepare_inputs
from exlm_chem.modeling.marginals import marginals
from exlm_chem.modeling.mask_graph import MaskGraph, mask_graphs
from exlm_chem.smiles.errors import MoleculeError
from exlm_chem.smiles.molecule import canonical_smiles


def is_molecule(smiles: str) -> bool:
    """Say whether RDKit takes a text for a molecule.

    Examples
    --------
    >>> is_molecule("c1ccccc1"), is_molecule("c1cccc1")
    (True, False)
    """
    try:
        return bool(canonical_smiles(smiles))
    except MoleculeError:
        return False


@dataclass(frozen=True)
class Question:
    """One molecule with masks and what a model says of them.

    Attributes
    ----------
    ids : list of int
        Its tokens, ``<s>`` and ``</s>`` included, with masks.
    truth : list of int
        What the masks hide.
    opinions : Tensor, shape (M, V)
        Log-probability of every token at each mask by itself, special tokens left out.
    graph : MaskGraph
    """

    ids: list[int]
    truth: list[int]
    opinions: Tensor
    graph: MaskGraph


def ask(infiller: Infiller, molecules: MaskedMolecules) -> list[Question]:
    """Ask a model about molecules with masks."""
    model, pad = infiller.model, infiller.tokenizer.pad_id
    ids, labels = torch.from_numpy(molecules.input_ids), torch.from_numpy(molecules.labels)
    graphs = mask_graphs(model, ids.to(infiller.device))
    with torch.inference_mode():
        opinions = marginals(model(prepare_inputs(model.config, ids, labels).to(infiller.device))).cpu()
    allowed = torch.full_like(opinions[:1], -torch.inf)
    allowed[:, infiller.words] = 0.0
    counts = (labels != NOT_A_TARGET).sum(1).tolist()
    parts = (opinions + allowed).log_softmax(-1).split(counts)
    return [
        Question([token for token in row if token != pad], [token for token in hidden if token >= 0], part, graph)
        for row, hidden, part, graph in zip(ids.tolist(), labels.tolist(), parts, graphs, strict=True)
    ]


def filled(infiller: Infiller, question: Question, tokens: list[int]) -> str:
    """Write a molecule with its masks filled."""
    rest = iter(tokens)
    return infiller.tokenizer.decode(
        [next(rest) if token == infiller.tokenizer.mask_id else token for token in question.ids]
    )


def describe_masks(infiller: Infiller, question: Question, mode: float) -> list[dict[str, Any]]:
    """Describe every mask: the class of what it hides, entropy, modes that make a molecule, how its states differ."""
    places = [place for place, token in enumerate(question.ids) if token == infiller.tokenizer.mask_id]
    found = []
    for number, (place, opinion) in enumerate(zip(places, question.opinions, strict=True)):
        chances = opinion.exp()
        modes = (chances >= mode).nonzero()[:, 0].tolist()
        others = question.truth.copy()
        valid = 0
        for token in modes:
            others[number] = token
            valid += is_molecule(filled(infiller, question, others))
        found.append(
            {
                "class": token_class(infiller.tokenizer.decode([question.truth[number]])),
                "entropy": float(torch.special.entr(chances).sum()),
                "modes": len(modes),
                "valid_modes": valid,
                "right": float(opinion.argmax() == question.truth[number]),
                "state_distance": state_distance(question.graph, place),
            }
        )
    return found


def state_distance(graph: MaskGraph, place: int) -> float:
    """Mean total variation between what two states of a mask emit: 0 if they are alike, 1 if they never agree.

    Examples
    --------
    >>> emissions = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]).log()
    >>> graph = MaskGraph(emissions, torch.zeros(3, 3), torch.tensor([4, 4, 4]), (), 1)
    >>> round(state_distance(graph, 4), 4)
    0.6667
    """
    chances = graph.emissions[graph.token_index == place].exp()
    if len(chances) < 2:
        return float("nan")
    first, second = torch.triu_indices(len(chances), len(chances), 1)
    return float((chances[first] - chances[second]).abs().sum(1).mean() / 2)


def describe_answers(
    infiller: Infiller, question: Question, samples: int, generator: torch.Generator
) -> dict[str, Any]:
    """Say whether answers to all masks together are molecules: the best of each mask, the best path, drawn ones."""
    words, graph = infiller.words, question.graph
    each = question.opinions.argmax(1).tolist()
    path = best_fillings(graph, words, 1).tokens[0].tolist()
    alone = torch.multinomial(question.opinions.exp(), samples, replacement=True, generator=generator).T
    together = sample_fillings(graph, words, samples, generator)
    truth = torch.tensor([question.truth])
    surprise = -float(question.opinions.gather(1, truth.T).sum())
    joint = -float(graph.log_likelihoods(truth))

    def valid(answers: list[list[int]]) -> float:
        return float(np.mean([is_molecule(filled(infiller, question, answer)) for answer in answers]))

    return {
        "argmax_valid": valid([each]),
        "path_valid": valid([path]),
        "samples_of_each_valid": valid(alone.tolist()),
        "samples_of_paths_valid": valid(together.tolist()),
        "argmax_right": float(each == question.truth),
        "path_right": float(path == question.truth),
        "loss_of_each": surprise / len(each),
        "loss_of_paths": joint / len(each),
    }

"""Fillings of masks against everything that there is to enumerate in small graphs."""

from __future__ import annotations

import itertools
import math
from functools import cache

import pytest
import torch
from torch import Tensor

from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.modeling.fillings import best_fillings, sample_fillings
from exlm_chem.modeling.mask_graph import MaskGraph, mask_graphs
from exlm_chem.terms import Objective

OBJECTIVES: tuple[Objective, ...] = ("exlm", "mlm")
MASK = 4
WORDS = torch.arange(5, 9)
MASKED = torch.tensor([[0, 5, MASK, 6, MASK, 2, 1], [0, MASK, 7, MASK, 8, MASK, 2]])


@cache
def model_of(objective: Objective) -> ExLMForMaskedLM:
    config = ExLMConfig(
        vocab_size=9,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_states=2,
        max_positions=32,
        objective=objective,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return ExLMForMaskedLM(config).eval().double()


def all_fillings(graph: MaskGraph) -> Tensor:
    return torch.cartesian_prod(*[WORDS] * graph.num_masks)


def every_path(graph: MaskGraph, filling: Tensor) -> list[float]:
    """Log-probability of a filling together with every path that is possible."""
    targets = graph.with_ends(filling[None])[0].tolist()
    last = len(graph.transitions) - 1
    scores = []
    for path in itertools.combinations(range(last + 1), len(targets)):
        if path[0] == 0 and path[-1] == last:
            moved = sum(float(graph.transitions[i, j]) for i, j in itertools.pairwise(path))
            scores.append(moved + sum(float(graph.emissions[s, t]) for s, t in zip(path, targets, strict=True)))
    return [score for score in scores if score > -math.inf]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("row", [0, 1])
def test_likelihood_is_that_of_the_alignment_and_of_all_paths(objective: Objective, row: int) -> None:
    model = model_of(objective)
    graph = mask_graphs(model, MASKED)[row]
    fillings = all_fillings(graph)
    found = graph.log_likelihoods(fillings)
    for filling, likelihood in list(zip(fillings, found.tolist(), strict=True))[::7]:
        assert likelihood == pytest.approx(torch.tensor(every_path(graph, filling)).logsumexp(0).item(), abs=1e-5)
        labels = torch.full_like(MASKED[row : row + 1], -100)
        labels[MASKED[row : row + 1] == MASK] = filling
        output = model(prepare_inputs(model.config, MASKED[row : row + 1], labels))
        assert likelihood == pytest.approx(output.log_likelihood.item(), abs=1e-5)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_best_fillings_are_the_best_of_all_pairs_of_path_and_tokens(objective: Objective) -> None:
    for graph in mask_graphs(model_of(objective), MASKED):
        everything = sorted((s for one in all_fillings(graph) for s in every_path(graph, one)), reverse=True)
        for number in (1, 10, 10**4):
            best = best_fillings(graph, WORDS, number)
            assert best.scores.tolist() == pytest.approx(everything[:number], abs=1e-5)
            for tokens, path, score in list(zip(best.tokens, best.paths, best.scores, strict=True))[:20]:
                emitted = graph.emissions[path, graph.with_ends(tokens[None])[0]].sum()
                moved = sum(graph.transitions[i, j] for i, j in itertools.pairwise(path.tolist()))
                assert float(emitted + moved) == pytest.approx(float(score), abs=1e-5)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_drawn_fillings_are_as_frequent_as_they_are_probable(objective: Objective) -> None:
    graph = mask_graphs(model_of(objective), MASKED)[0]
    fillings = all_fillings(graph)
    expected = graph.log_likelihoods(fillings).softmax(0)
    drawn = sample_fillings(graph, WORDS, 4000, torch.Generator().manual_seed(0))
    frequency = (drawn[:, None] == fillings[None]).all(2).double().mean(0)
    assert float((frequency - expected).abs().max()) < 0.03
    certain = sample_fillings(graph, WORDS, 50, torch.Generator().manual_seed(0), top_p=1e-6)
    assert len(certain.unique(dim=0)) <= len(graph.transitions) ** 2
    assert (sample_fillings(graph, WORDS, 9, torch.Generator().manual_seed(3), 0.5)
            == sample_fillings(graph, WORDS, 9, torch.Generator().manual_seed(3), 0.5)).all()  # fmt: skip


def test_posteriors_count_the_steps_of_a_path() -> None:
    graph = mask_graphs(model_of("exlm"), MASKED)[1]
    visits, uses = graph.path_posteriors(WORDS)
    assert float(visits.sum()) == pytest.approx(graph.num_masks + 2, abs=1e-4)
    assert float(uses.sum()) == pytest.approx(graph.num_masks + 1, abs=1e-4)
    assert float(visits[0]) == pytest.approx(1, abs=1e-4)

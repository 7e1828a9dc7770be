"""The alignment against brute force over every path of small graphs."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from exlm_chem.modeling import path_sums
from exlm_chem.modeling.alignment import best_path, log_likelihood, sample_path


def all_paths(match: Tensor, transitions: Tensor, targets: int, states: int) -> dict[tuple[int, ...], float]:
    """Log-probability of every path that starts at the first and ends at the last state."""
    scores = {}
    for path in itertools.combinations(range(states), targets):
        if path[0] == 0 and path[-1] == states - 1:
            emitted = sum(float(match[t, state]) for t, state in enumerate(path))
            moved = sum(float(transitions[i, j]) for i, j in itertools.pairwise(path))
            scores[path] = emitted + moved
    return {path: score for path, score in scores.items() if score > -math.inf}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch of graphs of different sizes, padded with numbers that must not matter."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 7)), min_size=1, max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    most_targets, most_states = max(m for m, _ in sizes), max(s for _, s in sizes)
    scale = draw(st.sampled_from([0.1, 1.0, 30.0, 400.0]))
    match = scale * torch.randn(len(sizes), most_targets, most_states, generator=generator, dtype=torch.float64)
    transitions = scale * torch.randn(len(sizes), most_states, most_states, generator=generator, dtype=torch.float64)
    missing = torch.rand(transitions.shape, generator=generator) < draw(st.sampled_from([0.0, 0.3]))
    later = torch.ones(most_states, most_states, dtype=torch.bool).triu(1)
    transitions = transitions.masked_fill(missing | ~later, -torch.inf)
    return match, transitions, torch.tensor([m for m, _ in sizes]), torch.tensor([s for _, s in sizes])


@pytest.fixture(params=["log space", "matrix products"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either of the two ways to sum over paths."""
    monkeypatch.setattr(path_sums, "MANY_STATES", 10_000 if request.param == "log space" else 1)


@given(graphs())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("way")
def test_equals_brute_force(graph: tuple[Tensor, Tensor, Tensor, Tensor]) -> None:
    match, transitions, targets, states = graph
    match.requires_grad_()
    transitions.requires_grad_()
    likelihood = log_likelihood(*graph)
    likelihood[likelihood.isfinite()].sum().backward()
    with torch.no_grad():
        path, score = best_path(*graph)
        sampled = sample_path(*graph)
    for row in range(len(match)):
        m, s = int(targets[row]), int(states[row])
        paths = all_paths(match[row].detach(), transitions[row].detach(), m, s)
        uses = torch.zeros_like(transitions[row])
        posterior = torch.zeros_like(match[row])
        if not paths:
            assert likelihood[row] == -torch.inf
            assert (path[row] == -1).all()
            assert (sampled[row] == -1).all()
        else:
            total = torch.tensor(list(paths.values()), dtype=torch.float64).logsumexp(0)
            torch.testing.assert_close(likelihood[row].detach(), total)
            assert tuple(path[row, :m].tolist()) == max(paths, key=paths.__getitem__)
            assert abs(float(score[row]) - max(paths.values())) < 1e-9
            assert tuple(sampled[row, :m].tolist()) in paths
            assert (path[row, m:] == -1).all()
            for states_of_path, value in paths.items():
                probability = math.exp(value - total)
                posterior[range(m), list(states_of_path)] += probability
                for i, j in itertools.pairwise(states_of_path):
                    uses[i, j] += probability
        torch.testing.assert_close(match.grad[row], posterior)
        torch.testing.assert_close(transitions.grad[row], uses)


def test_sampling_follows_the_posterior() -> None:
    generator = torch.Generator().manual_seed(0)
    match = torch.randn(1, 3, 6, generator=generator, dtype=torch.float64)
    transitions = torch.randn(1, 6, 6, generator=generator, dtype=torch.float64)
    transitions = transitions.masked_fill(~torch.ones(6, 6, dtype=torch.bool).triu(1), -torch.inf)
    paths = all_paths(match[0], transitions[0], 3, 6)
    total = torch.tensor(list(paths.values())).logsumexp(0)
    draws = 20_000
    sizes = torch.full((draws,), 3), torch.full((draws,), 6)
    drawn = sample_path(match.expand(draws, -1, -1), transitions.expand(draws, -1, -1), *sizes, generator=generator)
    for path, value in paths.items():
        share = float((drawn == torch.tensor(path)).all(1).double().mean())
        assert abs(share - math.exp(value - total)) < 0.02


def test_gradient_by_differences() -> None:
    generator = torch.Generator().manual_seed(1)
    match = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    raw = torch.randn(2, 5, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    sizes = torch.tensor([3, 2]), torch.tensor([5, 4])

    def likelihood(match: Tensor, raw: Tensor) -> Tensor:
        return log_likelihood(match, raw.masked_fill(~later, -torch.inf), *sizes)

    assert torch.autograd.gradcheck(likelihood, (match, raw))


@pytest.mark.parametrize("spread", [1.0, 20.0, 200.0])  # from float32's comfort to far below its smallest number
def test_long_graphs_by_matrix_products_equal_log_space(spread: float) -> None:
    generator = torch.Generator().manual_seed(3)
    targets, states = 60, 240
    later = torch.ones(states, states, dtype=torch.bool).triu(1)
    match = -spread * torch.rand(2, targets, states, generator=generator)
    transitions = (spread * torch.randn(2, states, states, generator=generator)).masked_fill(~later, -torch.inf)
    transitions = transitions.log_softmax(2).masked_fill(~later, -torch.inf)
    sizes = torch.tensor([targets, 37]), torch.tensor([states, 200])
    results = []
    for kind in (path_sums.LogSpaceSums, path_sums.MatrixSums):
        for dtype in (torch.float64, torch.float32):
            scores = [values.to(dtype).requires_grad_() for values in (match, transitions)]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("exlm_chem.modeling.alignment.sums_over", kind)
                likelihood = log_likelihood(*scores, *sizes)
                gradients = torch.autograd.grad(likelihood.sum(), scores)
            results.append([likelihood.detach().double(), *(gradient.double() for gradient in gradients)])
    exact = results[0]
    assert exact[0].isfinite().all()
    for result, tolerance in zip(results[1:], (3e-6, 1e-9, 3e-6), strict=True):
        torch.testing.assert_close(result[0], exact[0], rtol=tolerance, atol=0)
        for ours, theirs in zip(result[1:], exact[1:], strict=True):
            # float32 alone, in log space, is as far from the truth as 1e-3 where scores are in the hundreds
            torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-3 if tolerance > 1e-8 else 1e-9)

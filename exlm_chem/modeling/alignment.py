"""Alignment: paths through the states that emit the targets, summed, maximised or sampled.

A path visits one state for every target, states only increase, the first target is emitted by the first state and the
last target by the last state. All functions take

match : Tensor, shape (B, M, S)
    Log-probability that state s emits target m.
transitions : Tensor, shape (B, S, S)
    Log-probability of going from one state to another; -inf where that is impossible.
target_length, state_length : Tensor of int64, shape (B,)
    Targets and states of every row; entries beyond are never read.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from exlm_chem.modeling.path_sums import PathSums, finite, sums_over


def log_likelihood(match: Tensor, transitions: Tensor, target_length: Tensor, state_length: Tensor) -> Tensor:
    """Log-probability of the targets, summed over all paths.

    Parameters
    ----------
    match, transitions, target_length, state_length : Tensor
        See the module.

    Returns
    -------
    Tensor, shape (B,)
        -inf for a row that no path can emit; such a row has zero gradient. The gradient to `match` is the posterior
        probability that a state emits a target, the gradient to `transitions` the expected number of uses.

    Examples
    --------
    Two targets, three states; the middle state is skipped.

    >>> match = torch.zeros(1, 2, 3)
    >>> transitions = torch.full((1, 3, 3), -torch.inf)
    >>> transitions[0, 0, 2] = -0.5
    >>> log_likelihood(match, transitions, torch.tensor([2]), torch.tensor([3]))
    tensor([-0.5000])
    """
    result: Tensor = _LogLikelihood.apply(match, transitions, target_length, state_length)  # type: ignore[no-untyped-call]
    return result


class _LogLikelihood(torch.autograd.Function):
    """Forward-backward: the gradients are posteriors, so no graph over the recursion is kept."""

    @staticmethod
    def forward(ctx: Any, match: Tensor, transitions: Tensor, target_length: Tensor, state_length: Tensor) -> Tensor:
        alphas, shifts = _forward_scores(match, sums_over(transitions))
        ctx.save_for_backward(match, transitions, target_length, state_length, alphas)
        return _final_score(alphas + shifts[..., None], target_length, state_length)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, None, None]:
        match, transitions, target_length, state_length, alphas = ctx.saved_tensors
        sums = sums_over(transitions)
        grad_match, onward = torch.empty_like(match), torch.full_like(match, -torch.inf)
        evidences = torch.empty_like(match[..., 0])
        num_targets, num_states = match.shape[1:]
        at_end = torch.arange(num_states, device=match.device) == (state_length - 1)[:, None]
        end_score = torch.where(at_end, 0.0, -torch.inf).to(match.dtype)
        beta = torch.full_like(end_score, -torch.inf)
        for t in range(num_targets - 1, -1, -1):
            if t < num_targets - 1:
                onward[:, t] = match[:, t + 1] + beta
                beta = sums.over_later(onward[:, t])
            beta = torch.where((target_length == t + 1)[:, None], end_score, beta)
            joint = alphas[:, t] + beta
            # Normalised at every target, not by the final likelihood: rounding does not grow with the likelihood.
            evidence = finite(joint.logsumexp(1, keepdim=True))
            grad_match[:, t] = (joint - evidence).exp_()
            evidences[:, t] = evidence[:, 0]
            beta = beta - finite(beta.amax(1, keepdim=True))
        grad_transitions = sums.expected_uses(alphas, onward, evidences)
        weight = grad_output.to(match.dtype)[:, None, None]
        return grad_match * weight, grad_transitions * weight, None, None


def path_entropy(match: Tensor, transitions: Tensor, target_length: Tensor, state_length: Tensor) -> Tensor:
    """Entropy of the posterior over paths, in nats: 0 if one path has all the probability.

    It is the log-likelihood less the expected score of a path, and the gradients of the log-likelihood say how often
    each score is expected to be used.

    Parameters
    ----------
    match, transitions, target_length, state_length : Tensor
        See the module.

    Returns
    -------
    Tensor, shape (B,)
        0 for a row that no path can emit.

    Examples
    --------
    Two targets emitted by the ends of three states: there is one path.

    >>> transitions = torch.full((1, 3, 3), -torch.inf)
    >>> transitions[0, 0, 1:], transitions[0, 1, 2] = 0.5, 0.5
    >>> bool(path_entropy(torch.zeros(1, 2, 3), transitions, torch.tensor([2]), torch.tensor([3])).abs() < 1e-6)
    True
    """
    with torch.inference_mode(False), torch.enable_grad():
        match, transitions = (values.detach().clone().requires_grad_() for values in (match, transitions))
        likelihood = log_likelihood(match, transitions, target_length.clone(), state_length.clone())
        emitted, gone = torch.autograd.grad(likelihood.sum(), [match, transitions])
    expected = (emitted * finite(match)).sum((1, 2)) + (gone * finite(transitions)).sum((1, 2))
    # rounding may leave an entropy of nothing a little below it
    return torch.where(likelihood.isfinite(), likelihood - expected, 0.0).clamp(min=0).detach()


def best_path(match: Tensor, transitions: Tensor, target_length: Tensor, state_length: Tensor) -> tuple[Tensor, Tensor]:
    """The single most probable path (Viterbi).

    Parameters
    ----------
    match, transitions, target_length, state_length : Tensor
        See the module.

    Returns
    -------
    path : Tensor of int64, shape (B, M)
        State that emits each target; -1 beyond the row's targets and in rows that no path can emit.
    score : Tensor, shape (B,)
        Log-probability of that path.
    """
    scores, choices = match[:, 0] + _only_first(match), []
    all_scores = [scores]
    for t in range(1, match.shape[1]):
        best, choice = (scores[:, :, None] + transitions).max(1)
        scores = match[:, t] + best
        all_scores.append(scores)
        choices.append(choice)
    score = _final_score(torch.stack(all_scores, 1), target_length, state_length)

    def previous(t: int, state: Tensor) -> Tensor:
        return choices[t].gather(1, state[:, None])[:, 0]

    return _trace_back(previous, match.shape[1], target_length, state_length, score), score


def sample_path(
    match: Tensor,
    transitions: Tensor,
    target_length: Tensor,
    state_length: Tensor,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one path of every row from the posterior over paths.

    Parameters
    ----------
    match, transitions, target_length, state_length : Tensor
        See the module.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    Tensor of int64, shape (B, M)
        As the path of `best_path`.
    """
    alphas, _ = _forward_scores(match, sums_over(transitions))
    score = _final_score(alphas, target_length, state_length)

    def previous(t: int, state: Tensor) -> Tensor:
        arrive = transitions.gather(2, state[:, None, None].expand(-1, transitions.shape[1], 1))[..., 0]
        weights = (alphas[:, t] + arrive).softmax(-1)
        # Rows that are not at target t + 1 of a feasible path have no weights; their draw is not used.
        weights = torch.where(weights.isfinite().all(-1, keepdim=True), weights, 1.0)
        return torch.multinomial(weights, 1, generator=generator)[:, 0]

    return _trace_back(previous, match.shape[1], target_length, state_length, score)


def _only_first(match: Tensor) -> Tensor:
    start = torch.full_like(match[:, 0], -torch.inf)
    start[:, 0] = 0.0
    return start


def _forward_scores(match: Tensor, sums: PathSums) -> tuple[Tensor, Tensor]:
    """The forward scores f_t(q): log-probability of all ways to have emitted targets 0..t, the last by state q.

    Returned as (B, M, S) scores relative to a (B, M) shift, the best state's score: so they keep their precision
    however small the probabilities become.
    """
    alpha, shift = match[:, 0] + _only_first(match), torch.zeros_like(match[:, 0, 0])
    alphas, shifts = [], []
    for t in range(match.shape[1]):
        if t:
            alpha = match[:, t] + sums.over_earlier(alpha)
        best = finite(alpha.amax(1, keepdim=True))
        alpha, shift = alpha - best, shift + best[:, 0]
        alphas.append(alpha)
        shifts.append(shift)
    return torch.stack(alphas, 1), torch.stack(shifts, 1)


def _final_score(scores: Tensor, target_length: Tensor, state_length: Tensor) -> Tensor:
    rows = torch.arange(len(scores), device=scores.device)
    return scores[rows, target_length - 1, state_length - 1]


def _trace_back(previous: Any, num_targets: int, target_length: Tensor, state_length: Tensor, score: Tensor) -> Tensor:
    state = state_length - 1
    path = []
    for t in range(num_targets - 1, -1, -1):
        path.append(torch.where(t < target_length, state, -1))
        if t:
            state = torch.where(t < target_length, previous(t - 1, state), state)
    return torch.where(score.isfinite()[:, None], torch.stack(path[::-1], 1), -1)

"""Sums of probabilities over the states before and after: the inner step of the alignment's recursion.

Two ways to the same numbers. In log space every step adds and exponentiates a whole (S, S) matrix. With matrix products
it is exponentiated once, and a step costs one product of a vector and a matrix: several times as fast for long
molecules. A product loses what underflows; where that could be seen in the result, it is computed again in log space.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

# Below this many states the matrix products save nothing.
MANY_STATES = 128
# Exponents beyond these are left to log space: products inside stay far from the largest and the smallest float64.
LARGEST_EXPONENT, LEAST_EXPONENT = 300.0, -300.0


class PathSums(Protocol):
    """Sums over the transitions (B, S, S) of a batch."""

    def over_earlier(self, scores: Tensor) -> Tensor:
        """From scores (B, S) of states to those of their successors: ``logsumexp_p(scores[p] + transitions[p, q])``."""

    def over_later(self, scores: Tensor) -> Tensor:
        """From scores (B, S) of states to those of their predecessors."""

    def expected_uses(self, before: Tensor, after: Tensor, evidence: Tensor) -> Tensor:
        """Sum ``exp(before[t, p] + transitions[p, q] + after[t, q] - evidence[t])`` over all t.

        Scores `before` and `after` are (B, M, S), `evidence` is (B, M).
        """


def sums_over(transitions: Tensor) -> PathSums:
    """Choose the faster way. (The second one looks at its results, which a GPU would have to wait for.)

    Examples
    --------
    >>> transitions = torch.full((1, 200, 200), -1.0).masked_fill(torch.ones(200, 200).tril() > 0, -torch.inf)
    >>> scores = torch.linspace(-300, 0, 200)[None]
    >>> fast, exact = sums_over(transitions), LogSpaceSums(transitions)
    >>> type(fast).__name__, torch.allclose(fast.over_later(scores), exact.over_later(scores))
    ('MatrixSums', True)
    """
    fast = transitions.device.type == "cpu" and transitions.shape[1] >= MANY_STATES
    return MatrixSums(transitions) if fast else LogSpaceSums(transitions)


def finite(scores: Tensor) -> Tensor:
    """Replace -inf by 0."""
    return torch.where(scores.isfinite(), scores, 0.0)


class LogSpaceSums:
    """Everything in log space."""

    def __init__(self, transitions: Tensor) -> None:
        self.transitions = transitions

    def over_earlier(self, scores: Tensor) -> Tensor:
        """See `PathSums`."""
        return (scores[:, :, None] + self.transitions).logsumexp(1)

    def over_later(self, scores: Tensor) -> Tensor:
        """See `PathSums`."""
        return (self.transitions + scores[:, None, :]).logsumexp(2)

    def expected_uses(self, before: Tensor, after: Tensor, evidence: Tensor) -> Tensor:
        """See `PathSums`."""
        uses = torch.zeros_like(self.transitions)
        for t in range(before.shape[1]):
            left, right = before[:, t] - evidence[:, t, None], after[:, t]
            uses += (left[:, :, None] + self.transitions).add_(right[:, None, :]).exp_()
        return uses


class MatrixSums:
    """Matrix products in float64, whose range hardly anything leaves, and log space where something does."""

    def __init__(self, transitions: Tensor) -> None:
        self.transitions = transitions
        info = torch.finfo(torch.float64)
        self.smallest = 1e4 * info.tiny / info.eps  # what is lost is below the rounding of anything larger
        possible = transitions > -torch.inf
        self.best_exit = finite(transitions.amax(2))
        self.chances = (transitions - self.best_exit[:, :, None]).double().exp_()
        # Whether no chance that is possible is anywhere near underflow, (B, 1).
        rarest = torch.where(possible, transitions - self.best_exit[:, :, None], 0.0).amin((1, 2))
        self.tame = (rarest > LEAST_EXPONENT)[:, None]

    def over_earlier(self, scores: Tensor) -> Tensor:
        """See `PathSums`."""
        result, row, state = self._sums(scores + self.best_exit, self.chances.transpose(1, 2))
        if len(row):  # what is left aside here is exact there, or impossible
            result[row, state] = (self.transitions[row, :, state] + scores[row]).logsumexp(1)
        return result

    def over_later(self, scores: Tensor) -> Tensor:
        """See `PathSums`."""
        result, row, state = self._sums(scores, self.chances)
        result += self.best_exit
        if len(row):
            result[row, state] = (self.transitions[row, state] + scores[row]).logsumexp(1)
        return result

    def _sums(self, scores: Tensor, chances: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sums in log space, and the rows and states whose sums are too small to be trusted but may be possible."""
        shift = finite(scores.amax(1, keepdim=True))
        sums = torch.bmm(chances, (scores - shift).double().exp_()[:, :, None])[..., 0]
        # An exact 0 of a sum over terms that are far from underflow means that there is nothing to be summed.
        least = torch.where(scores > -torch.inf, scores - shift, torch.inf).amin(1, keepdim=True)
        safe = (least > LEAST_EXPONENT) & (sums == 0) & self.tame
        row, state = ((sums < self.smallest) & ~safe).nonzero(as_tuple=True)
        return (sums.log() + shift).to(scores.dtype), row, state

    def expected_uses(self, before: Tensor, after: Tensor, evidence: Tensor) -> Tensor:
        """See `PathSums`."""
        shift = finite(after.amax(2, keepdim=True))
        exponents = (before + self.best_exit[:, None] + shift - evidence[:, :, None]).double()
        too_large = (exponents > LARGEST_EXPONENT).any(2)
        left = exponents.masked_fill(too_large[:, :, None], -torch.inf).exp_()
        uses = (self.chances * torch.bmm(left.transpose(1, 2), (after - shift).double().exp_())).to(before.dtype)
        for row, t in too_large.nonzero().tolist():
            part = before[row, t, :, None] - evidence[row, t] + self.transitions[row]
            uses[row] += part.add_(after[row, t]).exp_()
        return uses

"""The loop that trains a small model for an analysis: nothing is kept, and it is over in minutes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from exlm_chem.training.optimization import learning_rate_factor, make_optimizer

LEARNING_RATE = 3e-3


def train(model: torch.nn.Module, loss_of: Callable[[int, float], Tensor], steps: int) -> None:
    """Train a model in place.

    Parameters
    ----------
    model : torch.nn.Module
        Left in evaluation mode.
    loss_of : callable
        Gives the loss of a step, by its number and the share of the run that is done.
    steps : int

    Examples
    --------
    >>> layers = torch.nn.ModuleDict({"layers": torch.nn.Linear(2, 1)})
    >>> layer = layers["layers"]
    >>> def loss_of(step: int, share: float) -> Tensor:
    ...     return (layer.weight - 1).square().sum()
    >>> before = loss_of(0, 0).detach()
    >>> train(layers, loss_of, 20)
    >>> bool(loss_of(0, 0).detach() < before)
    True
    """
    optimizer = make_optimizer(model, "muon", LEARNING_RATE, 0.01)
    model.train()
    for step in range(steps):
        share = step / steps
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * learning_rate_factor(share)
        loss = loss_of(step, share)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.eval()

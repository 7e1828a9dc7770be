"""Muon, on processors without instructions for bfloat16 too."""

from __future__ import annotations

import math
from typing import Any

import torch

from exlm_chem.machine import processor_multiplies_bfloat16


class Muon(torch.optim.Muon):
    """`torch.optim.Muon` that multiplies in single precision where the processor would emulate bfloat16.

    There those products take fifty times as long, and longer than all the rest of a training step. The states are the
    same: a run may go on on another machine. The learning rate is always that of "match_rms_adamw", which makes an
    update as large as AdamW's would be, so that one learning rate serves both.

    Parameters
    ----------
    matrices : list of Parameter
    learning_rate, weight_decay : float

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.eye(2))
    >>> weight.grad = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    >>> Muon([weight], learning_rate=0.1, weight_decay=0.0).step()
    >>> bool((weight.diagonal() < 1).all())
    True
    """

    def __init__(self, matrices: list[torch.nn.Parameter], learning_rate: float, weight_decay: float) -> None:
        super().__init__(matrices, lr=learning_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move all matrices that have a gradient."""
        if self.param_groups[0]["params"][0].device.type != "cpu" or processor_multiplies_bfloat16():
            super().step(closure)  # type: ignore[no-untyped-call]
            return
        for group in self.param_groups:
            matrices: list[torch.Tensor] = []
            gradients: list[torch.Tensor] = []
            averages: list[torch.Tensor] = []
            self._init_group(group, matrices, gradients, averages)
            for matrix, gradient, average in zip(matrices, gradients, averages, strict=True):
                average.lerp_(gradient, 1 - group["momentum"])
                update = gradient.lerp(average, group["momentum"])
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(direction(update, group), alpha=-0.2 * group["lr"] * math.sqrt(max(matrix.shape)))


def direction(update: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
    """Bring all singular values of a matrix near 1 by the Newton-Schulz iteration.

    Parameters
    ----------
    update : Tensor
        Shape (rows, columns).
    group : dict
        ``ns_coefficients``, ``ns_steps`` and ``eps`` of `torch.optim.Muon`.

    Returns
    -------
    Tensor
        Of the same shape.
    """
    a, b, c = group["ns_coefficients"]
    wide = update.T if update.shape[0] > update.shape[1] else update
    wide = wide / wide.norm().clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if update.shape[0] > update.shape[1] else wide

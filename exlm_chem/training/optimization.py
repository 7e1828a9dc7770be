"""The optimizer, its precision, and its learning rate as a function of how much of the run is done."""

from __future__ import annotations

import math
from typing import Any

import torch

from exlm_chem.machine import processor_multiplies_bfloat16
from exlm_chem.terms import OptimizerName, Precision, Schedule
from exlm_chem.training.muon import Muon


def learning_rate_factor(
    progress: float, schedule: Schedule = "linear", warmup: float = 0.05, decay: float = 0.3
) -> float:
    """Factor on the peak learning rate.

    Parameters
    ----------
    progress : float
        Done share of the run, 0 to 1, by steps, epochs or time.
    schedule : {"linear", "cosine"}
        "linear": warm-up, constant, then down to 0 on a straight line. "cosine": warm-up, then half a cosine to 0.
    warmup, decay : float
        Shares of the run.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> [learning_rate_factor(p) for p in (0.025, 0.5, 0.85, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if progress < warmup:
        return progress / warmup
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup))))
    return max(0.0, min(1.0, round((1 - progress) / decay, 12)))


def make_optimizer(
    model: torch.nn.Module, name: OptimizerName, learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Make the optimizer of a run.

    Parameters
    ----------
    model : torch.nn.Module
    name : {"muon", "adamw"}
        "muon" moves the matrices of the encoder's layers by `Muon` and all else by AdamW; "adamw" moves everything by
        AdamW, as published (betas, epsilon).
    learning_rate, weight_decay : float
        The same for both; biases, norms and other vectors are not decayed.

    Returns
    -------
    torch.optim.Optimizer

    Examples
    --------
    >>> layer = torch.nn.ModuleDict({"layers": torch.nn.Linear(4, 4)})
    >>> [len(group["params"]) for group in make_optimizer(layer, "muon", 1e-3, 0.01).param_groups]
    [1, 1]
    """
    matrices, tables, vectors = [], [], []
    for path, parameter in model.named_parameters():
        if parameter.dim() < 2:
            vectors.append(parameter)
        elif name == "muon" and "layers." in path:
            matrices.append(parameter)
        else:
            tables.append(parameter)
    groups = [{"params": tables, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    adamw = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)
    if name == "adamw":
        return adamw
    return JoinedOptimizer(Muon(matrices, learning_rate, weight_decay), adamw)


class JoinedOptimizer(torch.optim.Optimizer):
    """Several optimizers, each with parameters of its own, that look and step as one.

    Parameters
    ----------
    *parts : torch.optim.Optimizer
        They share no parameter.
    """

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        self._share()

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Let every part take its step."""
        for part in self.parts:
            part.step(closure)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        """Let the parts work on the groups and states of this optimizer."""
        groups = iter(self.param_groups)
        for part in self.parts:
            part.param_groups = [next(groups) for _ in part.param_groups]
            part.state = self.state


def resolve_precision(precision: Precision, device: str) -> str:
    """Say what accelerate calls the precision of a run: "no", "bf16" or "fp16"."""
    if precision != "auto":
        return {"fp32": "no"}.get(precision, precision)
    if device != "cpu" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    if device != "cpu" and torch.backends.mps.is_available():
        return "no"
    return "bf16" if processor_multiplies_bfloat16() else "no"

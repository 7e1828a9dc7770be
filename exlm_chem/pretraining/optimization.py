"""The optimizer, its precision, and its learning rate as a function of how much of the run is done."""

from __future__ import annotations

import math
from typing import Literal

import torch

Schedule = Literal["linear", "cosine"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


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


def make_optimizer(model: torch.nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """Make AdamW with the published betas and epsilon; biases and norms are not decayed."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


def resolve_precision(precision: Precision, device: str) -> str:
    """Say what accelerate calls the precision of a run: "no", "bf16" or "fp16"."""
    if precision != "auto":
        return {"fp32": "no"}.get(precision, precision)
    if device != "cpu" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    if device != "cpu" and torch.backends.mps.is_available():
        return "no"
    fast = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001
    return "bf16" if fast else "no"

"""A running average of the weights: better than the weights themselves as long as the learning rate is high."""

from __future__ import annotations

import copy

import torch

from exlm_chem.modeling import ExLMForMaskedLM


class WeightAverage:
    """Exponential moving average of a model's weights.

    The first averages are short, so that the random weights of the beginning are forgotten: after n steps the decay is
    at most (1 + n) / (10 + n).

    Parameters
    ----------
    model : ExLMForMaskedLM
        Where to start from; not changed.
    decay : float
        Weight of the past in the long run, below 1.

    Attributes
    ----------
    module : ExLMForMaskedLM
        The model with the averaged weights.

    Examples
    --------
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> average = WeightAverage(model, decay=0.9)
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> average.update(model, step=1000)
    >>> round(float(average.module.weight.detach()), 3)
    0.1
    """

    def __init__(self, model: ExLMForMaskedLM, decay: float) -> None:
        self.module = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: ExLMForMaskedLM, step: int) -> None:
        """Take in the weights of a model after so many optimizer steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.module.parameters()), list(model.parameters()), 1 - decay)

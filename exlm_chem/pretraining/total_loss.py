"""What a step lowers: the loss of the masked tokens, and those of whole molecules."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from exlm_chem.modeling.exlm import CONSISTENCY
from exlm_chem.modeling.outputs import MaskedLMOutput
from exlm_chem.pretraining.objective_values import ObjectiveValues
from exlm_chem.pretraining.options import PretrainingOptions


def total_loss(
    output: MaskedLMOutput, objective_values: Sequence[ObjectiveValues], options: PretrainingOptions
) -> Tensor:
    """Add the losses of a batch.

    Parameters
    ----------
    output : MaskedLMOutput
    objective_values : sequence of ObjectiveValues
        One for each molecule-level objective, whose loss counts as a share of its baseline.
    options : PretrainingOptions
        With the weights.

    Returns
    -------
    Tensor, scalar
    """
    total, losses = output.loss, output.molecule_losses
    for values in objective_values:
        total = total + options.molecule_weight * losses[values.name] / values.baseline
    return total + options.consistency * losses[CONSISTENCY] if CONSISTENCY in losses else total

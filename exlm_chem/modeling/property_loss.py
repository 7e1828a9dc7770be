"""Losses over labels of which some are missing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from exlm_chem.terms import Kind

CLASSES, NUMBERS = "-classes", "-numbers"
"""How the names of objectives end that predict the labels of a table."""


def kind_of_objective(name: str) -> Kind:
    """Say what a molecule-level objective predicts: standardised numbers, or bits.

    Examples
    --------
    >>> kind_of_objective("descriptors"), kind_of_objective("ecfp"), kind_of_objective("hiv-classes")
    ('regression', 'classification', 'classification')
    """
    return "regression" if name == "descriptors" or name.endswith(NUMBERS) else "classification"


def property_loss(
    outputs: Tensor,
    labels: Tensor,
    kind: Kind,
    label_scale: Tensor | None = None,
    *,
    weights: Tensor | None = None,
    bounds: Tensor | None = None,
) -> Tensor:
    """Mean loss over the known labels.

    Parameters
    ----------
    outputs : Tensor, shape (B, C)
        Logits (classification) or values.
    labels : Tensor, shape (B, C)
        0/1 or values; NaN where unknown. An unknown label gives exactly zero gradient.
    kind : {"classification", "regression"}
        Cross-entropy of independent labels, or squared error.
    label_scale : Tensor, shape (C,), optional
        Standard deviations that make the errors of different properties comparable.
    weights : Tensor, shape (B, C), optional
        How much each label counts.
    bounds : Tensor, shape (B, C), optional
        1 where a value is a lower limit, -1 where it is an upper one: an output beyond it is no error.

    Returns
    -------
    Tensor, scalar
        0 if no label is known.

    Examples
    --------
    >>> nan = float("nan")
    >>> property_loss(torch.tensor([[2.0, 5.0]]), torch.tensor([[1.0, nan]]), "regression")
    tensor(1.)
    """
    known = ~labels.isnan()
    labels = torch.where(known, labels, 0.0).to(outputs.dtype)
    if kind == "classification":
        loss = F.binary_cross_entropy_with_logits(outputs, labels, reduction="none")
    else:
        error = outputs - labels
        if bounds is not None:
            error = torch.where(bounds * error > 0, 0.0, error)
        loss = (error if label_scale is None else error / label_scale).square()
    if weights is None:
        return torch.where(known, loss, 0.0).sum() / known.sum().clamp(min=1)
    weights = torch.where(known, weights, 0.0)
    return (torch.where(known, loss, 0.0) * weights).sum() / weights.sum().clamp(min=1e-12)

"""The validation loss: always the same molecules with the same masks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

from exlm_chem.modeling.alignment import best_path
from exlm_chem.modeling.exlm import NOT_A_TARGET, ExLMForMaskedLM
from exlm_chem.modeling.outputs import MaskedLMOutput
from exlm_chem.pretraining.batching import Batch


def evaluate(model: ExLMForMaskedLM, batches: Iterable[Batch], device: torch.device) -> dict[str, float]:
    """Measure loss and accuracy on masked batches.

    Parameters
    ----------
    model : ExLMForMaskedLM
    batches : iterable of Batch
    device : torch.device
        Where the model is.

    Returns
    -------
    dict
        ``validation_loss`` (NaN without batches), ``validation_accuracy``, ``infeasible``, and ``validation_NAME`` for
        every molecule-level objective; see `Measurement`.
    """
    was_training = model.training
    model.eval()
    loss, rows, right, masked, infeasible = 0.0, 0, 0, 0, 0
    molecule_losses: defaultdict[str, float] = defaultdict(float)
    with torch.inference_mode():
        for batch in batches:
            batch = batch.to(device)  # noqa: PLW2901
            labels = batch.labels
            output = model(batch.input_ids, labels, batch.molecule_targets)
            for name, value in output.molecule_losses.items():
                molecule_losses[f"validation_{name}"] += float(value) * len(labels)
            loss += float(output.loss) * len(labels)
            rows += len(labels)
            right += int(correct_tokens(output, labels))
            masked += int(output.num_targets)
            infeasible += int((~output.log_likelihood.isfinite()).sum())
    model.train(was_training)
    return {
        "validation_loss": loss / rows if rows else math.nan,
        "validation_accuracy": right / masked if masked else math.nan,
        "infeasible": infeasible,
        **{name: total / rows for name, total in molecule_losses.items()},
    }


def correct_tokens(output: MaskedLMOutput, labels: Tensor) -> Tensor:
    """Count the masked tokens whose most probable prediction is right; for "exlm" by the states of the best path.

    Parameters
    ----------
    output : MaskedLMOutput
    labels : Tensor of int64, shape (B, T)

    Returns
    -------
    Tensor of int64, scalar
    """
    predicted = output.logits.argmax(-1)
    graph = output.graph
    if graph is None:
        return (predicted == labels[labels != NOT_A_TARGET]).sum()
    path, _ = best_path(graph.match, graph.transitions, graph.target_length, graph.state_length)
    emitted = predicted.gather(1, path.clamp(min=0))
    # The targets are the masked tokens between <s> and </s>, in order; those two are no masked tokens.
    inner = torch.ones_like(path, dtype=torch.bool)
    inner[:, 0] = False
    inner &= torch.arange(path.shape[1], device=path.device) < (graph.target_length - 1)[:, None]
    return ((emitted == graph.targets) & inner & (path >= 0)).sum()

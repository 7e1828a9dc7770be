"""The validation loss: always the same molecules with the same masks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from exlm_chem.modeling.alignment import best_path, path_entropy
from exlm_chem.modeling.exlm import CONSISTENCY, ExLMForMaskedLM
from exlm_chem.modeling.inputs import MaskedInputs
from exlm_chem.modeling.outputs import MaskedLMOutput
from exlm_chem.pretraining.batching import Batch


def evaluate(
    model: ExLMForMaskedLM, batches: Iterable[Batch], device: torch.device, baselines: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Measure loss, accuracy, and the health of the alignment on masked batches.

    Parameters
    ----------
    model : ExLMForMaskedLM
    batches : iterable of Batch
    device : torch.device
        Where the model is.
    baselines : mapping of str to float, optional
        What the loss is divided by, for every objective that is a table of labels.

    Returns
    -------
    dict
        The fields of `Measurement` that are measured on the validation part; NaN where there is nothing to measure.
        Rows that no path can emit are counted in "infeasible", and nowhere else.
    """
    was_training = model.training
    model.eval()
    sums: defaultdict[str, float] = defaultdict(float)
    lost: defaultdict[str, float] = defaultdict(float)  # by the name of a molecule-level loss
    known: defaultdict[str, int] = defaultdict(int)
    with torch.inference_mode():
        for batch in batches:
            batch = batch.to(device)  # noqa: PLW2901
            output = model(batch.inputs, batch.molecule_targets, others=batch.others)
            masked = batch.inputs.num_masked > 0
            counted = masked & output.log_likelihood.isfinite()
            sums["infeasible"] += int((masked & ~counted).sum())
            # what the loss of a batch is the mean over: rows, of which those without a path are 0, or masked tokens
            terms = batch.inputs.num_masked if output.graph is None else masked
            sums["terms"] += int(terms[counted].sum())
            sums["loss"] += float(output.loss) * int(terms.sum())
            sums["masked"] += int(batch.inputs.num_masked[counted].sum())
            sums["right"] += int(correct_tokens(output, batch.inputs))
            sums["log_likelihood"] += float(output.log_likelihood[counted].sum())
            if output.graph is not None:
                graph = output.graph
                entropy = path_entropy(graph.match, graph.transitions, graph.target_length, graph.state_length)
                sums["graphs"] += int(counted.sum())
                sums["entropy"] += float(entropy[counted].sum())
            for name, value in output.molecule_losses.items():
                count = _known(batch, name)
                lost[name] += float(value) * count
                known[name] += count
    model.train(was_training)
    losses = {name: _ratio(total, known[name]) for name, total in lost.items()}
    shares = [losses.pop(name) / baseline for name, baseline in (baselines or {}).items() if name in losses]
    known_shares = [share for share in shares if not math.isnan(share)]
    return {
        "validation_loss": _ratio(sums["loss"], sums["terms"]),
        "validation_accuracy": _ratio(sums["right"], sums["masked"]),
        "loss_per_masked_token": _ratio(-sums["log_likelihood"], sums["masked"]),
        "path_entropy": _ratio(sums["entropy"], sums["graphs"]),
        "infeasible": int(sums["infeasible"]),
        "validation_labels": _ratio(sum(known_shares), len(known_shares)),
        **{f"validation_{name}": value for name, value in losses.items()},
    }


def correct_tokens(output: MaskedLMOutput, inputs: MaskedInputs) -> Tensor:
    """Count the masked tokens whose most probable prediction is right; for "exlm" by the states of the best path.

    Parameters
    ----------
    output : MaskedLMOutput
    inputs : MaskedInputs

    Returns
    -------
    Tensor of int64, scalar
    """
    predicted = output.logits.argmax(-1)
    graph = output.graph
    if graph is None:
        return (predicted == inputs.targets).sum()
    path, _ = best_path(graph.match, graph.transitions, graph.target_length, graph.state_length)
    emitted = predicted.gather(1, path.clamp(min=0))
    return ((emitted == graph.targets) & graph.masked & (path >= 0)).sum()


def _known(batch: Batch, name: str) -> int:
    """Count what a molecule-level loss is the mean over."""
    if batch.others is not None and name == CONSISTENCY:
        return len(batch.others.rows)
    return int((~batch.molecule_targets[name].isnan()).sum())


def _ratio(total: float, count: float) -> float:
    return total / count + 0.0 if count else math.nan  # -0.0 + 0.0 is 0.0

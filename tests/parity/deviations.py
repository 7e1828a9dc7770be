"""Prints the largest deviation of every kind of value from the authors' code, as JSON.

``benchmarks/parity.py`` starts it (``python -m tests.parity.deviations``); the tests assert the same numbers against
fixed tolerances.
"""

from __future__ import annotations

import json
from collections import defaultdict

import torch
from torch import Tensor
from torch.nn import functional as F

from exlm_chem.modeling.alignment import log_likelihood
from tests.parity import test_alignment, test_model
from tests.parity.reference import load, our_weights, scatter_states

Deviations = dict[str, float]


def main() -> None:
    result = {}
    for dtype in (torch.float32, torch.float64):
        worst: Deviations = defaultdict(float)
        for name in test_model.CLEAN + test_model.GHOSTS:
            compare_model(name, dtype, worst)
        for name in test_alignment.NAMES:
            compare_alignment(name, dtype, worst)
        result[str(dtype).removeprefix("torch.")] = dict(worst)
    fixtures = len(test_model.CLEAN + test_model.GHOSTS + test_alignment.NAMES)
    print(json.dumps({"largest absolute deviation from the authors' code": result, "fixtures": fixtures}))  # noqa: T201


def compare_model(name: str, dtype: torch.dtype, worst: Deviations) -> None:
    """Compare one model fixture, values and weight gradients."""
    case = test_model.run(name, dtype)
    output, expansion = case.output, case.output.encoder.expansion
    values = {
        "features": (output.encoder.last_hidden_state, "out/features"),
        "logits": (case.model.score(output.encoder.last_hidden_state), "out/logits"),
        "transitions": (
            scatter_states(case.graph.transitions, expansion, (1, 2), -torch.inf),
            "out/links_square",
        ),
        "log-likelihood": (output.log_likelihood, "out/loglik"),
        "loss": (output.loss, "out/loss"),
    }
    for kind, (ours, key) in values.items():
        note(worst, kind, ours, case.expected(key).view_as(ours))
    output.loss.backward()
    gradients = our_weights(
        case.tensors, "grad64/" if dtype == torch.float64 else "grad/", dtype, case.model.config.num_attention_heads
    )
    for parameter, gradient in gradients.items():
        note(worst, "weight gradients", case.model.get_parameter(parameter).grad, gradient)


def compare_alignment(name: str, dtype: torch.dtype, worst: Deviations) -> None:
    """Compare one fixture of the dynamic program."""
    tensors, _ = load(name)
    out = "out64/" if dtype == torch.float64 else "out/"
    match = tensors["in/match"].to(dtype).requires_grad_()
    links = tensors["in/links"].to(dtype).requires_grad_()
    likelihood = log_likelihood(match, links, tensors["in/target_length"], tensors["in/output_length"])
    note(worst, "dynamic program, log-likelihood", likelihood, tensors[f"{out}loglik"])
    gradients = torch.autograd.grad(likelihood[tensors["out/feasible"]].sum(), [match, links])
    note(worst, "dynamic program, gradients", gradients[0], tensors[f"{out}grad_match"])
    note(worst, "dynamic program, gradients", gradients[1], tensors[f"{out}grad_links"])


def note(worst: Deviations, kind: str, ours: Tensor, theirs: Tensor) -> None:
    """Keep the largest difference of finite entries; infinite ones must be equal."""
    finite = theirs.isfinite()
    if not torch.equal(ours.detach()[~finite], theirs[~finite]):
        worst[kind] = float("inf")
    difference = F.l1_loss(ours.detach()[finite], theirs[finite], reduction="none")
    worst[kind] = max(worst[kind], float(difference.max()))


if __name__ == "__main__":
    main()

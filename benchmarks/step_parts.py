"""Takes a step of pretraining apart: encoder, head, transitions, alignment and optimizer, each forward and backward."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.steps import Step, in_turn
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM
from exlm_chem.modeling.alignment import log_likelihood
from exlm_chem.modeling.inputs import MaskedInputs
from exlm_chem.training.optimization import make_optimizer


def split(config: ExLMConfig, inputs: MaskedInputs, precision: str, rounds: int) -> dict[str, Any]:
    """Measure the parts of a step, each forward and backward on the tensors that it sees in the whole."""
    model = ExLMForMaskedLM(config).train()
    optimizer = make_optimizer(model, "adamw", 1e-4, 0.01)

    def context() -> Any:
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")

    with context():
        output = model(inputs)
    output.loss.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    features = output.encoder.last_hidden_state.detach()
    states = features[inputs.rows[:, None], inputs.state_positions]
    graph = output.graph
    assert graph is not None  # noqa: S101
    assert model.transitions is not None  # noqa: S101
    transition_head = model.transitions
    finite = graph.transitions.detach().isfinite()

    def encoder() -> None:
        with context():
            result = model.model.encode(inputs.expansion).last_hidden_state
        result.backward(torch.ones_like(result))

    def head() -> None:
        given = states.clone().requires_grad_()
        with context():
            log_probs = model.score(given).float().log_softmax(-1).transpose(1, 2)
            match = log_probs.gather(1, inputs.targets[:, :, None].expand(-1, -1, given.shape[1]))
        match.backward(torch.ones_like(match))

    def transitions() -> None:
        given = states.clone().requires_grad_()
        with context():
            result = transition_head(given, inputs.state_positions, inputs.state_mask)
        result.backward(finite.to(result.dtype))

    def alignment() -> None:
        scores = [values.detach().clone().requires_grad_() for values in (graph.match, graph.transitions)]
        log_likelihood(scores[0], scores[1], graph.target_length, graph.state_length).sum().backward()

    def optimize() -> None:
        for parameter, gradient in zip((p for p in model.parameters() if p.grad is not None), gradients, strict=True):
            parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    parts: dict[str, Step] = {
        "encoder": encoder,
        "head": head,
        "transitions": transitions,
        "alignment": alignment,
        "optimizer": optimize,
    }
    seconds = in_turn(parts, rounds)
    total = sum(seconds.values())
    return {"seconds": seconds, "shares": {name: round(value / total, 4) for name, value in seconds.items()}}

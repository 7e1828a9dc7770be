"""The dynamic program alone against the authors' code (the `dp_*` fixtures)."""

from __future__ import annotations

import pytest
import torch

from exlm_chem.modeling.alignment import best_path, log_likelihood
from tests.parity.reference import FIXTURES, load

NAMES = sorted(path.stem for path in FIXTURES.glob("dp_*.safetensors"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_dynamic_program_is_equal(name: str, dtype: torch.dtype) -> None:
    tensors, _ = load(name)
    out = "out64/" if dtype == torch.float64 else "out/"
    match = tensors["in/match"].to(dtype).requires_grad_()
    links = tensors["in/links"].to(dtype).requires_grad_()
    targets, states = tensors["in/target_length"], tensors["in/output_length"]
    feasible = tensors["out/feasible"]
    atol, rtol = (2e-5, 2e-7) if dtype == torch.float32 else (1e-11, 0.0)

    likelihood = log_likelihood(match, links, targets, states)
    torch.testing.assert_close(likelihood.detach(), tensors[f"{out}loglik"], atol=atol, rtol=rtol)
    assert torch.equal(likelihood.isfinite(), feasible)
    loss = -torch.where(feasible, likelihood / targets, 0.0).mean()
    torch.testing.assert_close(loss.detach(), tensors[f"{out}loss"][0], atol=atol, rtol=rtol)

    grad_match, grad_links = torch.autograd.grad(likelihood[feasible].sum(), [match, links])
    torch.testing.assert_close(grad_match, tensors[f"{out}grad_match"], atol=atol, rtol=0)
    torch.testing.assert_close(grad_links, tensors[f"{out}grad_links"], atol=atol, rtol=0)

    path, score = best_path(match.detach(), links.detach(), targets, states)
    torch.testing.assert_close(score[feasible], tensors[f"{out}best_score"][feasible], atol=atol, rtol=rtol)
    for row in feasible.nonzero()[:, 0]:
        ours = torch.full((match.shape[2],), -1)
        ours[path[row, : targets[row]]] = torch.arange(int(targets[row]))
        assert torch.equal(ours, tensors["out/best_path"][row])
    assert (path[~feasible] == -1).all()

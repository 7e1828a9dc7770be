"""Muon gives nearly the same in bfloat16, which torch multiplies, and in single precision."""

import pytest
import torch

from exlm_chem.training import muon


def trained(fast, monkeypatch, steps=20):
    """Three matrices after some steps towards a target, and the state of their optimizer."""
    monkeypatch.setattr(muon, "processor_multiplies_bfloat16", lambda: fast)
    draw = torch.Generator().manual_seed(0)
    matrices = [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((12, 12), (8, 24), (24, 8))]
    targets = [torch.randn(matrix.shape, generator=draw) for matrix in matrices]
    optimizer = muon.Muon(matrices, learning_rate=0.02, weight_decay=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        sum(((matrix - target) ** 2).sum() for matrix, target in zip(matrices, targets, strict=True)).backward()
        optimizer.step()
    return [matrix.detach() for matrix in matrices], optimizer.state_dict()


def test_single_precision_is_near_what_torch_gives(monkeypatch):
    (ours, state), (theirs, expected) = (trained(fast, monkeypatch) for fast in (False, True))
    (start, _) = trained(False, monkeypatch, steps=0)
    for one, other, first in zip(ours, theirs, start, strict=True):
        assert torch.norm(one - other) < 0.02 * torch.norm(other - first)
    assert state["param_groups"] == expected["param_groups"]
    assert [list(one) for one in state["state"].values()] == [list(one) for one in expected["state"].values()]


def test_the_same_arithmetic_is_the_same_to_the_bit(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # what torch multiplies in
    (ours, _), (theirs, _) = (trained(fast, monkeypatch) for fast in (False, True))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)


@pytest.mark.parametrize("shape", [(5, 5), (3, 40), (40, 3)])
def test_all_singular_values_come_near_one(shape):
    group = torch.optim.Muon([torch.nn.Parameter(torch.zeros(1, 1))]).param_groups[0]
    update = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 1e-3
    values = torch.linalg.svdvals(muon.direction(update, group))
    assert values.min() > 0.5
    assert values.max() < 1.5

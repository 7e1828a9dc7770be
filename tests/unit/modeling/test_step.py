"""What a training step may not do: wait for a device, or need memory for every head of the graph."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, prepare_inputs
from exlm_chem.modeling.dropout import Dropout, dropout
from exlm_chem.modeling.transitions import TransitionHead

CONFIG = ExLMConfig(vocab_size=30, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
# Operations whose result a program must wait for: on a GPU each of them stops the queue.
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "unique2", "is_nonzero", "equal"}


class Watch(TorchDispatchMode):
    """Notes waiting operations and the largest tensor that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[str] = []
        self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        indices = args[1] if name in ("index", "index_put", "index_put_") else ()
        if name in WAITING or any(i is not None and i.dtype == torch.bool for i in indices):
            self.waiting.append(name)
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, Tensor):
                self.largest = max(self.largest, tensor.numel())
        return result


def batch(rows: int, length: int, masks: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 30, (rows, length), generator=generator)
    ids[:, 0], ids[:, -1] = 0, 2
    labels = torch.full_like(ids, -100)
    for row in range(rows):
        hidden = torch.randperm(length - 2, generator=generator)[:masks] + 1
        labels[row, hidden], ids[row, hidden] = ids[row, hidden], 4
    ids[0, -3:], labels[0, -3:] = torch.tensor([2, 1, 1]), -100  # a shorter row
    labels[1], ids[1] = -100, torch.where(ids[1] == 4, 9, ids[1])  # and one without masks
    return ids, labels


@pytest.mark.parametrize("objective", ["exlm", "mlm"])
def test_nothing_in_a_step_waits_for_the_device(objective: str) -> None:
    config = ExLMConfig(**{**CONFIG.__dict__, "objective": objective, "molecule_objectives": {"descriptors": 3}})
    model = ExLMForMaskedLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    inputs = prepare_inputs(config, *batch(4, 20, 3))
    targets = {"descriptors": torch.randn(4, 3)}
    with Watch() as watch:
        output = model(inputs, targets)
        (output.loss + output.molecule_losses["descriptors"]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert watch.waiting == []
    with Watch() as watch:
        float(output.loss.detach())
    assert watch.waiting == ["_local_scalar_dense"]  # the watch sees what it should


def test_the_graph_never_holds_all_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exlm_chem.modeling.encoder.EXPLICIT_ATTENTION_LENGTH", 0)  # nor does the fused attention
    inputs = prepare_inputs(CONFIG, *batch(2, 100, 90))
    states = inputs.state_positions.shape[1]
    with Watch() as watch:
        ExLMForMaskedLM(CONFIG)(inputs).loss.backward()
    assert watch.largest == len(inputs.rows) * states**2
    assert watch.largest < len(inputs.rows) * states**2 * CONFIG.num_attention_heads


def plain_transitions(head: TransitionHead, features: Tensor, positions: Tensor, state_mask: Tensor) -> Tensor:
    """The transition matrix as the reference writes it, all heads at once."""
    states = torch.cat([features, head.pos_embeddings(positions + head.first_row)], -1)
    query, key = (w(states).unflatten(-1, (head.num_heads, -1)).transpose(1, 2) for w in (head.Wq, head.Wk))
    allowed = (state_mask[:, :, None] & state_mask[:, None, :]).triu(1)
    scores = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).masked_fill(~allowed[:, None], -1e30)
    gates = head.Wgate(states).log_softmax(-1).transpose(1, 2)[..., None]
    return (scores.log_softmax(-1) + gates).logsumexp(1).masked_fill(~allowed, -torch.inf)


@pytest.mark.parametrize("spread", [0.02, 3.0])  # the second one makes probabilities that underflow
def test_transitions_head_by_head_are_those_of_all_heads(spread: float) -> None:
    generator = torch.Generator().manual_seed(0)
    head = TransitionHead(CONFIG).double()
    for parameter in head.parameters():
        parameter.data = spread * torch.randn(parameter.shape, generator=generator, dtype=torch.double)
    features = torch.randn(3, 12, 32, generator=generator, dtype=torch.double, requires_grad=True)
    positions = torch.arange(12).expand(3, -1)
    state_mask = torch.arange(12) < torch.tensor([12, 8, 1])[:, None]
    results, gradients = [], []
    for function in (head, lambda *args: plain_transitions(head, *args)):
        matrix = function(features, positions, state_mask)
        weight = torch.arange(matrix.numel(), dtype=torch.double).reshape(matrix.shape).cos()
        total = (torch.where(matrix.isfinite(), matrix, 0.0) * weight).sum()
        results.append(matrix.detach())
        gradients.append(torch.autograd.grad(total, [features, *head.parameters()]))
    torch.testing.assert_close(results[0], results[1], atol=1e-10, rtol=1e-10)
    assert spread < 1 or results[0][results[0].isfinite()].min() < -300
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dropout_drops_and_scales(dtype: torch.dtype) -> None:
    values = torch.randn(301, 333, dtype=dtype, requires_grad=True)
    torch.manual_seed(4)
    dropped = dropout(values, 0.3)
    kept = dropped != 0
    assert abs((~kept).double().mean() - 0.3) < 0.01
    torch.testing.assert_close(
        dropped[kept], (values / 0.7)[kept], rtol=0.02 if dtype == torch.bfloat16 else 1e-4, atol=0
    )
    dropped.sum().backward()
    assert torch.equal(values.grad != 0, kept)
    assert values.grad[kept].unique().tolist() == pytest.approx([1 / 0.7], rel=0.01)
    torch.manual_seed(4)
    assert torch.equal(dropout(values, 0.3), dropped)
    assert torch.equal(Dropout(0.3).eval()(values), values)
    assert torch.equal(dropout(values, 0.0), values)

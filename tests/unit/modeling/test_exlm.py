"""The model classes as their users see them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from exlm_chem.errors import ExLMError
from exlm_chem.heads.property_head import ExLMForMoleculeProperty
from exlm_chem.modeling import ExLMConfig, ExLMForMaskedLM, ExLMModel, prepare_inputs
from exlm_chem.modeling.alignment import best_path, log_likelihood, path_entropy, sample_path
from exlm_chem.modeling.encoder import EXPLICIT_ATTENTION_LENGTH
from exlm_chem.modeling.property_loss import property_loss

CONFIG = ExLMConfig(
    vocab_size=30, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_positions=128
)
IDS = torch.tensor([[0, 9, 8, 7, 2, 1, 1], [0, 5, 4, 6, 10, 11, 2]])
LABELS = torch.full_like(IDS, -100).index_put(
    (torch.tensor([0, 1, 1]), torch.tensor([2, 2, 4])), torch.tensor([12, 13, 14])
)


@pytest.mark.parametrize("objective", ["exlm", "mlm"])
def test_saved_and_loaded_gives_equal_outputs(objective: str, tmp_path: Path) -> None:
    model = ExLMForMaskedLM(ExLMConfig(**{**CONFIG.__dict__, "objective": objective})).eval()
    model.save_pretrained(tmp_path)
    again = ExLMForMaskedLM.from_pretrained(tmp_path)
    assert again.config == model.config
    assert torch.equal(
        again(prepare_inputs(again.config, IDS, LABELS)).loss, model(prepare_inputs(model.config, IDS, LABELS)).loss
    )
    assert torch.equal(ExLMModel.from_pretrained(tmp_path).embed(IDS), model.model.embed(IDS))


def test_guided_counts_the_paths_through_own_states() -> None:
    model = ExLMForMaskedLM(CONFIG).eval()
    inputs = prepare_inputs(CONFIG, IDS, LABELS)
    with torch.inference_mode():
        graph, guided = model(inputs).graph, model(inputs, guided=True)
    k = CONFIG.num_states
    for row, length in enumerate(inputs.target_length.tolist()):
        own = [range(k * target, k * target + k) for target in range(length)]
        own[0], own[-1] = range(1), range(k * length - 1, k * length)
        scores = [
            sum(graph.match[row, target, state] for target, state in enumerate(path))
            + sum(graph.transitions[row, here, there] for here, there in itertools.pairwise(path))
            for path in itertools.product(*own)
        ]
        torch.testing.assert_close(guided.log_likelihood[row], torch.stack(scores).logsumexp(0))


def test_property_model_keeps_its_options(tmp_path: Path) -> None:
    model = ExLMForMoleculeProperty(CONFIG, num_properties=3, pooling="first", hidden=16, dropout=0.2).eval()
    model.head.label_mean += 5
    model.save_pretrained(tmp_path)
    again = ExLMForMoleculeProperty.from_pretrained(tmp_path)
    assert torch.equal(again(IDS), model(IDS))
    assert torch.equal(ExLMModel.from_pretrained(tmp_path).embed(IDS), model.model.embed(IDS))


def test_half_precision_weights_load_as_float32(tmp_path: Path) -> None:
    model = ExLMModel(CONFIG).eval()
    model.save_pretrained(tmp_path, dtype=torch.bfloat16)
    assert load_file(tmp_path / "model.safetensors")["encoder.final_norm.weight"].dtype == torch.bfloat16
    again = ExLMModel.from_pretrained(tmp_path)
    assert again.encoder.final_norm.weight.dtype == torch.float32
    torch.testing.assert_close(again.embed(IDS), model.embed(IDS), atol=0.05, rtol=0)


def test_broken_directories_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExLMError, match=r"config\.json is missing"):
        ExLMModel.from_pretrained(tmp_path)
    ExLMModel(CONFIG).save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ExLMError, match=r"model\.safetensors is broken"):
        ExLMModel.from_pretrained(tmp_path)
    tensors = {"encoder.final_norm.weight": torch.ones(3)}
    save_file(tensors, weights)
    with pytest.raises(ExLMError, match="lacks encoder"):
        ExLMModel.from_pretrained(tmp_path)
    weights.unlink()
    with pytest.raises(ExLMError, match=r"model\.safetensors is missing"):
        ExLMModel.from_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "model_type": "bert"}))
    with pytest.raises(ExLMError, match="does not describe an ExLM model"):
        ExLMModel.from_pretrained(tmp_path)
    config.write_text("{")
    with pytest.raises(ExLMError, match="is broken"):
        ExLMModel.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 30}, "hidden_size 30 must be a multiple"),
        ({"num_states": 0}, "num_states must be a whole number of 1 to 1,024, not 0"),
        ({"objective": "bert"}, "objective must be"),
        ({"max_positions": 3}, "max_positions 3 must be larger"),
    ],
)
def test_impossible_configurations_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ExLMError, match=message):
        ExLMConfig(**{**CONFIG.__dict__, **change})


def test_padding_never_changes_a_row() -> None:
    model = ExLMForMaskedLM(CONFIG).eval()
    alone = model(prepare_inputs(CONFIG, IDS[:1, :5], LABELS[:1, :5]))
    together = model(prepare_inputs(CONFIG, IDS, LABELS))
    torch.testing.assert_close(together.log_likelihood[:1], alone.log_likelihood, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.model.embed(IDS)[:1], model.model.embed(IDS[:1, :5]), atol=1e-6, rtol=0)


def test_fused_attention_equals_explicit_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ExLMModel(CONFIG).eval()
    explicit = model.embed(IDS)
    monkeypatch.setattr("exlm_chem.modeling.encoder.EXPLICIT_ATTENTION_LENGTH", 0)
    torch.testing.assert_close(model.embed(IDS), explicit, atol=1e-6, rtol=0)
    assert EXPLICIT_ATTENTION_LENGTH > 0


def test_transitions_are_probabilities_of_later_states() -> None:
    output = ExLMForMaskedLM(CONFIG).eval()(prepare_inputs(CONFIG, IDS, LABELS))
    chance = output.graph.transitions.exp()
    lengths = output.encoder.expansion.state_length
    for row, length in enumerate(lengths.tolist()):
        sums = chance[row].sum(1)
        torch.testing.assert_close(sums[: length - 1], torch.ones(length - 1))
        assert (sums[length - 1 :] == 0).all()
    assert (chance.tril() == 0).all()


def test_mean_pooling_leaves_special_tokens_out() -> None:
    model = ExLMModel(CONFIG).eval()
    output = model(IDS)
    plain = output.last_hidden_state[0][output.expansion.input_ids[0] > 2]
    torch.testing.assert_close(model.pool(output)[0], plain.mean(0))
    assert torch.equal(model.pool(output, "first"), output.last_hidden_state[:, 0])


def test_missing_labels_have_exactly_zero_gradient() -> None:
    nan = float("nan")
    for kind in ("classification", "regression"):
        outputs = torch.randn(3, 2, requires_grad=True)
        labels = torch.tensor([[1.0, nan], [nan, nan], [0.0, 1.0]])
        property_loss(outputs, labels, kind).backward()
        assert (outputs.grad[labels.isnan()] == 0).all()
        assert (outputs.grad[~labels.isnan()] != 0).all()
        nothing = torch.randn(2, 2, requires_grad=True)
        property_loss(nothing, torch.full((2, 2), nan), kind).backward()
        assert (nothing.grad == 0).all()


def test_rows_without_a_path_cost_nothing() -> None:
    model = ExLMForMaskedLM(CONFIG)
    ids = torch.tensor([[0, 9, 4, 2], [0, 9, 4, 8]])  # the second row does not end in a state
    labels = torch.tensor([[-100, -100, 12, -100], [-100, -100, 12, -100]])
    output = model(prepare_inputs(CONFIG, ids, labels))
    assert output.log_likelihood.isfinite().tolist() == [True, False]
    output.loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_a_row_that_ends_in_no_state_has_no_path_in_its_graph() -> None:
    model = ExLMForMaskedLM(CONFIG).eval()
    ids = torch.tensor([[0, 9, 4, 2], [0, 9, 4, 8]])
    labels = torch.where(ids == 4, 12, -100)
    output = model(prepare_inputs(CONFIG, ids, labels))
    graph = output.graph
    sizes = graph.target_length, graph.state_length
    path, score = best_path(graph.match, graph.transitions, *sizes)
    assert ((path >= 0).all(1) == torch.tensor([True, False])).all()
    assert score.isfinite().tolist() == [True, False]
    assert (sample_path(graph.match, graph.transitions, *sizes)[1] == -1).all()
    assert path_entropy(graph.match, graph.transitions, *sizes)[1] == 0
    torch.testing.assert_close(log_likelihood(graph.match, graph.transitions, *sizes), output.log_likelihood)


def test_rows_without_masks_do_not_count_in_the_loss() -> None:
    model = ExLMForMaskedLM(CONFIG).eval()
    alone, both = (model(prepare_inputs(CONFIG, IDS[rows], LABELS[rows])).loss for rows in ([1], [1, 1]))
    unmasked = torch.stack([IDS[1], torch.where(IDS[1] == 4, 9, IDS[1])])
    with_one_unmasked = model(prepare_inputs(CONFIG, unmasked, torch.stack([LABELS[1], LABELS[1] * 0 - 100]))).loss
    torch.testing.assert_close(both, alone)
    torch.testing.assert_close(with_one_unmasked, alone)
    nothing = model(prepare_inputs(CONFIG, unmasked[1:], LABELS[1:] * 0 - 100)).loss
    assert str(nothing.item()) == "0.0"


def test_reading_a_model_does_not_load_the_compiler(tiny_model: Path) -> None:
    """Which takes a second: as long as hundreds of molecules."""
    code = (
        "import sys; from exlm_chem.embedding.embedder import ExLM\n"
        f"ExLM.from_pretrained({str(tiny_model)!r}, 'cpu').embed(['CCO'])\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)

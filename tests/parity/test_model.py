"""Our model against the authors' code, number by number."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from exlm_chem.heads.property_head import ExLMForMoleculeProperty
from exlm_chem.modeling import ExLMForMaskedLM, ExLMModel
from exlm_chem.modeling.alignment import best_path
from exlm_chem.modeling.encoder import rotary_table, rotate
from exlm_chem.modeling.inputs import NOT_A_TARGET, prepare_inputs
from exlm_chem.modeling.outputs import MaskedLMOutput, StateGraph
from tests.parity.reference import (
    fill,
    load,
    our_config,
    our_expansion,
    our_name,
    our_weights,
    reorder_pairs,
    scatter_states,
)

CLEAN = ["k4_main", "k2_main", "k1_main", "k4_postnorm", "k4_masked_specials"]
GHOSTS = ["k4_ghost", "k4_block"]
DTYPES = [torch.float32, torch.float64]
TOLERANCE = {
    torch.float32: {"values": 2e-5, "likelihood": 2e-5, "loss": 2e-6, "gradients": 5e-6},
    torch.float64: {"values": 1e-11, "likelihood": 1e-11, "loss": 1e-11, "gradients": 1e-11},
}


@dataclass
class Case:
    """One fixture: its tensors, our model with its weights, and our output."""

    tensors: dict[str, Tensor]
    dtype: torch.dtype
    model: ExLMForMaskedLM
    output: MaskedLMOutput

    @property
    def graph(self) -> StateGraph:
        assert self.output.graph is not None
        return self.output.graph

    def expected(self, key: str) -> Tensor:
        """The authors' value in this precision."""
        suffix = "64" if self.dtype == torch.float64 else ""
        root, _, rest = key.partition("/")
        return self.tensors[f"{root}{suffix}/{rest}"]

    def close(self, ours: Tensor, key: str, kind: str = "values") -> None:
        """Compare; -inf must stand at the same places."""
        theirs = self.expected(key)
        rtol = 2e-7 if kind == "likelihood" and self.dtype == torch.float32 else 0.0
        torch.testing.assert_close(
            ours.detach(),
            theirs.view_as(ours),
            atol=TOLERANCE[self.dtype][kind],
            rtol=rtol,
            msg=lambda m: f"{key}: {m}",
        )


def run(name: str, dtype: torch.dtype) -> Case:
    """Run our model on a fixture; rows with ghosts are given the authors' expansion, which ours never makes."""
    tensors, config = load(name)
    model = ExLMForMaskedLM(our_config(config))
    fill(model, tensors, dtype)
    labels = tensors["in/target"].masked_fill(tensors["in/target"] == 1, NOT_A_TARGET)
    if name in GHOSTS:
        inputs = prepare_inputs(model.config, tensors["in/src_tokens"], labels, our_expansion(tensors))
    else:
        inputs = prepare_inputs(model.config, tensors["in/src_tokens"], labels)
    output = model(inputs)
    return Case(tensors, dtype, model, output)


@pytest.fixture(
    params=[(name, dtype) for name in CLEAN + GHOSTS for dtype in DTYPES], ids=lambda p: f"{p[0]}-{str(p[1])[6:]}"
)
def case(request: pytest.FixtureRequest) -> Case:
    return run(*request.param)


@pytest.mark.parametrize("name", CLEAN)
def test_expansion_is_equal(name: str) -> None:
    case = run(name, torch.float32)
    expansion, tensors = case.output.encoder.expansion, case.tensors
    assert torch.equal(expansion.input_ids, tensors["out/ext_src_tokens"])
    assert torch.equal(expansion.token_index, tensors["out/pos_dim1"])
    assert torch.equal(expansion.token_index, tensors["out/ext_index"])
    assert torch.equal(expansion.state_index, tensors["out/pos_dim2"])
    assert torch.equal(expansion.state_index > 0, tensors["out/is_ext_state"])
    assert torch.equal(expansion.length, tensors["out/output_length"])


def test_targets_are_equal(case: Case) -> None:
    assert torch.equal(case.graph.target_length, case.tensors["out/target_length"])
    assert torch.equal(case.graph.targets, case.tensors["out/targets"])


def test_values_are_equal(case: Case) -> None:
    output, expansion = case.output, case.output.encoder.expansion
    states = expansion.state_mask
    case.close(output.encoder.last_hidden_state, "out/features")
    if case.dtype == torch.float32:
        for layer, hidden in enumerate(output.encoder.hidden_states):
            case.close(hidden, f"out/hidden.{layer}")
    case.close(case.model.score(output.encoder.last_hidden_state), "out/logits")
    case.close(scatter_states(case.graph.transitions, expansion, (1, 2), -torch.inf), "out/links_square")
    theirs = expansion.gather_states(case.expected("out/match").transpose(1, 2)).transpose(1, 2)
    ours = case.graph.match.masked_fill(~states[:, None], 0.0)
    # In a row that ends in no state, nothing emits the last target for us: they refuse such a row later.
    lengths = case.graph.target_length - (~expansion.ends_in_state).long()
    real = torch.arange(ours.shape[1])[None] < lengths[:, None]
    gap = (ours - theirs.masked_fill(~states[:, None], 0.0)).abs()[real].max()
    assert gap <= TOLERANCE[case.dtype]["values"]
    case.close(output.log_likelihood, "out/loglik", "likelihood")
    case.close(output.loss, "out/loss", "loss")
    assert int((~output.log_likelihood.isfinite()).sum()) == int(case.tensors["out/invalid_nsentences"])


def test_weight_gradients_are_equal(case: Case) -> None:
    case.output.loss.backward()
    suffix = "grad64/" if case.dtype == torch.float64 else "grad/"
    theirs = our_weights(case.tensors, suffix, case.dtype, case.model.config.num_attention_heads)
    ours = {name: parameter.grad for name, parameter in case.model.named_parameters()}
    assert ours.keys() == theirs.keys()
    for name, gradient in theirs.items():
        torch.testing.assert_close(
            ours[name], gradient, atol=TOLERANCE[case.dtype]["gradients"], rtol=0.0, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("name", CLEAN + GHOSTS)
def test_activation_gradients_are_equal(name: str) -> None:
    case = run(name, torch.float32)
    output, expansion = case.output, case.output.encoder.expansion
    inner = [output.encoder.last_hidden_state, case.graph.transitions, output.logits, case.graph.match]
    features, links, logits, match = torch.autograd.grad(output.loss, inner)
    case.close(features, "grad_act/features", "gradients")
    case.close(scatter_states(links, expansion, (1, 2), 0.0), "grad_act/links", "gradients")
    case.close(scatter_states(logits, expansion, (1,), 0.0), "grad_act/logits", "gradients")
    case.close(scatter_states(match, expansion, (2,), 0.0), "grad_act/match", "gradients")


def test_best_paths_are_equal(case: Case) -> None:
    output, expansion = case.output, case.output.encoder.expansion
    path, _ = best_path(case.graph.match, case.graph.transitions, case.graph.target_length, expansion.state_length)
    for row in range(len(path)):
        if not output.log_likelihood[row].isfinite():
            continue
        ours = torch.full((expansion.input_ids.shape[1],), -1)
        for target in range(int(case.graph.target_length[row])):
            ours[expansion.state_positions[row, path[row, target]]] = target
        assert torch.equal(ours, case.tensors["out/best_path"][row])


@pytest.mark.parametrize("name", [*CLEAN, *GHOSTS, "k4_nomask", "mlm_baseline"])
def test_rotation_is_equal(name: str) -> None:
    tensors, config = load(name)
    cos, sin = rotary_table(our_config(config), tensors["out/pos_dim1"], tensors["out/pos_dim2"], torch.float32)
    for which in "qk":
        before, theirs = (
            reorder_pairs(tensors[f"out/layer0.{which}_{when}"].unflatten(0, (len(cos), -1)).transpose(1, 2), 1, -1)
            for when in ("before_rot", "rot")
        )
        torch.testing.assert_close(rotate(before, cos, sin), theirs, atol=2e-6, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["k4_nomask", "k4_mask_not_expanded"])
def test_inference_is_equal(name: str, dtype: torch.dtype) -> None:
    tensors, config = load(name)
    model = ExLMForMaskedLM(our_config(config))
    fill(model, tensors, dtype)
    encoder = model.model(tensors["in/src_tokens"])
    expansion = encoder.expansion
    states = expansion.gather_states(encoder.last_hidden_state)
    links = model.transitions(states, expansion.state_positions, expansion.state_mask)
    out = "out64" if dtype == torch.float64 else "out"
    assert torch.equal(expansion.input_ids, tensors["out/ext_src_tokens"])
    assert torch.equal(expansion.state_index, tensors["out/pos_dim2"])
    for ours, key in (
        (encoder.last_hidden_state, "features"),
        (model.score(encoder.last_hidden_state), "logits"),
        (scatter_states(links, expansion, (1, 2), -torch.inf), "links"),
    ):
        torch.testing.assert_close(ours.detach(), tensors[f"{out}/{key}"], atol=TOLERANCE[dtype]["values"], rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_classification_head_is_equal(dtype: torch.dtype) -> None:
    tensors, config = load("k4_nomask")
    model = ExLMForMoleculeProperty(our_config(config), num_properties=3, pooling="first", hidden=32)
    weights = our_weights(tensors, "w/", dtype, 4)
    model.to(dtype)
    model.load_state_dict({**model.state_dict(), **{n: w for n, w in weights.items() if n.startswith("model.")}})
    head = "classification_heads.sentence_classification_head."
    for part in ("dense", "out_proj"):
        for kind in ("weight", "bias"):
            getattr(getattr(model.head, part), kind).data = tensors[f"w/{head}{part}.{kind}"].to(dtype)
    logits = model(tensors["in/src_tokens"])
    loss = F.cross_entropy(logits, tensors["in/cls_labels"], reduction="sum")
    loss.backward()
    out, grad = ("out64/", "grad64/") if dtype == torch.float64 else ("out/", "grad/")
    torch.testing.assert_close(logits.detach(), tensors[f"{out}cls_logits"], atol=TOLERANCE[dtype]["values"], rtol=0)
    torch.testing.assert_close(
        loss.detach(), tensors[f"{out}cls_loss_sum"][0], atol=TOLERANCE[dtype]["loss"] * 4, rtol=0
    )
    expected = our_weights(tensors, grad, dtype, 4)
    ours = {name: p.grad for name, p in model.model.named_parameters(prefix="model")}
    assert ours.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(ours[name], gradient, atol=TOLERANCE[dtype]["gradients"], rtol=0)
    for part in ("dense", "out_proj"):
        theirs = tensors[f"{grad}{head}{part}.weight"]
        torch.testing.assert_close(
            getattr(model.head, part).weight.grad, theirs, atol=TOLERANCE[dtype]["gradients"], rtol=0
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_mlm_is_equal(dtype: torch.dtype) -> None:
    tensors, config = load("mlm_baseline")
    model = ExLMForMaskedLM(our_config(config))
    fill(model, tensors, dtype)
    labels = tensors["in/target"].masked_fill(tensors["in/target"] == 1, NOT_A_TARGET)
    output = model(prepare_inputs(model.config, tensors["in/src_tokens"], labels))
    out, grad = ("out64/", "grad64/") if dtype == torch.float64 else ("out/", "grad/")
    features = output.encoder.last_hidden_state
    torch.testing.assert_close(features.detach(), tensors[f"{out}features"], atol=TOLERANCE[dtype]["values"], rtol=0)
    torch.testing.assert_close(
        model.score(features).detach(), tensors[f"{out}logits_all"], atol=TOLERANCE[dtype]["values"], rtol=0
    )
    assert int(output.num_targets) == int(tensors["out/sample_size"])
    total = output.loss * output.num_targets
    total.backward()
    atol = 2e-5 if dtype == torch.float32 else 1e-11
    torch.testing.assert_close(total.detach(), tensors[f"{out}loss_sum"][0], atol=atol, rtol=0)
    for name, gradient in our_weights(tensors, grad, dtype, 4).items():
        ours = model.get_parameter(name).grad
        torch.testing.assert_close(ours, gradient, atol=atol, rtol=0, msg=lambda m, n=name: f"{n}: {m}")


def test_weight_names_map_one_to_one() -> None:
    tensors, config = load("k4_main")
    model = ExLMForMaskedLM(our_config(config))
    assert our_weights(tensors, "w/", torch.float32, 4).keys() == dict(model.named_parameters()).keys()
    assert our_name("encoder.sentence_encoder.layers.1.fc1.bias") == "model.encoder.layers.1.Wi.bias"
    assert isinstance(model.model, ExLMModel)

import logging
import subprocess
import sys
from typing import get_args

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from exlm_chem.embedding.backends import onnx_backend, registry
from exlm_chem.embedding.backends.onnx_backend import OnnxBackend
from exlm_chem.embedding.backends.registry import best_backend
from exlm_chem.embedding.backends.torch_backend import TorchBackend
from exlm_chem.embedding.embedder import ExLM
from exlm_chem.embedding.token_vectors import token_vectors
from exlm_chem.errors import ExLMError
from exlm_chem.modeling import ExLMConfig, ExLMModel
from exlm_chem.terms import Pooling

MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "C", "[Na+].[Cl-]", "C[C@H](N)C(=O)O", "c1ccc2c(c1)ccc1ccccc12"]
ROWS = np.array([[0, 5, 6, 7, 8, 2], [0, 9, 2, 1, 1, 1], [0, 2, 1, 1, 1, 1], [0, 4, 3, 10, 2, 1]])


def cosines(ours, theirs):
    return (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)


@pytest.mark.parametrize(
    "changes", [{}, {"objective": "mlm"}, {"norm_first": False}, {"num_states": 1}, {"second_position": False}]
)
def test_onnx_gives_what_torch_gives(changes):
    config = ExLMConfig(
        vocab_size=20, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, initializer_range=0.3, **changes
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ExLMModel(config)
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    onnx, plain = OnnxBackend(config, weights), TorchBackend(model, "cpu")
    for pooling in get_args(Pooling):
        expected = plain.encode(ROWS, pooling)
        size = float(np.abs(expected).max()) if pooling == "mean+middle" else 1.0  # the middle layer is not normed
        near = 1e-5 * max(1.0, size)
        np.testing.assert_allclose(onnx.encode(ROWS, pooling), expected, atol=near)
        np.testing.assert_allclose(onnx.encode(ROWS[1:2, :3], pooling), plain.encode(ROWS[1:2], pooling), atol=near)


@pytest.mark.parametrize(("backend", "precision", "least"), [("torch", "bf16", 0.999), ("onnx", "int8", 0.99)])
def test_lower_precision_is_near(tiny_model, backend, precision, least):
    exact = ExLM.from_pretrained(tiny_model, "cpu")
    coarse = ExLM.from_pretrained(tiny_model, "cpu", backend, precision)
    found = coarse.embed(MOLECULES)
    assert found.dtype == np.float32
    assert cosines(found, exact.embed(MOLECULES)).min() > least
    assert coarse.fingerprint == exact.fingerprint
    assert np.abs(found - exact.embed(MOLECULES)).max() > 0


def test_int8_leaves_the_callers_logging_alone(tiny_model, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root.manager, "disable", logging.ERROR)
    ExLM.from_pretrained(tiny_model, "cpu", "onnx", "int8")
    assert (logging.root.handlers, logging.root.manager.disable) == ([], logging.ERROR)


@pytest.mark.parametrize(("vnni", "dtype"), [(True, "int8"), (False, "uint8"), (None, "uint8")])
def test_int8_weights_are_signed_only_where_their_sums_are_exact(tiny_model, monkeypatch, vnni, dtype):
    graphs = []
    monkeypatch.setattr(onnx_backend, "instructions", lambda: {"vnni": vnni})
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda graph, *_, **__: graphs.append(graph))
    ExLM.from_pretrained(tiny_model, "cpu", "onnx", "int8")
    graph = onnx.load_from_string(graphs[0]).graph
    multiplied = {node.input[1] for node in graph.node if node.op_type == "MatMulInteger"}
    weights = [onnx.numpy_helper.to_array(one) for one in graph.initializer if one.name in multiplied]
    assert {str(one.dtype) for one in weights} == {dtype}


@pytest.mark.parametrize(
    ("device", "backend", "precision", "message"),
    [
        ("cpu", "onnx", "bf16", "needs --backend torch"),
        ("cpu", "torch", "int8", "needs --backend onnx"),
        ("cuda", "onnx", "fp32", "give --device cpu"),
        ("cpu", "tensorflow", "fp32", "no backend 'tensorflow'; choose auto, torch or onnx"),
    ],
)
def test_what_does_not_exist_is_one_sentence(tiny_model, device, backend, precision, message):
    with pytest.raises(ExLMError, match=message):
        ExLM.from_pretrained(tiny_model, device, backend, precision)


def test_what_looks_inside_loads_torch(tiny_model):
    inside = ExLM.from_pretrained(tiny_model, "cpu", "onnx").model
    found = TorchBackend(inside, "cpu").encode(ROWS, "mean")
    np.testing.assert_array_equal(found, ExLM.from_pretrained(tiny_model, "cpu", "torch").backend.encode(ROWS, "mean"))
    assert not inside.training


def test_inner_layers_and_tokens_are_those_of_torch(tiny_model):
    onnx, plain = (ExLM.from_pretrained(tiny_model, "cpu", backend) for backend in ("onnx", "torch"))
    np.testing.assert_array_equal(onnx.embed(MOLECULES, layer=-2), plain.embed(MOLECULES, layer=-2))
    np.testing.assert_allclose(onnx.embed(MOLECULES, layer=2), plain.embed(MOLECULES), atol=1e-5)
    for ours, theirs in zip(token_vectors(onnx, MOLECULES), token_vectors(plain, MOLECULES), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_backend_that_starts_soonest(monkeypatch):
    monkeypatch.setattr(registry, "GPU_FILES", ())
    monkeypatch.setattr(registry.sys, "platform", "linux")
    assert best_backend() == best_backend("cpu") == "onnx"
    assert best_backend("cuda") == best_backend(precision="bf16") == best_backend(precision="auto") == "torch"
    monkeypatch.setattr(registry, "GPU_FILES", ("/dev/null",))
    assert (best_backend(), best_backend("cpu")) == ("torch", "onnx")
    for absent in ("torch", "onnxruntime"):  # the second in addition to the first
        monkeypatch.setitem(sys.modules, absent, None)
        assert best_backend("cpu") == ("onnx" if absent == "torch" else "torch")


def test_inner_layers_without_torch_are_one_sentence(tiny_model):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from exlm_chem import ExLM\n"
        "from exlm_chem.embedding.token_vectors import token_vectors\n"
        "from exlm_chem.errors import ExLMError\n"
        f"encoder = ExLM.from_pretrained({str(tiny_model)!r})\n"
        "print(encoder.embed('CCO', layer=2).shape)\n"
        "for look in (lambda: encoder.embed('CCO', layer=1), lambda: token_vectors(encoder, 'CCO')):\n"
        "    try:\n"
        "        look()\n"
        "    except ExLMError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = "computed by torch, which is not installed; run: pip install 'exlm-chem[torch]'"
    last, *refused = done.stdout.splitlines()
    assert last == "(1, 64)"  # the number of the last layer is the last layer
    assert [line.partition("are ")[2] for line in refused] == [told, told]


def test_onnx_predicts_where_there_is_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from exlm_chem import Predictor\n"
        "print(Predictor.from_pretrained('bbbp', backend='onnx').predict(['CCO'])['bbbp'][0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    from exlm_chem import Predictor

    assert float(done.stdout) == pytest.approx(
        Predictor.from_pretrained("bbbp", "cpu").predict(["CCO"])["bbbp"][0], abs=1e-4
    )

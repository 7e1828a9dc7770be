"""The encoder and its pooling as an ONNX graph, made from the weights alone: torch is not needed for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from exlm_chem.modeling.configuration import ExLMConfig
from exlm_chem.terms import Pooling

if TYPE_CHECKING:  # only needed where a graph is made
    import onnx

OPSET: Final = 20
"""The first one that has Gelu."""

INPUT: Final = "input_ids"
OUTPUTS: Final = get_args(Pooling)
"""One for each pooling."""


def encoder_graph(config: ExLMConfig, weights: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """Write the encoder as an ONNX graph.

    Parameters
    ----------
    config : ExLMConfig
        Of the model.
    weights : mapping of str to array
        Of an `ExLMModel`, by their names.

    Returns
    -------
    onnx.ModelProto
        From ``input_ids``, int64 of shape (B, T), every row ``<s> ... </s>`` and padded on the right, to an output for
        each pooling, float32 of shape (B, `ExLMConfig.vector_width`): the same numbers as
        `ExLMModel.embed` gives.

    Examples
    --------
    >>> from exlm_chem.modeling import ExLMModel
    >>> config = ExLMConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    >>> weights = {name: value.numpy() for name, value in ExLMModel(config).state_dict().items()}
    >>> [output.name for output in encoder_graph(config, weights).graph.output]
    ['mean', 'mean+middle', 'mean+max', 'first', 'states']
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    encoder = _Encoder(graph, config, weights)
    places = _Places(graph, config)
    layers = [encoder.embedded(places)]
    for number in range(config.num_hidden_layers):
        layers.append(encoder.layer(f"encoder.layers.{number}.", layers[-1], places))
    features = encoder.norm("encoder.final_norm", layers[-1])
    graph.node("Gather", features, graph.number(0), axis=1, output="first")
    mean = places.mean(features, output="mean")
    middle = places.mean(layers[config.num_hidden_layers // 2])
    graph.node("Concat", mean, middle, axis=1, output="mean+middle")
    graph.node("Concat", mean, places.largest(features), axis=1, output="mean+max")
    states = config.vector_width("states")
    first = graph.node("Slice", features, graph.shape(0), graph.shape(states // config.hidden_size), graph.shape(1))
    graph.node("Reshape", first, graph.shape(0, states), output="states")
    made = helper.make_graph(
        graph.nodes,
        "exlm",
        [helper.make_tensor_value_info(INPUT, TensorProto.INT64, ["molecules", "tokens"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["molecules", config.vector_width(name)])
            for name in OUTPUTS
        ],
        graph.tensors,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


class _Graph:
    """Nodes and constants as they are added; a value is named by what makes it."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self._numbers: dict[tuple[Any, str], str] = {}

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node and give the name of its output."""
        from onnx import helper

        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def array(self, values: NDArray[Any], name: str = "") -> str:
        """Add a constant."""
        from onnx import numpy_helper

        name = name or f"constant_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.require(values, requirements="C"), name))
        return name

    def number(self, value: float, kind: str = "int64") -> str:
        """Add one number, once."""
        if (value, kind) not in self._numbers:
            self._numbers[value, kind] = self.array(np.array(value, kind))
        return self._numbers[value, kind]

    def shape(self, *sizes: int) -> str:
        """Add a shape, or axes."""
        return self.array(np.array(sizes, np.int64))


class _Places:
    """Where every position of the expanded sequences comes from: what `expand_tokens` does, for rows without masks.

    Position j of a row of n tokens is a state of ``<s>`` for j < k, then a token each, then the states of ``</s>``.
    """

    def __init__(self, graph: _Graph, config: ExLMConfig) -> None:
        self._graph = graph
        node, number = graph.node, graph.number
        more = config.num_states - 1 if config.objective == "exlm" else 0
        real = node("Cast", node("Not", node("Equal", INPUT, number(config.pad_token_id))), to=7)
        tokens = node("ReduceSum", real, graph.shape(1), keepdims=1)
        length = node("Add", tokens, number(2 * more))
        column = node("Range", number(0), node("ReduceMax", length, keepdims=0), number(1))
        last = node("Sub", tokens, number(1))
        shifted = node("Sub", column, number(more))
        index = node("Min", node("Max", shifted, number(0)), last)
        self.padding = node("Not", node("Less", column, length))
        self.ids = node("GatherElements", INPUT, index, axis=1)
        ends = node("Equal", self.ids, number(config.bos_token_id))
        ends = node("Or", ends, node("Equal", self.ids, number(config.eos_token_id)))
        state = node("Mul", index, number(0))
        if config.objective == "exlm" and config.second_position:
            # of </s>, its states are counted from where it begins
            begun = node("Where", node("Equal", index, number(0)), column, node("Sub", shifted, last))
            state = node("Where", ends, node("Add", begun, number(1)), state)
        self.positions = index, state
        self._aside = node("Or", ends, self.padding)
        self._weight = node("Cast", node("Not", self._aside), to=1)
        nothing = node("Cast", node("Mul", index, number(0)), to=1)
        bias = node("Where", self.padding, number(-np.inf, "float32"), nothing)
        self.bias = node("Unsqueeze", bias, graph.shape(1, 2))

    def mean(self, features: str, output: str = "") -> str:
        """Take the mean over the tokens that are not special."""
        node, graph = self._graph.node, self._graph
        total = node("MatMul", node("Unsqueeze", self._weight, graph.shape(1)), features)
        count = node("ReduceSum", self._weight, graph.shape(1), keepdims=1)
        count = node("Max", count, graph.number(1, "float32"))
        return node("Div", node("Squeeze", total, graph.shape(1)), count, output=output)

    def largest(self, features: str) -> str:
        """Take the largest of each number over the tokens that are not special; 0 where there are none."""
        node, graph = self._graph.node, self._graph
        lowest = graph.number(-np.inf, "float32")
        inside = node("Where", node("Unsqueeze", self._aside, graph.shape(2)), lowest, features)
        found = node("ReduceMax", inside, graph.shape(1), keepdims=0)
        return node("Where", node("Equal", found, lowest), graph.number(0.0, "float32"), found)


class _Encoder:
    """The layers; see `exlm_chem.modeling.encoder`, whose names these are."""

    def __init__(self, graph: _Graph, config: ExLMConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        self._graph, self._config = graph, config
        self._weights = weights
        self._size = config.hidden_size // config.num_attention_heads
        self._rotation: tuple[str, str] = ("", "")

    def _weight(self, name: str, *, transposed: bool = False) -> str:
        values = self._weights[name].astype(np.float32)
        return self._graph.array(values.T if transposed else values, name)

    def embedded(self, places: _Places) -> str:
        """Look the tokens up; and make the cosines and sines of their positions (p, s)."""
        node = self._graph.node
        axis = self._size // 2
        frequency = (1.0 / 10000 ** (np.arange(0, axis, 2, dtype=np.float32) / np.float32(axis))).astype(np.float32)
        turns = self._graph.array(frequency)
        angles = [
            node("Mul", node("Unsqueeze", node("Cast", index, to=1), self._graph.shape(1, 3)), turns)
            for index in places.positions
        ]
        angle = node("Concat", *angles, axis=-1)
        cos, sin = node("Cos", angle), node("Sin", angle)
        self._rotation = node("Concat", cos, cos, axis=-1), node("Concat", node("Neg", sin), sin, axis=-1)
        looked_up = node("Gather", self._weight("encoder.tok_embeddings.weight"), places.ids, axis=0)
        padding = node("Unsqueeze", places.padding, self._graph.shape(2))
        return node("Where", padding, self._graph.number(0.0, "float32"), looked_up)

    def layer(self, name: str, hidden: str, places: _Places) -> str:
        """Attention and feed-forward, with layer norms before or after each."""
        node = self._graph.node
        if self._config.norm_first:
            attended = self._attention(name, self.norm(f"{name}attn_norm", hidden), places)
            hidden = node("Add", hidden, attended)
            return node("Add", hidden, self._mlp(name, self.norm(f"{name}mlp_norm", hidden)))
        hidden = self.norm(f"{name}attn_norm", node("Add", hidden, self._attention(name, hidden, places)))
        return self.norm(f"{name}mlp_norm", node("Add", hidden, self._mlp(name, hidden)))

    def norm(self, name: str, hidden: str) -> str:
        """Layer norm."""
        weights = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._graph.node("LayerNormalization", hidden, *weights, axis=-1, epsilon=self._config.layer_norm_eps)

    def _linear(self, name: str, hidden: str) -> str:
        product = self._graph.node("MatMul", hidden, self._weight(f"{name}.weight", transposed=True))
        return self._graph.node("Add", product, self._weight(f"{name}.bias"))

    def _mlp(self, name: str, hidden: str) -> str:
        return self._linear(f"{name}Wo", self._graph.node("Gelu", self._linear(f"{name}Wi", hidden)))

    def _attention(self, name: str, hidden: str, places: _Places) -> str:
        graph, node = self._graph, self._graph.node
        heads = graph.shape(0, 0, 3, self._config.num_attention_heads, self._size)
        parts = node(
            "Transpose", node("Reshape", self._linear(f"{name}attn.Wqkv", hidden), heads), perm=[2, 0, 3, 1, 4]
        )
        query, key, value = (node("Gather", parts, graph.number(part), axis=0) for part in range(3))
        query, key = self._rotated(query), self._rotated(key)
        scores = node("MatMul", query, node("Transpose", key, perm=[0, 1, 3, 2]))
        scores = node("Add", node("Mul", scores, graph.number(self._size**-0.5, "float32")), places.bias)
        context = node("Transpose", node("MatMul", node("Softmax", scores, axis=-1), value), perm=[0, 2, 1, 3])
        return self._linear(f"{name}attn.Wo", node("Reshape", context, graph.shape(0, 0, self._config.hidden_size)))

    def _rotated(self, values: str) -> str:
        graph, node = self._graph, self._graph.node
        cos, sin = self._rotation
        half = self._size // 2
        first = node("Slice", values, graph.shape(0), graph.shape(half), graph.shape(3))
        second = node("Slice", values, graph.shape(half), graph.shape(self._size), graph.shape(3))
        swapped = node("Concat", second, first, axis=-1)
        return node("Add", node("Mul", values, cos), node("Mul", swapped, sin))

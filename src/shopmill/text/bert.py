"""A BERT encoder as an ONNX graph, built straight from its safetensors weights, without torch.

Uses ONNX Runtime's fused operators. There is no attention mask: the encoder only runs texts of equal length together,
so nothing is ever padded. LayerNormalization stands alone on purpose: on CPU it is six times as fast as the fused
SkipLayerNormalization (see docs/text.md).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

FUSED = "com.microsoft"
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]

Array = npt.NDArray[np.float32]


class _Graph:
    """Nodes and weights in the order in which they are added; names number themselves."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, value: Array) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=np.float32), name))
        return name

    def node(self, op: str, inputs: Sequence[str], domain: str = "", outputs: int = 1, **attributes: Any) -> str:
        names = [f"n{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, domain=domain, **attributes))
        return names[0]


def bert_graph(weights: Mapping[str, Array], config: Mapping[str, Any]) -> onnx.ModelProto:
    """Build the graph: `input_ids` int32 [texts, tokens] -> `last_hidden_state` float32 [texts, tokens, hidden].

    `config` is the model's config.json (layers, heads, epsilon). The model must use exact GELU and absolute positions.
    """
    graph = _Graph()
    epsilon = float(config["layer_norm_eps"])
    hidden = _embeddings(graph, weights, epsilon)
    for layer in range(config["num_hidden_layers"]):
        part = {k.removeprefix(f"encoder.layer.{layer}."): v for k, v in weights.items()}
        hidden = _layer(graph, part, hidden, config["num_attention_heads"], epsilon)
    graph.nodes[-1].output[0] = "last_hidden_state"
    return _model(graph, config["hidden_size"])


def _embeddings(graph: _Graph, weights: Mapping[str, Array], epsilon: float) -> str:
    """Word, position and (always the first) segment embedding, normalised."""
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    words = graph.weight(weights["embeddings.word_embeddings.weight"])
    scale, shift = _scale_and_shift(graph, weights, "embeddings.LayerNorm")
    inputs = ["input_ids", "", words, graph.weight(positions), "", scale, shift]
    return graph.node("EmbedLayerNormalization", inputs, FUSED, outputs=2, epsilon=epsilon)


def _layer(graph: _Graph, w: Mapping[str, Array], hidden: str, heads: int, epsilon: float) -> str:
    """Self-attention and feed-forward, each added to its input and normalised."""
    names = ("query", "key", "value")
    matrix = np.concatenate([w[f"attention.self.{n}.weight"].T for n in names], axis=1)
    bias = np.concatenate([w[f"attention.self.{n}.bias"] for n in names])
    seen = graph.node("Attention", [hidden, graph.weight(matrix), graph.weight(bias)], FUSED, num_heads=heads)
    seen = _dense(graph, w, "attention.output.dense", seen)
    hidden = _add_and_normalise(
        graph, (seen, hidden), _scale_and_shift(graph, w, "attention.output.LayerNorm"), epsilon
    )
    wide = graph.node("MatMul", [hidden, graph.weight(w["intermediate.dense.weight"].T)])
    wide = graph.node("BiasGelu", [wide, graph.weight(w["intermediate.dense.bias"])], FUSED)
    out = _dense(graph, w, "output.dense", wide)
    return _add_and_normalise(graph, (out, hidden), _scale_and_shift(graph, w, "output.LayerNorm"), epsilon)


def _dense(graph: _Graph, w: Mapping[str, Array], name: str, inputs: str) -> str:
    product = graph.node("MatMul", [inputs, graph.weight(w[f"{name}.weight"].T)])
    return graph.node("Add", [product, graph.weight(w[f"{name}.bias"])])


def _add_and_normalise(graph: _Graph, terms: tuple[str, str], affine: tuple[str, str], epsilon: float) -> str:
    return graph.node("LayerNormalization", [graph.node("Add", terms), *affine], epsilon=epsilon)


def _scale_and_shift(graph: _Graph, weights: Mapping[str, Array], name: str) -> tuple[str, str]:
    return graph.weight(weights[f"{name}.weight"]), graph.weight(weights[f"{name}.bias"])


def _model(graph: _Graph, width: int) -> onnx.ModelProto:
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["texts", "tokens"])
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", width])
    body = helper.make_graph(graph.nodes, "bert", [ids], [out], graph.weights)
    return helper.make_model(body, opset_imports=OPSETS, ir_version=8)

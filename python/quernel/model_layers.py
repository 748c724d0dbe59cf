# SPDX-License-Identifier: Apache-2.0
"""The convolutions and products of an ONNX model with their sizes. ONNX Runtime runs the model once
and tells the shapes: whatever it can run is understood."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator
from typing import Any

import onnx

from .model_inputs import Unknown, line, zeros

# Where layers have their input and their weights.
OPERANDS = {
    "Conv": (0, 1),
    "ConvInteger": (0, 1),
    "QLinearConv": (0, 3),
    "ConvTranspose": (0, 1),
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "QLinearMatMul": (0, 3),
    "QGemm": (0, 3),
}
# Activations in the words of the lists; any Clip is one with two bounds.
ACTIVATIONS = {
    "Relu": "relu",
    "Clip": "relu6",
    "LeakyRelu": "leaky",
    "PRelu": "prelu",
    "HardSwish": "hswish",
    "Gelu": "gelu",
}
# What may stand between a layer and its activation.
PASSED = ("QuantizeLinear", "DequantizeLinear", "BatchNormalization")


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution or product. x, w, y: shapes of input, weights, result; w as the file has it."""

    node: str
    op: str
    output: str
    x: tuple[int, ...]
    w: tuple[int, ...]
    y: tuple[int, ...]
    attributes: dict[str, Any]
    activation: str = "none"
    sum: str = ""  # of a MatMul: what an Add behind it makes, with which it may become a Gemm

    @property
    def macs(self) -> int:
        """Multiply-adds of a run."""
        if self.op == "ConvTranspose":
            return math.prod(self.x) * math.prod(self.w[1:])
        if "Conv" in self.op:
            return math.prod(self.y) * math.prod(self.w[1:])
        return math.prod(self.y) * self.k

    @property
    def k(self) -> int:
        """Of a product: the dimension that is summed."""
        return self.x[-2 if self.attributes.get("transA") else -1]


def load(model: Any) -> onnx.ModelProto:
    """A path, bytes or an onnx.ModelProto as the last."""
    if isinstance(model, onnx.ModelProto):
        return model
    try:
        if isinstance(model, bytes):
            return onnx.load_model_from_string(model)
        return onnx.load(os.fspath(model))
    except Exception as problem:  # protobuf's exceptions have no base of their own
        what = "model" if isinstance(model, bytes) else os.fspath(model)
        raise Unknown(f"{what}: cannot be read: {line(problem)}") from problem


def _runner(model: onnx.ModelProto) -> Any:
    """A session of ONNX Runtime that changes nothing and says nothing."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as problem:
        raise Unknown(f"model: ONNX Runtime refuses it: {line(problem)}") from problem


def tensor_shapes(
    model: onnx.ModelProto, names: list[str], shapes: dict[str, tuple]
) -> dict[str, tuple[int, ...]]:
    """Shapes of tensors in a run: each gets a Shape node, whose result is tiny, as an output."""
    asking = onnx.ModelProto()
    asking.CopyFrom(model)
    del asking.graph.output[:]
    told = {}
    for at, name in enumerate(dict.fromkeys(names)):
        told[f"quernel_shape_{at}"] = name
        asking.graph.node.append(onnx.helper.make_node("Shape", [name], [f"quernel_shape_{at}"]))
        asking.graph.output.append(
            onnx.helper.make_tensor_value_info(
                f"quernel_shape_{at}", onnx.TensorProto.INT64, [None]
            )
        )
    session = _runner(asking)
    try:
        values = session.run(list(told), zeros(session.get_inputs(), shapes))
    except Unknown:
        raise
    except Exception as problem:
        raise Unknown(f"model: ONNX Runtime does not run it: {line(problem)}") from problem
    return {
        name: tuple(int(n) for n in value)
        for name, value in zip(told.values(), values, strict=True)
    }


def _activation(node: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]]) -> str:
    """What follows a layer, in the words of the lists."""
    value = node.output[0]
    while len(readers.get(value, [])) == 1 and readers[value][0].op_type in PASSED:
        value = readers[value][0].output[0]
    after = readers.get(value, [])
    ops = sorted(one.op_type for one in after)
    if ops in (["Mul", "Sigmoid"], ["HardSigmoid", "Mul"]):
        return "silu" if "Sigmoid" in ops else "hswish"
    if len(after) != 1:
        return "none"
    return ACTIVATIONS.get(after[0].op_type, "none")


def _sum(node: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]]) -> str:
    after = readers.get(node.output[0], [])
    adds = node.op_type == "MatMul" and len(after) == 1 and after[0].op_type == "Add"
    return after[0].output[0] if adds else ""


def layers(model: onnx.ModelProto, shapes: dict[str, tuple] | None = None) -> list[Layer]:
    """The layers of a model, in its order. shapes: of the inputs whose shape it leaves open."""
    graph = model.graph
    if any(node.op_type == "EPContext" for node in graph.node):
        raise Unknown("model: a context file does not show its layers")
    found = [node for node in graph.node if node.op_type in OPERANDS]
    if not found:
        return []
    operands = [[node.input[at] for at in OPERANDS[node.op_type]] for node in found]
    names = [
        name for pair, node in zip(operands, found, strict=True) for name in (*pair, node.output[0])
    ]
    size = tensor_shapes(model, names, shapes or {})
    return list(_layers(graph, found, operands, size))


def _layers(
    graph: onnx.GraphProto,
    found: list[onnx.NodeProto],
    operands: list[list[str]],
    size: dict[str, tuple[int, ...]],
) -> Iterator[Layer]:
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node, (x, w) in zip(found, operands, strict=True):
        yield Layer(
            node.name or node.output[0],
            node.op_type,
            node.output[0],
            size[x],
            size[w],
            size[node.output[0]],
            {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
            _activation(node, readers),
            _sum(node, readers),
        )

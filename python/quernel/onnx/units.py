# SPDX-License-Identifier: Apache-2.0
"""The parts of a network between which values may be int8: a layer with what follows it at once,
an operator on int8 values with what follows that. Values inside a unit stay float."""

from __future__ import annotations

import dataclasses

import numpy as np
import onnx

from ..layer import Layer
from .layers import activation, layer_of
from .model import WEIGHTED, Net, attributes

# read and write the same numbers: one coding on both sides
LAYOUT = {
    "MaxPool", "Concat", "Resize", "Slice", "Split", "Pad", "Reshape", "Flatten", "Transpose",
    "Squeeze", "Unsqueeze", "DepthToSpace", "SpaceToDepth", "Identity",
}  # fmt: skip
# compute other numbers
ARITHMETIC = {"Add", "Sub", "Mul", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}
# one number of one number, or of several at the same place
ELEMENTWISE = {
    "Add", "Sub", "Mul", "Div", "Pow", "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "Tanh",
    "HardSigmoid", "HardSwish", "Elu", "Selu", "Softplus", "Softsign", "Mish", "Gelu", "Erf", "Exp",
    "Sqrt", "Abs", "Neg", "Min", "Max", "BatchNormalization",
}  # fmt: skip
REGION = 8  # nodes that one function may be spelled out with


@dataclasses.dataclass(eq=False)
class Unit:
    """Nodes that run without int8 between them. kind: "layer", "layout", "arithmetic", "float"."""

    kind: str
    nodes: list
    inputs: list  # values that it reads as data, in their order
    outputs: list
    layer: Layer | None = None  # with the activation behind it
    bias_add: onnx.NodeProto | None = None  # the node that adds a MatMul's bias
    residual: str = ""  # a value that an Add behind the layer puts to it

    @property
    def name(self) -> str:
        return self.nodes[0].name


def _data(net: Net, node: onnx.NodeProto) -> list[str]:
    """What a node reads that is not constant; of operators with sizes and the like, the first."""
    given = node.input[:1] if node.op_type in LAYOUT - {"Concat"} else node.input
    return [value for value in given if value and net.constant(value) is None]


def region(net: Net, value: str) -> tuple[list[onnx.NodeProto], str] | None:
    """The fewest element-wise nodes that take a value, and nothing else that is not constant, to
    one other value, so that nothing else reads what lies between: a function of the value, however
    it is spelled out. (nodes, other value) or None."""
    made, nodes = [value], []  # type: ignore[var-annotated]
    while len(nodes) < REGION:
        following = [
            node
            for known in made
            for node in net.readers.get(known, [])
            if node not in nodes
            and node.op_type in ELEMENTWISE
            and all(other in made for other in _data(net, node))
        ]
        if not following:
            return None
        nodes.append(following[0])
        made.append(following[0].output[0])
        live = [
            known
            for known in made
            if known in net.outputs or any(n not in nodes for n in net.readers.get(known, []))
        ]
        last = made[-1]
        if live in ([last], []) and (last not in net.outputs or live):
            return nodes, last
    return None


def _tail(net: Net, unit: Unit) -> None:
    """Takes what follows into a unit: functions of its output and, once behind a layer, a sum."""
    layer = unit.layer
    while unit.outputs[0] not in net.outputs and len(unit.nodes) < 4 * REGION:
        value = unit.outputs[0]
        found = region(net, value)
        readers = net.readers.get(value, [])
        if found is not None:
            nodes, end = found
            if layer is not None and layer.activation.kind == "none" and not unit.residual:
                known = activation(net, nodes, layer)
                if known is not None:
                    unit.layer = layer = dataclasses.replace(layer, activation=known)
        elif (
            layer is not None
            and not unit.residual
            and len(readers) == 1
            and readers[0].op_type == "Add"
        ):
            nodes, end = readers, readers[0].output[0]
            others = [other for other in readers[0].input if other != value]
            if len(others) != 1:
                return
            unit.residual = others[0]
            unit.inputs = [*unit.inputs, others[0]]
        else:
            return
        unit.nodes, unit.outputs = [*unit.nodes, *nodes], [end]


def _layer_unit(net: Net, node: onnx.NodeProto) -> tuple[Unit | None, str]:
    layer, why = layer_of(net, node)
    if layer is None:
        return None, why
    unit = Unit("layer", [node], [node.input[0]], [node.output[0]], layer)
    readers = net.readers.get(node.output[0], [])
    if node.op_type == "MatMul" and len(readers) == 1 and node.output[0] not in net.outputs:
        others = [net.constant(v) for v in readers[0].input if v != node.output[0]]
        if readers[0].op_type == "Add" and others and others[0] is not None:
            shape = others[0].shape
            if shape == (layer.channels[1],):
                unit.layer = dataclasses.replace(layer, bias=others[0])
                unit.bias_add = readers[0]
                unit.nodes, unit.outputs = [node, readers[0]], list(readers[0].output)
    _tail(net, unit)
    return unit, ""


def _layout(net: Net, node: onnx.NodeProto) -> bool:
    """Whether a node only moves, repeats or selects numbers of its data."""
    attr = attributes(node)
    if node.op_type == "Resize":
        return attr.get("mode", "nearest") == "nearest"
    if node.op_type == "Pad":  # zeros have a code in every coding
        filled = node.input[2] if len(node.input) > 2 else ""
        value = net.constant(filled) if filled else np.zeros(1)
        constant = attr.get("mode", "constant") == "constant"
        return not constant or (value is not None and not value.any())
    return node.op_type in LAYOUT and not (node.op_type == "MaxPool" and len(node.output) > 1)


def find(net: Net) -> tuple[list[Unit], dict[str, str]]:
    """(units in an order in which they can run, name of a layer's node → why it stays float)."""
    reasons: dict[str, str] = {}
    heads: list[Unit] = []
    taken: set[str] = set()  # names of nodes
    nodes = list(net.nodes)
    # later layers take the sums: what is earlier is there when they run
    for node in reversed(nodes):
        if node.op_type in WEIGHTED and node.domain == "":
            unit, why = _layer_unit(net, node)
            if unit is None:
                reasons[node.name] = why
            else:
                _keep(unit, heads, taken)
    for node in nodes:
        if node.name not in taken:
            _keep(_other_unit(net, node, taken), heads, taken)
    place = {node.name: at for at, node in enumerate(nodes)}
    # by their last node: what a sum adds is made before that
    return sorted(heads, key=lambda unit: place[unit.nodes[-1].name]), reasons


def _keep(unit: Unit, heads: list[Unit], taken: set[str]) -> None:
    unit = _cut(unit, taken)
    heads.append(unit)
    taken.update(node.name for node in unit.nodes)


def _other_unit(net: Net, node: onnx.NodeProto, taken: set[str]) -> Unit:
    """The unit that begins with a node that no layer has taken."""
    kind, data = _kind(net, node), _data(net, node)
    if kind == "arithmetic" and len(data) == 1 and node.op_type in ELEMENTWISE:
        found = region(net, data[0])
        if found and not any(other.name in taken for other in found[0]):
            unit = Unit(kind, found[0], data, [found[1]])
            _tail(net, unit)
            return unit
    unit = Unit(kind, [node], data, [value for value in node.output if value])
    if kind == "arithmetic":
        _tail(net, unit)
    return unit


def _cut(unit: Unit, taken: set[str]) -> Unit:
    """The unit up to the first node that another one has."""
    kept = []
    for node in unit.nodes:
        if node.name in taken:
            break
        kept.append(node)
    if len(kept) == len(unit.nodes):
        return unit
    gone = unit.residual and not any(unit.residual in node.input for node in kept)
    return dataclasses.replace(
        unit,
        nodes=kept,
        outputs=list(kept[-1].output),
        residual="" if gone else unit.residual,
        inputs=unit.inputs[:-1] if gone else unit.inputs,
    )


def _kind(net: Net, node: onnx.NodeProto) -> str:
    """The kind of a node that no layer has taken."""
    if node.domain != "":
        return "float"
    if node.op_type in LAYOUT:
        arithmetic = node.op_type == "Resize" and attributes(node).get("mode") == "linear"
        return "layout" if _layout(net, node) else "arithmetic" if arithmetic else "float"
    return "arithmetic" if node.op_type in ARITHMETIC | ELEMENTWISE else "float"

# SPDX-License-Identifier: Apache-2.0
"""The parts of a network between which values may be int8: a layer with what follows it at once,
an operator on int8 values with what follows that. Values inside a unit stay float."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import onnx

from .. import fold
from ..layer import Activation, Layer
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


def _pads(node: onnx.NodeProto, kernel: tuple, attr: dict) -> tuple:
    """Before and after each axis; where auto_pad makes them follow the size, those of a multiple
    of the stride: the layer alone is run on pieces anyway."""
    rank = len(kernel)
    auto = attr.get("auto_pad", "NOTSET")
    if auto in ("NOTSET", ""):
        return tuple(attr.get("pads", (0,) * 2 * rank))
    strides, dilations = (attr.get(key, (1,) * rank) for key in ("strides", "dilations"))
    total = [
        max(0, d * (k - 1) + 1 - s) if auto != "VALID" else 0
        for k, s, d in zip(kernel, strides, dilations)
    ]
    less, more = [t // 2 for t in total], [t - t // 2 for t in total]
    return (*more, *less) if auto == "SAME_LOWER" else (*less, *more)


def _window(
    node: onnx.NodeProto, attr: dict, w: np.ndarray, bias: np.ndarray | None
) -> tuple[Layer | None, str]:
    kernel = w.shape[2:]
    if len(kernel) not in (1, 2):
        return None, f"its kernel has {len(kernel)} dimensions: must be 1 or 2"
    ones, flat = (1,) * len(kernel), (1,) * (2 - len(kernel))
    pads = _pads(node, kernel, attr)
    first, last = pads[: len(kernel)], pads[len(kernel) :]
    none = (0,) * len(flat)
    found = Layer(
        node.name,
        "conv2d" if node.op_type == "Conv" else "deconv2d",
        w.reshape(*w.shape[:2], *flat, *kernel),
        bias,
        (*flat, *attr.get("strides", ones)),
        (*none, *first, *none, *last),
        (*flat, *attr.get("dilations", ones)),
        attr.get("group", 1),
        (*none, *attr.get("output_padding", (0,) * len(kernel))),
    )
    if min(found.pad) < 0:
        return None, f"padding {pads}: must not be negative"
    return found, ""


def _linear(
    node: onnx.NodeProto, attr: dict, w: np.ndarray, bias: np.ndarray | None
) -> tuple[Layer | None, str]:
    if attr.get("transA", 0):
        return None, "transA: is not supported"
    if w.ndim != 2:
        return None, f"weights of {w.ndim} dimensions: must be 2"
    w = w if attr.get("transB", 0) else w.T
    w = w * np.float32(attr.get("alpha", 1.0))
    if bias is not None:
        if bias.size not in (1, len(w)) or bias.shape[-1:] not in ((), (1,), (len(w),)):
            return None, f"C of shape {bias.shape}: must be one number per output"
        bias = np.broadcast_to(bias.ravel() * np.float32(attr.get("beta", 1.0)), (len(w),))
    return Layer(node.name, "linear", np.ascontiguousarray(w), bias), ""


def layer_of(net: Net, node: onnx.NodeProto) -> tuple[Layer | None, str]:
    """(the Layer that a node is, "") or (None, why it is none)."""
    given = [net.constant(name) for name in node.input[1:] if name]
    known = [array for array in given if array is not None]
    if not known or len(known) < len(given):
        return None, "its weights are not constant"
    for array, what in zip(known, ("weights", "bias")):
        if array.dtype != np.float32:
            return None, f"{what}: {array.dtype}: must be float32"
        if not np.isfinite(array).all():
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            return None, f"{what}: {array[at]} at {at}: must be finite"
        if not array.size:
            return None, f"{what}: are empty"
    made = _window if node.op_type.startswith("Conv") else _linear
    return made(node, attributes(node), known[0], known[1] if len(known) > 1 else None)


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


def _bound(net: Net, node: onnx.NodeProto, at: int, key: str, default: float) -> float | None:
    """A bound of a Clip, or None where it is computed."""
    if len(node.input) > at and node.input[at]:
        given = net.constant(node.input[at])
        return None if given is None else float(given.ravel()[0])
    return float(attributes(node).get(key, default))


def _single(net: Net, node: onnx.NodeProto, layer: Layer) -> Activation | None:
    """The Activation that one node is."""
    op, attr = node.op_type, attributes(node)
    simple = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hswish"}
    if op in simple:
        return Activation(simple[op])
    if op == "Gelu" and attr.get("approximate", "none") == "none":
        return Activation("gelu")
    if op == "LeakyRelu":
        return Activation("leaky", slope=float(attr.get("alpha", 0.01)))
    if op == "Clip":
        lo, hi = _bound(net, node, 1, "min", -math.inf), _bound(net, node, 2, "max", math.inf)
        return None if lo is None or hi is None or lo > hi else Activation("clamp", lo, hi)
    slopes = net.constant(node.input[1]) if op == "PRelu" else None
    per = None if slopes is None else fold.arithmetic("Mul", slopes, layer, True)
    if per is not None:
        return Activation("prelu", slopes=np.ascontiguousarray(per[0], np.float32))
    return None


def activation(net: Net, nodes: list[onnx.NodeProto], layer: Layer) -> Activation | None:
    """The Activation that a region is, by the operators that spell it out; None where it is
    another function."""
    if len(nodes) == 1:
        return _single(net, nodes[0], layer)
    ops = sorted(node.op_type for node in nodes)
    if "Erf" in ops:
        return Activation("gelu")
    known = {
        "Mul Sigmoid": "silu",
        "HardSigmoid Mul": "hswish",
        "Add Clip Div Mul": "hswish",
        "Add Clip Mul Mul": "hswish",
    }
    kind = known.get(" ".join(ops))
    return None if kind is None else Activation(kind)


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

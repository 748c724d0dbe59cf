# SPDX-License-Identifier: Apache-2.0
"""A network as standard ONNX in int8: pairs of QuantizeLinear and DequantizeLinear around float
operators. A Draft is the graph; numbers() is what its constants hold, so that a search runs one
graph with many numbers."""

from __future__ import annotations

from collections.abc import Container, Iterable

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..layer import Coding, Layer
from .affine import del_attributes
from .model import Net, captured, free
from .numbers import Numbers, quantized
from .places import Places
from .units import Unit

HOMOGENEOUS = ("Relu", "LeakyRelu", "PRelu")  # f(s·x) = s·f(x) for s > 0


class Draft:
    """The graph with its pairs. smoothed: values with factors; folded: those of them whose factors
    the layer before takes in; biased: layers that have a bias."""

    def __init__(
        self,
        net: Net,
        places: Places,
        shapes: dict[str, tuple],
        smoothed: Container[str],
        biased: Container[str],
        folded: Iterable[str] = (),
    ) -> None:
        self.net, self.places, self.shapes = net, places, shapes
        self.smoothed, self.biased, self.folded = smoothed, biased, set(folded)
        self.heads = places.heads()
        layout = [unit for unit in places.units if unit.kind == "layout"]
        self._narrow = {unit.name for unit in layout} | set(self.heads)
        self._moved = {value for unit in layout for value in unit.outputs}
        self._names: dict[str, str] = {}
        self._taken = set(net.names())  # each draft gives the same names
        self._wide = {
            value
            for value in places.coded
            if value in smoothed
            and any(
                node.name not in self._narrow or node.input[0] != value or value in node.input[1:]
                for node in net.readers.get(value, [])
            )
        }
        self.model = self._made()

    def name(self, *what: str) -> str:
        """The name of what belongs to a value or a layer."""
        key = "/".join(what)
        if key not in self._names:
            self._names[key] = free(key, self._taken)
        return self._names[key]

    def multiplied(self, value: str) -> bool:
        """Whether a Mul stands before the codes."""
        return value in self.smoothed and value not in self._moved and value not in self.folded

    def _made(self) -> onnx.ModelProto:
        source = self.net.model
        nodes = [node for value in self.net.inputs for node in self._pair(value)]
        for given in source.graph.node:
            node = onnx.NodeProto()
            node.CopyFrom(given)
            self._redirect(node)
            if given.name in self.heads:
                nodes += self._weights(node, self.heads[given.name])
            else:
                nodes.append(node)
            for value in given.output:
                nodes += self._pair(value)
        used = {value for node in nodes for value in [*node.input, *captured(node)]}
        used.update(output.name for output in source.graph.output)
        # of codes that are read in one way alone, the other dequantization
        nodes = [n for n in nodes if n.op_type != "DequantizeLinear" or n.output[0] in used]
        self._read = {value for node in nodes for value in node.input}
        graph = helper.make_graph(
            nodes,
            source.graph.name or "quantized",
            source.graph.input,
            source.graph.output,
            [tensor for tensor in source.graph.initializer if tensor.name in used],
        )
        made = helper.make_model(graph, opset_imports=source.opset_import, producer_name="quernel")
        made.ir_version = max(source.ir_version, 7)  # the first with opset 13
        made.functions.extend(source.functions)
        return made

    def _redirect(self, node: onnx.NodeProto) -> None:
        """Lets a node read what was coded."""
        bias_of = {u.bias_add.name: u for u in self.heads.values() if u.bias_add is not None}
        for at, value in enumerate(node.input):
            if value not in self.coded:
                continue
            narrow = node.name in self._narrow and (at == 0 or node.op_type == "Concat")
            node.input[at] = self.name(
                value, "wide" if value in self._wide and not narrow else "dq"
            )
        unit = bias_of.get(node.name)
        if unit is not None:
            at = 1 - list(node.input).index(unit.nodes[0].output[0])
            node.input[at] = self.name(unit.name, "bias")

    @property
    def coded(self) -> set[str]:
        return set(self.places.coded)

    def _axis(self, value: str) -> int:
        rank = len(self.shapes[value])
        return rank - 1 if value in self.places.last or rank < 3 else 1

    def _pair(self, value: str) -> list[onnx.NodeProto]:
        """What stands behind a value that is coded."""
        if value not in self.coded:
            return []
        source, made = value, []
        if self.multiplied(value):
            source = self.name(value, "smoothed")
            made.append(helper.make_node("Mul", [value, self.name(value, "factors")], [source]))
        scale, zero, codes = (self.name(value, word) for word in ("scale", "zero", "codes"))
        made.append(helper.make_node("QuantizeLinear", [source, scale, zero], [codes]))
        made.append(
            helper.make_node("DequantizeLinear", [codes, scale, zero], [self.name(value, "dq")])
        )
        if value in self._wide:
            wide = [codes, self.name(value, "scales"), self.name(value, "zeros")]
            made.append(
                helper.make_node(
                    "DequantizeLinear", wide, [self.name(value, "wide")], axis=self._axis(value)
                )
            )
        for node in made:
            node.name = self.name(node.output[0], "node")
        return made

    def _weights(self, node: onnx.NodeProto, unit: Unit) -> list[onnx.NodeProto]:
        """A layer's node behind the dequantization of its weights and bias."""
        name, axis = unit.name, weight_axis(node)
        made = [self._constant_dq(name, "weights", axis)]
        node.input[1] = made[0].output[0]
        del node.input[2:]
        if name not in self.biased:
            return [*made, node]
        if node.op_type != "MatMul":
            made.append(self._constant_dq(name, "bias", 0))
            node.input.append(made[-1].output[0])
            del_attributes(node, ("alpha", "beta"))
            return [*made, node]
        if unit.bias_add is not None:
            return [*made, node]
        out, node.output[0] = node.output[0], self.name(name, "unbiased")
        add = helper.make_node("Add", [node.output[0], self.name(name, "bias")], [out])
        add.name = self.name(name, "add")
        return [*made, node, add]

    def _constant_dq(self, name: str, what: str, axis: int) -> onnx.NodeProto:
        given = [
            self.name(name, what),
            self.name(name, f"{what}.scale"),
            self.name(name, f"{what}.zero"),
        ]
        out = self.name(name, f"{what}.dq")
        return helper.make_node("DequantizeLinear", given, [out], f"{out}/node", axis=axis)

    def numbers(
        self, codings: dict[str, Coding], layers: dict[str, Layer], made: dict[str, Numbers]
    ) -> dict[str, np.ndarray]:
        """Constant → what it holds. layers: by name, those in the place of the network's own; made:
        each layer in int8."""
        found: dict[str, np.ndarray] = {}
        for value in self.places.coded:
            found |= self._value_numbers(value, codings[value])
        folded = {self.maker(value): value for value in self.folded}
        for name, unit in self.heads.items():
            divisor = None
            if name in folded:
                divisor = codings[folded[name]].smooth
            found |= self._layer_numbers(unit, layers[name], made[name], divisor)
        return {name: array for name, array in found.items() if name in self._read}

    def maker(self, value: str) -> str:
        """The layer whose unit makes a value, or nothing."""
        return next((u.name for u in self.heads.values() if u.outputs == [value]), "")

    def _value_numbers(self, value: str, coding: Coding) -> dict[str, np.ndarray]:
        zero = np.uint8(coding.zero)
        scale = np.float32(coding.scale or 1)
        found = {self.name(value, "scale"): scale, self.name(value, "zero"): zero}
        if value not in self.smoothed:
            return {k: np.asarray(v) for k, v in found.items()}
        count = self.shapes[value][self._axis(value)]
        smooth = np.ones(count, np.float32) if coding.smooth is None else coding.smooth
        trailing = (1,) * (len(self.shapes[value]) - 1 - self._axis(value))
        if self.multiplied(value):
            found[self.name(value, "factors")] = (
                (1 / smooth).astype(np.float32).reshape(-1, *trailing)
            )
        if value in self._wide:
            found[self.name(value, "scales")] = (scale * smooth).astype(np.float32)
            found[self.name(value, "zeros")] = np.full(count, zero)
        return {k: np.asarray(v) for k, v in found.items()}

    def _layer_numbers(
        self, unit: Unit, layer: Layer, made: Numbers, divisor: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        node, name = unit.nodes[0], unit.name
        shape = tuple(self.net.tensors[node.input[1]].dims)
        codes = made.codes
        axis = weight_axis(node)
        if layer.kind == "linear" and axis == 1:
            codes = codes.T
        by: np.float32 | np.ndarray = np.float32(1) if divisor is None else divisor
        scale = (made.scale / by).astype(np.float32)[: shape[axis]]
        found = {
            self.name(name, "weights"): np.ascontiguousarray(codes.reshape(shape)),
            self.name(name, "weights.scale"): scale,
            self.name(name, "weights.zero"): np.zeros(len(scale), np.int8),
        }
        if name not in self.biased:
            return found
        if node.op_type == "MatMul":
            bias = np.zeros(len(made.scale), np.float32) if layer.bias is None else layer.bias
            return {**found, self.name(name, "bias"): (bias / by).astype(np.float32)}
        steps = np.zeros(len(made.scale), np.int32) if made.bias is None else made.bias
        found[self.name(name, "bias")] = steps
        found[self.name(name, "bias.scale")] = (made.bias_scale / by).astype(np.float32)
        found[self.name(name, "bias.zero")] = np.zeros(len(steps), np.int32)
        return found


def weight_axis(node: onnx.NodeProto) -> int:
    """Which axis of a layer's weights are its outputs."""
    if node.op_type == "Conv":
        return 0
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return 0 if transposed else 1


def filled(model: onnx.ModelProto, numbers: dict[str, np.ndarray], inputs: bool) -> onnx.ModelProto:
    """The model with its constants; inputs: they can be fed too."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for name, array in numbers.items():
        made.graph.initializer.append(numpy_helper.from_array(array, name))
        if inputs:
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            made.graph.input.append(helper.make_tensor_value_info(name, kind, array.shape))
    return made


def shape_outputs(model: onnx.ModelProto, shapes: dict[str, tuple]) -> None:
    """Gives outputs that say nothing of their shape as many axes as they had: the format wants
    them to."""
    for output in model.graph.output:
        kind = output.type.tensor_type
        if not kind.HasField("shape") and output.name in shapes:
            kind.shape.SetInParent()
            for _ in shapes[output.name]:
                kind.shape.dim.add()


def foldable(net: Net, places: Places, value: str) -> bool:
    """Whether the layer before a value can take in factors of its channels exactly."""
    units = [u for u in places.heads().values() if u.outputs == [value]]
    if not units or value in net.outputs or units[0].residual:
        return False
    unit = units[0]
    behind = [node for node in unit.nodes[1:] if node is not unit.bias_add]
    readers = net.readers.get(value, [])
    layer = unit.layer
    return (
        layer is not None
        and not (layer.kind == "deconv2d" and layer.groups > 1)
        and all(node.op_type in HOMOGENEOUS for node in behind)
        and len(readers) >= 1
    )


__all__ = ["Draft", "filled", "foldable", "quantized"]

# SPDX-License-Identifier: Apache-2.0
"""Parts of a graph that the library runs as one: layers whose input has a coding, the sums that
their epilogues add, and the concatenations of what they write. Values that only they read stay
int8, but for what is added: rounding it to int8 costs 0.2 to 0.3 dB (ddddocr's YOLOX,
EfficientNet-Lite0) and gains no time."""

from __future__ import annotations

import collections
import ctypes as c
from collections.abc import Callable, Container, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native as native
from . import operators as ops
from .layer import pool, view

if TYPE_CHECKING:
    from .graph import Graph, Node
    from .layer import Coding, QuantLayer

INNER, INPUT, OUTPUT = range(3)


class _Made:
    """A network of the library, for one shape of its inputs."""

    def __init__(self, tensors: Any, layers: Any, outputs: list[int], threads: int) -> None:
        d = native.NetworkDesc(
            c.sizeof(native.NetworkDesc), tensors, len(tensors), layers, len(layers), threads, -1
        )
        self.handle = c.c_void_p()
        native.call(native.lib.quernel_network_create, c.byref(d), c.byref(self.handle))
        self.workspace_bytes = native.lib.quernel_network_workspace(self.handle)
        self.shapes = [self._shape(tensor) for tensor in outputs]
        self._workspaces = []

    def _shape(self, tensor: int) -> tuple:
        found = native.Tensor()
        native.lib.quernel_network_tensor_get(self.handle, tensor, c.byref(found))
        return (found.n, found.c, found.h, found.w), found.layout

    def __call__(self, arrays: Sequence[np.ndarray], threads: int) -> list[np.ndarray]:
        outputs = [
            np.empty(shape, np.float32)
            if layout == ops.NCHW
            else np.empty([shape[axis] for axis in (0, 2, 3, 1)], np.float32).transpose(0, 3, 1, 2)
            for shape, layout in self.shapes
        ]
        where = [
            (c.c_void_p * len(some))(*(array.ctypes.data for array in some))
            for some in (arrays, outputs)
        ]
        workspace = (
            self._workspaces.pop() if self._workspaces else ops.workspace(self.workspace_bytes)
        )
        parallel = c.byref(pool(threads).parallel) if threads > 1 else None
        native.call(
            native.lib.quernel_network_run,
            self.handle,
            *where,
            workspace.ctypes.data,
            self.workspace_bytes,
            parallel,
        )
        self._workspaces.append(workspace)
        return outputs

    def explain(self, layer: int) -> str:
        return ops.explain(native.lib.quernel_network_operator(self.handle, layer))

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            native.lib.quernel_network_destroy(self.handle)


class Network:
    """Nodes between the values that they read and those that others want of them, in float. layers:
    the QuantLayers by name. Made for each shape and kept; any thread may call it."""

    SHAPES_KEPT = 8

    def __init__(
        self,
        nodes: list[Node],
        inputs: list[str],
        outputs: Container[str],
        layers: dict[str, QuantLayer],
        codings: dict[str, Coding],
        threads: int,
    ) -> None:
        self.inputs, self.threads = inputs, threads
        self.nodes = [node for node in nodes if node.op != "Concat"]
        self._layers, self._codings = layers, codings
        self._slices = {
            part: place
            for node in nodes
            if node.op == "Concat"
            for part, place in self._parts(node, nodes)
        }
        self._tensors = {
            value: at
            for at, value in enumerate(
                dict.fromkeys([*inputs, *(self._place(node.outputs[0])[0] for node in self.nodes)])
            )
        }
        self.outputs = [value for value in self._tensors if value in outputs]
        summands = {value for node in self.nodes for value in node.inputs[1:]}
        self.int8 = {
            value
            for value, coding in codings.items()
            if coding.between() and value in self._tensors
        } - {*inputs, *outputs, *summands}  # values that are handed on in int8
        self._made = collections.OrderedDict()

    @staticmethod
    def _parts(node: Node, nodes: list[Node]) -> Iterator[tuple]:
        """(part, (the whole, its first channel in it)) of a concatenation."""
        made, first = {other.outputs[0]: other.layer for other in nodes if other.op != "Concat"}, 0
        for part in node.inputs:
            yield part, (node.outputs[0], first)
            first += made[part].channels[1]

    def _place(self, value: str) -> tuple[str, int]:
        return self._slices.get(value, (value, 0))

    def __call__(self, *arrays: Any) -> list[np.ndarray]:
        for node in self.nodes:
            if node.inputs[0] in self.inputs:
                self._layers[node.name].check(arrays[self.inputs.index(node.inputs[0])])
        arrays = [
            array if view(array) is not None else np.ascontiguousarray(array) for array in arrays
        ]
        shapes = [view(array) for array in arrays]
        key = tuple(map(bytes, shapes))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(shapes)
            while len(self._made) > self.SHAPES_KEPT:
                self._made.popitem(last=False)
        return made(arrays, self.threads)

    def explain(self, name: str) -> list[str]:
        """What the library chose for a layer, one line per shape that was run."""
        at = [node.name for node in self.nodes].index(name)
        return [made.explain(at) for made in self._made.values()]

    def _make(self, shapes: list) -> _Made:
        keep, layout = [], shapes[0].layout
        tensors = (native.NetworkTensor * len(self._tensors))(
            *(self._tensor(value, layout) for value in self._tensors)
        )
        for at, shape in enumerate(shapes):
            tensors[at].shape = shape
        layers = (native.NetworkLayer * len(self.nodes))(
            *(self._layer(node, keep) for node in self.nodes)
        )
        return _Made(
            tensors, layers, [self._tensors[value] for value in self.outputs], self.threads
        )

    def _tensor(self, value: str, layout: int) -> native.NetworkTensor:
        coding = self._codings.get(value)
        role = INPUT if value in self.inputs else OUTPUT if value in self.outputs else INNER
        quant = ops.quant_desc(**coding.quant("conv2d")) if coding else native.Quant(scale=1.0)
        shape = native.Tensor(
            coding.type if value in self.int8 else ops.F32, layout if role == OUTPUT else ops.NHWC
        )
        return native.NetworkTensor(c.sizeof(native.NetworkTensor), role, shape, quant)

    def _layer(self, node: Any, keep: list) -> native.NetworkLayer:
        packed = self._layers[node.name]
        layer = packed.layer
        epilogue = ops.epilogue_desc(
            layer.channels[1], keep, bias=layer.bias, **layer.activation.epilogue()
        )
        epilogue.residual_after_activation = int(layer.residual_after)
        conv = native.Conv2dDesc(
            size=c.sizeof(native.Conv2dDesc), weights=packed.packed.handle, epilogue=epilogue
        )
        (conv.stride_h, conv.stride_w), (conv.dilation_h, conv.dilation_w) = (
            layer.stride,
            layer.dilation,
        )
        conv.pad_top, conv.pad_left, conv.pad_bottom, conv.pad_right = layer.pad
        conv.out_pad_h, conv.out_pad_w = layer.output_pad
        places = [
            self._place(value) for value in (node.inputs[0], node.outputs[0], *node.inputs[1:])
        ]
        x, y, residual = (*((self._tensors[value], first) for value, first in places), (-1, 0))[:3]
        return native.NetworkLayer(c.sizeof(native.NetworkLayer), *x, *y, *residual, conv=conv)


def levels(graph: Graph, runs: Callable[[Any], bool]) -> dict[Node, tuple[int, bool]]:
    """Node → (level, whether it is part of a network). A network depends on lower levels alone, so
    that all of one level run as one; what lies between networks is of the level that it follows.
    runs(node): whether a layer can be part."""
    made, found, readers = {}, {}, graph.readers()

    def joined(node: Node) -> bool:
        """Whether a concatenation is of what layers of one level write into it, and nowhere
        else."""
        parts = [made.get(value) for value in node.inputs]
        return (
            node.op == "Concat"
            and node.attributes["axis"] == 1
            and None not in parts
            and len({found[part] for part in parts}) == 1
            and all(part.op != "Concat" and found[part][1] for part in parts)
            and not set(node.inputs) & set(graph.outputs)
            and len(set(node.inputs)) == len(parts)
            and all(readers[value] == [node] for value in node.inputs)
        )

    for node in graph.nodes:
        before = [found[made[value]] for value in node.inputs if value in made]
        inside = runs(node) or joined(node)
        level = max((level + (inside and not part) for level, part in before), default=-1)
        found[node] = (max(level, 0) if inside else level), inside
        made.update(dict.fromkeys(node.outputs, node))
    return found

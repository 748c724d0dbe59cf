# SPDX-License-Identifier: Apache-2.0
"""A network as a graph: layers, which run in float or in int8, and the glue between them, which is NumPy's."""
from __future__ import annotations

import dataclasses

import numpy as np

from .glue import GLUE
from .layer import Coded, Layer, QuantLayer

LAYER = "Layer"


@dataclasses.dataclass(eq=False)
class Node:
    """One operation. A node of type LAYER carries a Layer; all others are named like ONNX's operators."""
    op: str
    name: str
    inputs: list
    outputs: list
    attributes: dict = dataclasses.field(default_factory=dict)
    layer: Layer | None = None


@dataclasses.dataclass(eq=False)
class Graph:
    """Nodes in an order in which they can run; values have names."""
    name: str
    nodes: list
    inputs: list
    outputs: list
    constants: dict = dataclasses.field(default_factory=dict)

    def readers(self, value):
        return [node for node in self.nodes if value in node.inputs]

    def layers(self):
        """Layers by name, in their order."""
        return {node.name: node.layer for node in self.nodes if node.op == LAYER}

    def groups(self):
        """Value → names of the layers that read it: siblings share one coding."""
        found = {}
        for node in self.nodes:
            if node.op == LAYER:
                found.setdefault(node.inputs[0], []).append(node.name)
        return found

    def sources(self, value):
        """The layers whose outputs, one behind the other, are the value's channels; empty where it is something else."""
        made = next((node for node in self.nodes if value in node.outputs), None)
        if made is None:
            return []
        if made.op == LAYER:
            return [made.name]
        if made.op == "MaxPool" or made.op == "Concat" and made.attributes["axis"] == 1:
            parts = [self.sources(part) for part in made.inputs]
            return [name for part in parts for name in part] if all(parts) else []
        return []

    def __call__(self, *feeds, watch=None):
        """The outputs, in float. watch(node, x, y) sees what each layer reads and writes."""
        def layer(node, x):
            y = node.layer(x)
            if watch:
                watch(node, x, y)
            return y
        return self.run(feeds, layer)

    def run(self, feeds, layer):
        """Runs; `layer(node, x)` computes the layers. Values are dropped once their last reader has run."""
        last = {value: index for index, node in enumerate(self.nodes) for value in node.inputs}
        values = {**self.constants, **dict(zip(self.inputs, feeds))}
        for index, node in enumerate(self.nodes):
            if node.op == LAYER:
                made = layer(node, values[node.inputs[0]])
            else:
                made = GLUE[node.op](node.attributes, *(values[value] if value else None for value in node.inputs))
            values.update(zip(node.outputs, made if isinstance(made, (tuple, list)) else (made,)))
            for value in node.inputs:
                if last.get(value) == index and value not in self.outputs:
                    values.pop(value, None)
        return [values[value] for value in self.outputs]


class QuantGraph:
    """A graph whose layers run in int8 where their input has a coding. Values that only such layers read stay int8 from
    their producer on. biases: in the place of the layers' own, by name."""

    def __init__(self, graph, codings, threads=1, biases=None):
        self.graph, self.codings, self.threads = graph, codings, threads
        groups, layers = graph.groups(), graph.layers()
        for name, bias in (biases or {}).items():
            layers[name] = dataclasses.replace(layers[name], bias=bias)
        self.layers = {name: QuantLayer(layers[name], coding)
                       for value, coding in codings.items() for name in groups[value]}
        self._chained = {value: self._border(value) for value in codings if self._stays_int8(value)}

    def _stays_int8(self, value):
        made = [node for node in self.graph.nodes if value in node.outputs]
        smooth = self.codings[value].smooth
        return (bool(made) and made[0].name in self.layers and value not in self.graph.outputs
                and all(node.name in self.layers and node.layer.kind != "linear" for node in [*made, *self.graph.readers(value)])
                and (smooth is None or smooth.ndim == 1))

    def _border(self, value):
        """What the readers' padding wants around the value."""
        pads = [node.layer.pad for node in self.graph.readers(value) if node.layer.kind == "conv2d"]
        return tuple(max([0, *(max(pad[side], pad[side + 2]) for pad in pads)]) for side in (0, 1))

    def __call__(self, *feeds, watch=None):
        def layer(node, x):
            packed, value = self.layers.get(node.name), node.outputs[0]
            if packed is None:
                y = node.layer(x)
            elif value in self._chained:
                y = packed(x, self.codings[value], self._chained[value], self.threads)
            else:
                y = packed(x, threads=self.threads)
            if watch:
                watch(node, x, y.float() if isinstance(y, Coded) else y)
            return y
        return self.graph.run(feeds, layer)

    def int8_share(self, *feeds):
        """Share of the layers' multiply-adds that run in int8."""
        macs = {}
        self.graph(*feeds, watch=lambda node, x, y: macs.update({node.name: node.layer.macs(x.shape)}))
        return sum(count for name, count in macs.items() if name in self.layers) / sum(macs.values())

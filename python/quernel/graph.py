# SPDX-License-Identifier: Apache-2.0
"""A network as a graph: layers, which run in float or in int8, and the glue between them, which is
NumPy's."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

from . import network
from .glue import GLUE
from .layer import Activation, Coding, Layer, QuantLayer

LAYER = "Layer"


@dataclasses.dataclass(eq=False)
class Node:
    """One operation. A node of type LAYER carries a Layer; all others are named like ONNX's
    operators."""

    op: str
    name: str
    inputs: list
    outputs: list
    attributes: dict = dataclasses.field(default_factory=dict)
    layer: Any = None  # a Layer, or what runs in the place of one


@dataclasses.dataclass(eq=False)
class Graph:
    """Nodes in an order in which they can run; values have names."""

    name: str
    nodes: list
    inputs: list
    outputs: list
    constants: dict = dataclasses.field(default_factory=dict)

    def readers(self) -> dict[str, list[Node]]:
        """Value → the nodes that read it."""
        found = {}
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                found.setdefault(value, []).append(node)
        return found

    def layers(self) -> dict[str, Any]:
        """Layers by name, in their order."""
        return {node.name: node.layer for node in self.nodes if node.op == LAYER}

    def layers_alone(self) -> dict[str, Any]:
        """The same without what is added to them: an activation behind a sum is not theirs."""

        def alone(node: Node) -> Any:
            after = len(node.inputs) == 1 or node.layer.residual_after
            return node.layer if after else dataclasses.replace(node.layer, activation=Activation())

        return {node.name: alone(node) for node in self.nodes if node.op == LAYER}

    def groups(self) -> dict[str, list[str]]:
        """Value → names of the layers that read it: siblings share one coding."""
        found = {}
        for node in self.nodes:
            if node.op == LAYER:
                found.setdefault(node.inputs[0], []).append(node.name)
        return found

    def sources(self, value: str) -> list[str]:
        """The layers whose outputs, one behind the other, are the value's channels; empty where it
        is something else."""
        made = next((node for node in self.nodes if value in node.outputs), None)
        if made is None:
            return []
        if made.op == LAYER:
            return [made.name] if len(made.inputs) == 1 else []
        if made.op == "MaxPool" or (made.op == "Concat" and made.attributes["axis"] == 1):
            parts = [self.sources(part) for part in made.inputs]
            return [name for part in parts for name in part] if all(parts) else []
        return []

    def __call__(self, *feeds: Any, watch: Any = None) -> list:
        """The outputs, in float. watch(node, x, y) sees what each layer reads and writes."""
        # Values are dropped once their last reader has run.
        last = {value: index for index, node in enumerate(self.nodes) for value in node.inputs}
        values = {**self.constants, **dict(zip(self.inputs, feeds))}
        for index, node in enumerate(self.nodes):
            if node.op == LAYER:
                made = node.layer(*(values[value] for value in node.inputs))
                if watch:
                    watch(node, values[node.inputs[0]], made)
            else:
                made = GLUE[node.op](
                    node.attributes, *(values[value] if value else None for value in node.inputs)
                )
            values.update(zip(node.outputs, made if isinstance(made, (tuple, list)) else (made,)))
            for value in node.inputs:
                if last.get(value) == index and value not in self.outputs:
                    values.pop(value, None)
        return [values[value] for value in self.outputs]


class QuantGraph:
    """A graph whose layers run in int8 where their input has a coding, as networks of the library
    between the glue. corrected: layers in the place of the graph's own, by name."""

    def __init__(
        self,
        graph: Graph,
        codings: dict[str, Coding],
        threads: int = 1,
        corrected: dict[str, Layer] | None = None,
    ) -> None:
        self.graph, self.codings, self.threads = graph, codings, threads
        groups, layers = graph.groups(), {**graph.layers(), **(corrected or {})}
        self.layers = {
            name: QuantLayer(layers[name], coding)
            for value, coding in codings.items()
            for name in groups[value]
        }
        self.networks = {}  # by the names of their layers
        self._parts = Graph(
            graph.name, list(self._nodes()), graph.inputs, graph.outputs, graph.constants
        )

    def _nodes(self) -> Iterator[Node]:
        """The nodes, those of a network in one."""
        found = network.levels(
            self.graph, lambda node: node.name in self.layers and node.layer.kind != "linear"
        )
        readers = self.graph.readers()
        for level in range(-1, 1 + max((level for level, _ in found.values()), default=-1)):
            inside, outside = (
                [node for node, place in found.items() if place == (level, part)]
                for part in (True, False)
            )
            if inside:
                yield self._network(inside, readers)
            yield from map(self._single, outside)

    def _network(self, nodes: list[Node], readers: dict[str, list[Node]]) -> Node:
        inside, made = set(nodes), [value for node in nodes for value in node.outputs]
        inputs = list(
            dict.fromkeys(value for node in nodes for value in node.inputs if value not in made)
        )
        wanted = {
            value
            for value in made
            if value in self.graph.outputs or not inside.issuperset(readers.get(value, [None]))
        }
        whole = network.Network(nodes, inputs, wanted, self.layers, self.codings, self.threads)
        self.networks.update((node.name, whole) for node in nodes if node.op == LAYER)
        return Node(LAYER, whole.nodes[0].name, inputs, whole.outputs, layer=whole)

    def _single(self, node: Node) -> Node:
        packed = self.layers.get(node.name)
        return (
            node
            if packed is None
            else dataclasses.replace(node, layer=functools.partial(packed, threads=self.threads))
        )

    def __call__(self, *feeds: Any) -> list:
        return self._parts(*feeds)

    def explain(self, name: str) -> list[str]:
        """What the library chose for a layer in int8, one line per shape that was run."""
        return (
            self.networks[name].explain(name)
            if name in self.networks
            else self.layers[name].explain()
        )

    def int8_share(self, *feeds: Any) -> float:
        """Share of the layers' multiply-adds that run in int8."""
        macs = {}
        self.graph(
            *feeds, watch=lambda node, x, y: macs.update({node.name: node.layer.macs(x.shape)})
        )
        return sum(count for name, count in macs.items() if name in self.layers) / sum(
            macs.values()
        )

# SPDX-License-Identifier: Apache-2.0
"""Folds what follows a layer into the layer: steps that scale and shift channels (batch norm among
them), then an activation. Only where nothing else reads the value between."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .graph import LAYER, Graph, Node
from .layer import Activation, Layer

SIMPLE = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}
AFFINE = ("BatchNormalization", "Mul", "Add", "Div", "Sub")


def scaled(layer: Layer, factor: Any, shift: Any) -> Layer:
    """The layer whose outputs are factor·y + shift, both per output channel; in double, rounded
    once."""
    factor, shift = (
        np.broadcast_to(np.asarray(v, np.float64), (layer.channels[1],)) for v in (factor, shift)
    )
    w = layer.weights.astype(np.float64)
    if layer.kind == "deconv2d":
        by_group = w.reshape(layer.groups, -1, *w.shape[1:]) * factor.reshape(
            layer.groups, 1, -1, 1, 1
        )
        w = by_group.reshape(w.shape)
    else:
        w = w * factor.reshape(-1, *(1,) * (w.ndim - 1))
    bias = shift + (0 if layer.bias is None else layer.bias * factor)
    return dataclasses.replace(layer, weights=w.astype(np.float32), bias=bias.astype(np.float32))


def batch_norm(
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    mean: np.ndarray,
    variance: np.ndarray,
    eps: float,
) -> tuple[Any, Any]:
    """A batch norm as (factor, shift) per channel. gamma and beta may be None."""
    factor = (1 if gamma is None else np.float64(gamma)) / np.sqrt(np.float64(variance) + eps)
    return factor, (0 if beta is None else np.float64(beta)) - np.float64(mean) * factor


def _per_channel(constant: np.ndarray, layer: Layer) -> np.ndarray | None:
    """A constant that is one number, or one per output channel in the right place, as [out]; else
    None."""
    channels, places = layer.channels[1], constant.shape
    if constant.size == 1:
        return np.full(channels, float(constant.ravel()[0]))
    right = (
        places[-1:] == (channels,)
        if layer.kind == "linear"
        else len(places) >= 3 and places[-3:] == (channels, 1, 1)
    )
    return constant.ravel().astype(np.float64) if right and constant.size == channels else None


def arithmetic(op: str, constant: np.ndarray, layer: Layer, first: bool) -> tuple[Any, Any] | None:
    """(factor, shift) where a constant is added to what the layer made, and so on, or None. first:
    the layer's result is the first operand, the constant the second."""
    other = _per_channel(constant, layer)
    if other is None or (op in ("Div", "Sub") and not first):
        return None
    return {"Mul": (other, 0), "Div": (1 / other, 0), "Add": (1, other), "Sub": (1, -other)}[op]


def _affine(
    node: Node, layer: Layer, value: str, constants: dict[str, np.ndarray]
) -> tuple[Any, Any] | None:
    """(factor, shift) of a node that scales and shifts what the layer made, or None."""
    others = [constants.get(name) for name in node.inputs if name != value]
    if node.op not in AFFINE or not others or any(other is None for other in others):
        return None
    if node.op == "BatchNormalization":
        return batch_norm(*others, node.attributes.get("epsilon", 1e-5))
    return arithmetic(node.op, others[0], layer, node.inputs[0] == value)


def _activation(
    node: Node, layer: Layer | None, constants: dict[str, np.ndarray]
) -> Activation | None:
    """The Activation that a node is, or None."""
    others = [None if name == "" else constants.get(name) for name in node.inputs[1:]]
    if node.op in SIMPLE:
        return Activation(SIMPLE[node.op])
    if node.op == "LeakyRelu":
        return Activation("leaky", slope=float(node.attributes.get("alpha", 0.01)))
    if node.op == "PRelu" and others[0] is not None and others[0].size == layer.channels[1]:
        return Activation("prelu", slopes=np.ascontiguousarray(others[0].ravel(), np.float32))
    if node.op == "Clip":
        bounds = (*others, None, None)[:2]
        lo, hi = (
            node.attributes.get(key) if given is None else float(given)
            for key, given in zip(("min", "max"), bounds)
        )
        return Activation("clamp", -np.inf if lo is None else lo, np.inf if hi is None else hi)
    return None


def _merged(
    node: Any, value: str, layer: Layer, constants: dict[str, np.ndarray], summed: bool
) -> Layer | None:
    """The layer with the node behind it folded in, or None. summed: it has a residual."""
    if node.op == LAYER or layer.activation.kind != "none":
        return None
    step = None if summed else _affine(node, layer, value, constants)
    if step is not None:
        return scaled(layer, *step)
    activation = _activation(node, layer, constants)
    return None if activation is None else dataclasses.replace(layer, activation=activation)


def _constant(node: Node, value: str, constants: dict[str, np.ndarray]) -> float | None:
    """The one number that a node combines a value with, or None."""
    others = [constants.get(name) for name in node.inputs if name != value]
    return (
        float(others[0].ravel()[0])
        if len(others) == 1 and others[0] is not None and others[0].size == 1
        else None
    )


def _gate(
    value: str, readers: list[Node], nodes: list[Node], constants: dict[str, np.ndarray]
) -> tuple[str, list[Node]] | None:
    """x·sigmoid(x), or x·clip(x + 3, 0, 6) / 6, spelled out by the readers of x and theirs: its
    name and the nodes."""
    if len(readers) != 2:
        return None
    first, product = sorted(readers, key=lambda node: node.op == "Mul")
    if (
        first.op == "Sigmoid"
        and product.op == "Mul"
        and set(product.inputs) == {value, first.outputs[0]}
    ):
        return "silu", [first, product]
    if first.op != "Add" or product.op != "Mul" or _constant(first, value, constants) != 3:
        return None
    found = [first]
    for op in ("Clip", "Mul", "Div"):
        following = [node for node in nodes if found[-1].outputs[0] in node.inputs]
        if len(following) != 1 or following[0].op != op:
            return None
        found.append(following[0])
    bounds = _activation(found[1], None, constants)
    six = _constant(found[3], found[2].outputs[0], constants)
    return (
        ("hswish", found)
        if (bounds.lo, bounds.hi, six) == (0, 6, 6) and found[2] is product
        else None
    )


def _extent(value: str, made: dict[str, Node]) -> Any:
    """What the sizes of a value follow from: equal for values that are surely of one shape. made:
    value → its node."""
    node = made.get(value)
    if node is None or node.op != LAYER or node.layer.kind == "linear":
        return value
    layer, inner = node.layer, _extent(node.inputs[0], made)
    places = inner[1] if isinstance(inner, tuple) else (inner,)
    window = (
        layer.kind,
        layer.weights.shape[2:],
        layer.stride,
        layer.pad,
        layer.dilation,
        layer.output_pad,
    )
    return layer.channels[1], places if layer.keeps_size() else (*places, window)


def _summand(
    node: Any, add: Node, nodes: list[Node], constants: dict[str, np.ndarray]
) -> str | None:
    """What an Add puts to a layer's output where the layer's epilogue can add it; or None."""
    if add.op != "Add" or node.layer.kind != "conv2d" or len(node.inputs) > 1:
        return None
    made = {value: other for other in nodes for value in other.outputs}
    others = [value for value in add.inputs if value != node.outputs[0]]
    fits = (
        len(others) == 1
        and others[0] not in constants
        and _extent(others[0], made) == _extent(node.outputs[0], made)
    )
    return others[0] if fits else None


def _step(node: Any, nodes: list[Node], constants: dict[str, np.ndarray]) -> Any:
    """(layer with what follows it folded in, its residual or None, nodes that are gone), or
    None."""
    layer, value = node.layer, node.outputs[0]
    readers = [other for other in nodes if value in other.inputs]
    if len(readers) == 1:
        merged = _merged(readers[0], value, layer, constants, len(node.inputs) > 1)
        if merged:
            return merged, None, readers
        residual = _summand(node, readers[0], nodes, constants)
        bare = layer.activation.kind == "none"
        return residual and (dataclasses.replace(layer, residual_after=not bare), residual, readers)
    gate = _gate(value, readers, nodes, constants) if layer.activation.kind == "none" else None
    return gate and (dataclasses.replace(layer, activation=Activation(gate[0])), None, gate[1])


def fold(graph: Graph) -> Graph:
    """The graph with everything folded that can be, and without constants that nobody reads."""
    nodes = list(graph.nodes)
    for node in nodes[:]:
        while node.op == LAYER and node.outputs[0] not in graph.outputs:
            step = _step(node, nodes, graph.constants)
            if step is None:
                break
            node.layer, residual, gone = step
            node.outputs = gone[-1].outputs
            if residual:  # it may be made behind the layer, but not behind the sum
                node.inputs = [*node.inputs, residual]
                nodes.remove(node)
                nodes.insert(nodes.index(gone[0]), node)
            nodes = [other for other in nodes if other not in gone]
    read = {value for node in nodes for value in node.inputs}
    return Graph(
        graph.name,
        nodes,
        graph.inputs,
        graph.outputs,
        {k: v for k, v in graph.constants.items() if k in read},
    )

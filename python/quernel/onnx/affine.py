# SPDX-License-Identifier: Apache-2.0
"""Folds steps that scale and shift channels into the layer before them: what ONNX Runtime's first
level leaves behind deconvolutions and products, and single numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx

from .. import fold as folds
from .layers import layer_of
from .model import WEIGHTED, Net, attributes


def _affine(net: Net, node: onnx.NodeProto, layer: Any, value: str) -> tuple[Any, Any] | None:
    """(factor, shift) per output channel of a node behind a layer, or None."""
    found = [net.constant(name) for name in node.input if name != value]
    others = [array for array in found if array is not None]
    if node.op_type not in folds.AFFINE or not others or len(others) < len(found):
        return None
    if node.op_type != "BatchNormalization":
        return folds.arithmetic(node.op_type, others[0], layer, node.input[0] == value)
    if layer.kind == "linear" and net.maker[value].op_type != "Gemm":
        return None  # the channels of a batch norm are axis 1, those of a product the last one
    gamma, beta, mean, variance = others
    return folds.batch_norm(gamma, beta, mean, variance, attributes(node).get("epsilon", 1e-5))


def fold(net: Net) -> None:
    """Folds what scales and shifts channels into the layer before it, where nothing else reads the
    value between."""
    for node in [node for node in net.nodes if node.op_type in WEIGHTED]:
        layer, _ = layer_of(net, node)
        if layer is None:
            continue
        changed = False
        while True:
            value = node.output[0]
            readers = net.readers.get(value, [])
            if len(readers) != 1 or value in net.outputs:
                break
            step = _affine(net, readers[0], layer, value)
            if step is None or (node.op_type == "MatMul" and np.any(step[1])):
                break  # a MatMul has no place for a bias
            layer, changed = folds.scaled(layer, *step), True
            node.output[0] = readers[0].output[0]
            net.model.graph.node.remove(readers[0])
            net.maker[node.output[0]] = node
        if changed:
            _set_weights(net, node, layer)
    net.index()


def _set_weights(net: Net, node: onnx.NodeProto, layer: Any) -> None:
    """Writes a layer's weights and bias as constants of its node."""
    shape = net.tensors[node.input[1]].dims
    weights = layer.weights
    if layer.kind == "linear":
        transposed = attributes(node).get("transB", 0)
        weights = weights if transposed else weights.T
        del_attributes(node, ("alpha", "beta"))
    node.input[1] = net.free(f"{node.name}.weights")
    net.add(node.input[1], weights.reshape(shape))
    if layer.bias is not None and node.op_type != "MatMul":
        name = net.free(f"{node.name}.bias")
        net.add(name, layer.bias)
        del node.input[2:]
        node.input.append(name)


def del_attributes(node: onnx.NodeProto, names: Iterable[str]) -> None:
    for attribute in [a for a in node.attribute if a.name in names]:
        node.attribute.remove(attribute)

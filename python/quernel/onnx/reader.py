# SPDX-License-Identifier: Apache-2.0
"""Reads an ONNX file as a Graph: Conv, ConvTranspose, Gemm and MatMul with constant weights become
layers; the rest stays glue. What is constant is computed here; affine steps and activations behind
a layer are folded into it."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from .. import fold
from ..glue import GLUE
from ..graph import LAYER, Graph, Node
from ..layer import Layer


class OnnxError(Exception):
    """The file holds what this reader does not know; the text names the node."""


def _attributes(node: Any) -> dict[str, Any]:
    found = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {
        name: value.decode()
        if isinstance(value, bytes)
        else numpy_helper.to_array(value)
        if isinstance(value, onnx.TensorProto)
        else value
        for name, value in found.items()
    }


def _pads(
    node: Any, kernel: tuple, strides: tuple, dilations: tuple, attributes: dict[str, Any]
) -> tuple:
    """top, left, bottom, right; auto_pad is known where it does not depend on the input's size."""
    auto = attributes.get("auto_pad", "NOTSET")
    if auto == "NOTSET":
        return tuple(attributes.get("pads", (0, 0, 0, 0)))
    total = [d * (k - 1) for k, d in zip(kernel, dilations)]
    if auto == "VALID" or not any(total):
        return 0, 0, 0, 0
    if auto not in ("SAME_UPPER", "SAME_LOWER") or any(s != 1 for s in strides):
        raise OnnxError(
            f"{node.name} ({node.op_type}): auto_pad {auto} with strides {strides}: is not "
            "supported"
        )
    less, more = [t // 2 for t in total], [t - t // 2 for t in total]
    return (*less, *more) if auto == "SAME_UPPER" else (*more, *less)


def _window(
    node: Any, attributes: dict[str, Any], weights: np.ndarray, bias: np.ndarray | None = None
) -> Layer:
    kernel, pair = weights.shape[2:], (1, 1)
    if len(kernel) != 2:
        raise OnnxError(f"{node.name} ({node.op_type}): kernel {kernel}: must have two dimensions")
    strides, dilations = (
        tuple(attributes.get("strides", pair)),
        tuple(attributes.get("dilations", pair)),
    )
    pads = _pads(node, kernel, strides, dilations, attributes)
    kind = "conv2d" if node.op_type == "Conv" else "deconv2d"
    return Layer(
        node.name,
        kind,
        weights,
        bias,
        strides,
        pads,
        dilations,
        attributes.get("group", 1),
        tuple(attributes.get("output_padding", (0, 0))),
    )


def _gemm(
    node: Any, attributes: dict[str, Any], weights: np.ndarray, bias: np.ndarray | None = None
) -> Layer:
    if (
        attributes.get("transA", 0)
        or attributes.get("alpha", 1.0) != 1
        or attributes.get("beta", 1.0) != 1
    ):
        raise OnnxError(f"{node.name} (Gemm): transA, alpha or beta: is not supported")
    weights = weights if attributes.get("transB", 0) else weights.T
    return Layer(
        node.name, "linear", np.ascontiguousarray(weights), None if bias is None else bias.ravel()
    )


def _layer(node: Any, attributes: dict[str, Any], constants: dict[str, np.ndarray]) -> Layer | None:
    """The Layer of a node, or None where it is glue."""
    known = [constants.get(name) for name in node.input[1:]]
    if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul") or any(
        k is None for k in known
    ):
        return None
    if node.op_type == "MatMul" and known[0].ndim != 2:
        return None
    return (_window if node.op_type.startswith("Conv") else _gemm)(node, attributes, *known)


def from_model(model: onnx.ModelProto, name: str = "network") -> Graph:
    """The Graph of a loaded ONNX model."""
    proto = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.initializer}
    nodes = []
    for index, node in enumerate(proto.node):
        node.name = node.name or f"{node.op_type}_{index}"
        attributes = _attributes(node)
        if node.op_type == "Constant":
            constants[node.output[0]] = attributes["value"]
            continue
        layer = _layer(node, attributes, constants)
        if layer is not None:
            nodes.append(Node(LAYER, node.name, [node.input[0]], list(node.output), layer=layer))
        elif node.op_type not in GLUE:
            raise OnnxError(f"{node.name} ({node.op_type}): is not supported")
        elif all(value in constants for value in node.input if value):
            made = GLUE[node.op_type](attributes, *(constants.get(value) for value in node.input))
            constants[node.output[0]] = np.asarray(made)
        else:
            nodes.append(
                Node(node.op_type, node.name, list(node.input), list(node.output), attributes)
            )
    inputs = [i.name for i in proto.input if i.name not in constants]
    return fold.fold(Graph(name, nodes, inputs, [o.name for o in proto.output], constants))


def read(path: str | pathlib.Path) -> Graph:
    """The Graph of an ONNX file."""
    return from_model(onnx.load(str(path)), str(path))

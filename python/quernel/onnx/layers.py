# SPDX-License-Identifier: Apache-2.0
"""Nodes as layers: what a Conv, ConvTranspose, Gemm or MatMul computes, or why it is no layer, and
the activation that the nodes behind it are."""

from __future__ import annotations

import math

import numpy as np
import onnx

from .. import fold
from ..layer import Activation, Layer
from .model import Net, attributes


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
        if bias.size != 1 and (bias.size, bias.shape[-1]) != (len(w), len(w)):
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

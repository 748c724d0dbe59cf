# SPDX-License-Identifier: Apache-2.0
"""What lies between the layers of a graph, in NumPy: function(attributes, *inputs), named like
ONNX's operators and with their meaning. An input that is left out is None."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

GLUE = {}


def glue(function: Callable) -> Callable:
    GLUE[function.__name__] = function
    return function


def _elementwise(name: str, function: Any) -> None:
    GLUE[name] = lambda attributes, *inputs: function(*inputs)


for _name, _function in {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Pow": np.power,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "MatMul": np.matmul,
    "Identity": lambda x: x,
    "Relu": lambda x: np.maximum(x, np.float32(0)),
    "Div": lambda a, b: a // b if a.dtype.kind == "i" else a / b,
    "Shape": lambda x: np.array(x.shape, np.int64),
}.items():
    _elementwise(_name, _function)


@glue
def Sigmoid(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1))


@glue
def HardSigmoid(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return np.clip(
        np.float32(attributes.get("alpha", 0.2)) * x + np.float32(attributes.get("beta", 0.5)), 0, 1
    )


@glue
def LeakyRelu(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, x, x * np.float32(attributes.get("alpha", 0.01)))


@glue
def PRelu(attributes: dict[str, Any], x: np.ndarray, slopes: np.ndarray | None) -> np.ndarray:
    return np.where(x >= 0, x, x * slopes)


@glue
def Clip(
    attributes: dict[str, Any], x: np.ndarray, lo: float | None = None, hi: float | None = None
) -> np.ndarray:
    lo, hi = (
        attributes.get(key) if given is None else given for key, given in (("min", lo), ("max", hi))
    )
    return np.clip(x, lo, hi).astype(x.dtype)


@glue
def Softmax(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    axis = attributes.get("axis", -1)
    raised = np.exp(x - x.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


@glue
def BatchNormalization(
    attributes: dict[str, Any],
    x: np.ndarray,
    scale: float,
    bias: np.ndarray | None,
    mean: Any,
    variance: Any,
) -> np.ndarray:
    factor = scale / np.sqrt(variance + np.float32(attributes.get("epsilon", 1e-5)))
    per_channel = (-1, *(1,) * (x.ndim - 2))
    return x * factor.reshape(per_channel) + (bias - mean * factor).reshape(per_channel)


@glue
def Concat(attributes: dict[str, Any], *inputs: Any) -> np.ndarray:
    return np.concatenate(inputs, axis=attributes["axis"])


@glue
def Cast(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return np.asarray(x).astype(
        {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 11: np.float64}[attributes["to"]]
    )


@glue
def Reshape(attributes: dict[str, Any], x: np.ndarray, shape: tuple) -> np.ndarray:
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape.tolist())])


@glue
def Flatten(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    axis = attributes.get("axis", 1)
    return x.reshape(int(np.prod(x.shape[:axis])), -1)


@glue
def Transpose(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return x.transpose(attributes.get("perm"))


@glue
def Squeeze(
    attributes: dict[str, Any], x: np.ndarray, axes: np.ndarray | None = None
) -> np.ndarray:
    axes = attributes.get("axes") if axes is None else axes
    return np.squeeze(x, None if axes is None else tuple(axes))


@glue
def Unsqueeze(
    attributes: dict[str, Any], x: np.ndarray, axes: np.ndarray | None = None
) -> np.ndarray:
    return np.expand_dims(x, tuple(attributes["axes"] if axes is None else axes))


@glue
def Gather(attributes: dict[str, Any], x: np.ndarray, indices: Any) -> np.ndarray:
    return np.take(x, indices, axis=attributes.get("axis", 0))


@glue
def Slice(
    attributes: dict[str, Any],
    x: np.ndarray,
    starts: Any,
    ends: Any,
    axes: np.ndarray | None = None,
    steps: Any = None,
) -> np.ndarray:
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    cut = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        cut[axis] = slice(int(start), int(end) if abs(int(end)) < 1 << 31 else None, int(step))
    return x[tuple(cut)]


@glue
def ReduceMean(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return x.mean(
        axis=tuple(attributes["axes"]),
        keepdims=bool(attributes.get("keepdims", 1)),
        dtype=np.float32,
    )


@glue
def GlobalAveragePool(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return x.mean(axis=(2, 3), keepdims=True, dtype=np.float32)


def _pool(attributes: dict[str, Any], x: np.ndarray, filler: float, join: Any) -> np.ndarray:
    """Windows joined by a function of two values, along lines and then along columns."""
    if (
        attributes.get("ceil_mode")
        or attributes.get("auto_pad", "NOTSET") != "NOTSET"
        or set(attributes.get("dilations", [1])) != {1}
    ):
        raise NotImplementedError(f"pooling with {attributes}: is not supported")
    pads = attributes.get("pads", [0, 0, 0, 0])
    for axis, kernel, step in zip(
        (2, 3), attributes["kernel_shape"], attributes.get("strides", [1, 1])
    ):
        edges = [(0, 0)] * 4
        edges[axis] = pads[axis - 2], pads[axis]
        padded = np.moveaxis(np.pad(x, edges, constant_values=filler), axis, 0)
        last = len(padded) - kernel
        x = np.moveaxis(
            functools.reduce(
                join, (padded[first : first + last + 1 : step] for first in range(kernel))
            ),
            0,
            axis,
        )
    return x


@glue
def MaxPool(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return _pool(attributes, x, -np.inf, np.maximum)


@glue
def AveragePool(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Padding counts in neither the sum nor the number, unless it is asked for."""
    if attributes.get("count_include_pad"):
        return _pool(attributes, x, 0.0, np.add) / np.float32(np.prod(attributes["kernel_shape"]))
    return _pool(attributes, x, 0.0, np.add) / _pool(
        attributes, np.ones((1, 1, *x.shape[2:]), np.float32), 0.0, np.add
    )


@glue
def Resize(
    attributes: dict[str, Any],
    x: np.ndarray,
    roi: Any = None,
    scales: Any = None,
    sizes: Any = None,
) -> np.ndarray:
    """nearest with whole factors, or cubic to half the size: those that the networks here ask
    for."""
    factors = (
        np.asarray(scales[2:], float)
        if sizes is None or not len(sizes)
        else np.asarray(sizes[2:]) / x.shape[2:]
    )
    if attributes.get("mode") == "cubic" and (factors == 0.5).all():
        return _halve_cubic(x, attributes.get("cubic_coeff_a", -0.75))
    if attributes.get("mode", "nearest") != "nearest" or (factors % 1).any():
        raise NotImplementedError(
            f"Resize: mode {attributes.get('mode')} by {factors}: is not supported"
        )
    return x.repeat(int(factors[0]), axis=2).repeat(int(factors[1]), axis=3)


def _halve_cubic(x: np.ndarray, a: float) -> np.ndarray:
    """Cubic interpolation in the middle between pixels, with repeated edges."""
    for axis in (2, 3):
        edges = [(0, 0)] * 4
        edges[axis] = (1, 1)
        padded = np.moveaxis(np.pad(x, edges, mode="edge"), axis, 0)
        half = len(padded) // 2 - 1
        outer, inner = (
            padded[0::2][:half] + padded[3::2][:half],
            padded[1::2][:half] + padded[2::2][:half],
        )
        x = np.moveaxis(np.float32(a / 8) * outer + np.float32(0.5 - a / 8) * inner, 0, axis)
    return np.ascontiguousarray(x)


@glue
def DepthToSpace(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Mode CRD: the channel's own index is the outer one."""
    n, c, h, w = x.shape
    b = attributes["blocksize"]
    return (
        x.reshape(n, c // b**2, b, b, h, w)
        .transpose(0, 1, 4, 2, 5, 3)
        .reshape(n, c // b**2, h * b, w * b)
    )

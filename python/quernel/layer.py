# SPDX-License-Identifier: Apache-2.0
"""A layer as data: what it computes in float, how its tensors are coded in int8, and the pair as
something that runs."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import _native as native
from . import operators as ops


def _hsigmoid(t: np.ndarray) -> np.ndarray:
    return np.clip(t + np.float32(3), 0, 6) * np.float32(1 / 6)


def _sigmoid(t: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * t) + np.float32(1))


# Name → the library's number, and the function in float.
FUNCTIONS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "none": (ops.NONE, lambda t: t),
    "relu": (ops.RELU, lambda t: np.maximum(t, np.float32(0))),
    "hswish": (ops.HSWISH, lambda t: t * _hsigmoid(t)),
    "hsigmoid": (ops.HSIGMOID, _hsigmoid),
    "silu": (ops.SILU, lambda t: t * _sigmoid(t)),
    "gelu": (
        ops.GELU,
        lambda t: t * (0.5 + 0.5 * np.vectorize(math.erf, [np.float32])(t * np.float32(0.5**0.5))),
    ),
    "sigmoid": (ops.SIGMOID, _sigmoid),
    "tanh": (ops.TANH, np.tanh),
}
PARAMETRIC = {"clamp": ops.CLAMP, "leaky": ops.LEAKY, "prelu": ops.PRELU}


@dataclasses.dataclass(frozen=True)
class Activation:
    """One of FUNCTIONS, or clamp (lo, hi), leaky (slope), prelu (slopes, one per output
    channel)."""

    kind: str = "none"
    lo: float = 0.0
    hi: float = 0.0
    slope: float = 0.0
    slopes: np.ndarray | None = None

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """In float, on [n, c, …]."""
        if self.kind in FUNCTIONS:
            return FUNCTIONS[self.kind][1](y)
        if self.kind == "clamp":
            return np.clip(y, np.float32(self.lo), np.float32(self.hi))
        slope: Any = self.slope
        if self.slopes is not None:
            slope = self.slopes.reshape(-1, *(1,) * (y.ndim - 2))
        return np.where(y >= 0, y, y * np.float32(slope))

    def epilogue(self) -> dict[str, Any]:
        """What the library's epilogue is told."""
        number = FUNCTIONS[self.kind][0] if self.kind in FUNCTIONS else PARAMETRIC[self.kind]
        return {
            "activation": number,
            "lo": self.lo,
            "hi": self.hi,
            "slope": self.slope,
            "slopes": self.slopes,
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """A convolution, a transposed convolution or a linear layer in float, with the activation
    behind it."""

    name: str
    kind: str  # "conv2d", "deconv2d", "linear"
    # float32 [out, in/groups, kh, kw], [in, out/groups, kh, kw], [out, in]
    weights: np.ndarray
    bias: np.ndarray | None = None
    stride: tuple = (1, 1)
    pad: tuple = (0, 0, 0, 0)  # top, left, bottom, right
    dilation: tuple = (1, 1)
    groups: int = 1
    output_pad: tuple = (0, 0)  # deconv2d: lines and columns added at the end
    activation: Activation = Activation()
    residual_after: bool = False  # what is added to the output comes behind the activation
    # of the weights in int8, [out], where they were rounded for it
    scale: np.ndarray | None = None

    @property
    def channels(self) -> tuple[int, int]:
        """(in, out)."""
        first, second = self.weights.shape[:2]
        return (
            (first, second * self.groups)
            if self.kind == "deconv2d"
            else (second * self.groups, first)
        )

    def output_size(self, size: tuple) -> tuple:
        """Lines and columns of the output for those of the input."""
        reach = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.weights.shape[2:])]
        pads = self.pad[0] + self.pad[2], self.pad[1] + self.pad[3]
        if self.kind == "deconv2d":
            return tuple(
                (n - 1) * s + r - p + o
                for n, s, r, p, o in zip(size, self.stride, reach, pads, self.output_pad)
            )
        return tuple((n + p - r) // s + 1 for n, p, r, s in zip(size, pads, reach, self.stride))

    def output_shape(self, shape: tuple) -> tuple:
        if self.kind == "linear":
            return (*shape[:-1], self.channels[1])
        return (shape[0], self.channels[1], *self.output_size(shape[2:]))

    def keeps_size(self) -> bool:
        """Whether the output has the lines and columns of the input, whatever they are."""
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.weights.shape[2:])]
        return (
            self.kind == "conv2d"
            and self.stride == (1, 1)
            and reach == [self.pad[0] + self.pad[2], self.pad[1] + self.pad[3]]
        )

    def macs(self, shape: tuple) -> int:
        """Multiply-adds for an input of this shape; padding counts, as in a matrix product."""
        places = (
            np.prod(shape[:-1])
            if self.kind == "linear"
            else shape[0]
            * np.prod(shape[2:] if self.kind == "deconv2d" else self.output_size(shape[2:]))
        )
        return int(self.weights.size * places)

    def largest_weights(self) -> np.ndarray:
        """Largest |weight| of each input channel, [in]."""
        w = np.abs(self.weights)
        if self.kind == "deconv2d":
            return w.reshape(len(w), -1).max(axis=1)
        w = w.reshape(self.groups, len(w) // self.groups, w.shape[1], -1)
        return w.max(axis=(1, 3)).ravel()

    def dead(self) -> np.ndarray:
        """Which output channels are 0 whatever the layer reads, [out]."""
        w = (
            self.weights.reshape(self.groups, -1, *self.weights.shape[1:])
            if self.kind == "deconv2d"
            else self.weights
        )
        used = (
            w.any(axis=(1, 3, 4)).ravel()
            if self.kind == "deconv2d"
            else w.reshape(len(w), -1).any(axis=1)
        )
        rest = np.zeros(self.channels[1], np.float32) if self.bias is None else self.bias
        return ~used & (self.activation(rest[None])[0] == 0)

    def __call__(self, x: np.ndarray, residual: np.ndarray | None = None) -> np.ndarray:
        """The layer in float, by NumPy alone: the reference of everything that is quantized.
        residual: added to it."""
        y = {"conv2d": self._conv2d, "deconv2d": self._deconv2d, "linear": self._linear}[self.kind](
            x
        )
        if self.bias is not None:
            y += self.bias if self.kind == "linear" else self.bias.reshape(-1, 1, 1)
        if residual is None:
            return self.activation(y)
        return (
            self.activation(y) + residual if self.residual_after else self.activation(y + residual)
        )

    def _linear(self, x: np.ndarray) -> np.ndarray:
        return x @ self.weights.T

    def _taps(self, image: np.ndarray, size: tuple) -> Iterator[tuple[int, int, np.ndarray]]:
        """For each tap the pixels that it meets: (row, column, view [n, c, *size])."""
        step, apart = self.stride, self.dilation
        for r, s in np.ndindex(*self.weights.shape[2:]):
            first = r * apart[0], s * apart[1]
            yield (
                r,
                s,
                image[
                    :,
                    :,
                    first[0] : first[0] + step[0] * (size[0] - 1) + 1 : step[0],
                    first[1] : first[1] + step[1] * (size[1] - 1) + 1 : step[1],
                ],
            )

    def _conv2d(self, x: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.pad
        size, (_, out) = self.output_size(x.shape[2:]), self.channels
        padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right))) if any(self.pad) else x
        w = self.weights.reshape(self.groups, out // self.groups, *self.weights.shape[1:])
        y = np.zeros((len(x), self.groups, out // self.groups, size[0] * size[1]), np.float32)
        for r, s, seen in self._taps(padded, size):
            seen = seen.reshape(len(x), self.groups, -1, y.shape[-1])
            y += w[..., r, s] * seen if seen.shape[2] == 1 else w[..., r, s] @ seen
        return y.reshape(len(x), out, *size)

    def _deconv2d(self, x: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.pad
        size, (inputs, out) = self.output_size(x.shape[2:]), self.channels
        whole = np.zeros((len(x), out, size[0] + top + bottom, size[1] + left + right), np.float32)
        w = self.weights.reshape(
            self.groups, inputs // self.groups, out // self.groups, *self.weights.shape[2:]
        )
        flat = x.reshape(len(x), self.groups, inputs // self.groups, -1)
        for r, s, met in self._taps(whole, x.shape[2:]):
            met += (w[..., r, s].swapaxes(1, 2) @ flat).reshape(met.shape)
        return whole[:, :, top : top + size[0], left : left + size[1]]


@dataclasses.dataclass(frozen=True, eq=False)
class Coding:
    """How one tensor is held in int8: x = smooth·scale·(q − zero); smooth has one factor per
    channel, or, for an input of convolutions, one per im2col column [c, kh, kw], or is None.
    Without a scale it is computed in each run: per image, or per row of a linear layer."""

    scale: float | None = None
    zero: int = 0
    type: int = ops.U8
    smooth: np.ndarray | None = None

    def quant(self, kind: str) -> dict[str, Any]:
        """What an operator of that kind is told of its input."""
        if self.scale is None:
            mode = ops.DYNAMIC_ROW if kind == "linear" else ops.DYNAMIC_CALL
            return {"mode": mode, "type": self.type, "asymmetric": int(self.type == ops.U8)}
        return {"scale": self.scale, "zero": self.zero, "type": self.type}

    def between(self) -> bool:
        """Whether layers can hand the tensor on in it."""
        return self.scale is not None and (self.smooth is None or self.smooth.ndim == 1)

    def epilogue(self) -> dict[str, Any]:
        return {"y_scale": self.scale, "y_zero": self.zero, "y_smooth": self.smooth}


class Coded:
    """A tensor in int8 between two layers: a Chain and what its numbers mean."""

    def __init__(
        self, shape: tuple, coding: Coding, border: tuple, memory: np.ndarray | None = None
    ) -> None:
        """memory: see Chain."""
        n, c, h, w = shape
        self.shape, self.coding, self.border = shape, coding, border
        self.chain = ops.Chain(n, c, h, w, coding.type, border, memory)

    def float(self) -> np.ndarray:
        """float32 [n, c, h, w]."""
        x = (self.chain.numpy().astype(np.float32) - self.coding.zero) * np.float32(
            self.coding.scale
        )
        x = x if self.coding.smooth is None else x * self.coding.smooth
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def view(array: np.ndarray) -> native.Tensor | None:
    """The library's description of [n, c, h, w], whichever axis is innermost; None where it must be
    copied first."""
    unit = array.itemsize
    strides = [
        unit if size == 1 and axis in (1, 3) else stride
        for axis, (size, stride) in enumerate(zip(array.shape, array.strides))
    ]
    if min(strides) <= 0 or unit not in (array.strides[3], array.strides[1], strides[3]):
        return None
    planar = array.strides[3] == unit or array.strides[1] != unit
    found = (
        ops.describe(array, ops.NCHW)
        if planar
        else ops.describe(array.transpose(0, 2, 3, 1), ops.NHWC)
    )
    found.stride_w = 1 if planar else found.stride_w
    return found


@contextlib.contextmanager
def about(*layers: Layer) -> Iterator[None]:
    """Notes on what the library refuses inside which layers that is about."""
    try:
        yield
    except native.QuernelError as problem:
        problem.layers = problem.layers or tuple(layer.name for layer in layers)
        raise


@functools.cache
def _pool(threads: int, process: int) -> ops.Pool:
    return ops.Pool(threads)


def pool(threads: int) -> ops.Pool | None:
    """The library's threads, made once per number of them and process: a forked one has none of its
    parent's. None for one."""
    return _pool(threads, os.getpid()) if threads > 1 else None


class QuantLayer:
    """A layer and the coding of its input, packed. Operators are made per shape and kept; any
    thread may call it."""

    SHAPES_KEPT = 8

    def __init__(self, layer: Layer, coding: Coding) -> None:
        self.layer, self.coding = layer, coding
        stride = layer.stride if layer.kind == "deconv2d" else (0, 0)
        with about(layer):
            self.packed = ops.Weights(
                layer.weights,
                layer.kind,
                layer.groups,
                coding.smooth,
                layer.scale,
                deconv_stride=stride,
            )
        self._operators: collections.OrderedDict[tuple, ops.Operator] = collections.OrderedDict()

    def __call__(
        self, x: Any, coding: Coding | None = None, border: tuple = (0, 0), threads: int = 1
    ) -> Any:
        """The output for x (float32, or Coded): float32 like x, or, with the coding its readers
        want, Coded."""
        self.check(x)
        shape = self.layer.output_shape(x.shape)
        if coding is not None:
            return self.run(x, Coded(shape, coding, border), threads)
        if isinstance(x, Coded) or x.ndim != 4 or x.strides[1] != x.itemsize or x.shape[1] == 1:
            return self.run(x, np.empty(shape, np.float32), threads)
        n, c, h, w = shape
        return self.run(x, np.empty((n, h, w, c), np.float32).transpose(0, 3, 1, 2), threads)

    def run(self, x: Any, y: Any, threads: int = 1) -> Any:
        """Into y (float32 array or Coded)."""
        if self.layer.kind == "linear":
            return self._run_linear(x, y, threads)
        source: Any
        source, target = (t.chain if isinstance(t, Coded) else t for t in (x, y))
        if source is x and view(x) is None:
            source = np.ascontiguousarray(x)
        geometry: list[Any] = [
            t.desc if isinstance(t, ops.Chain) else view(t) for t in (source, target)
        ]
        operator = self._operator(
            (*map(bytes, geometry), threads), self._create_window, *geometry, y, threads
        )
        operator(source, target, pool=pool(threads))
        return y

    def explain(self) -> list[str]:
        """What the library chose, one line per shape that was run."""
        return [operator.explain() for operator in self._operators.values()]

    def check(self, x: np.ndarray | Coded) -> None:
        """Refuses an input that does not fit the layer."""
        if isinstance(x, Coded):
            return
        if x.dtype != np.float32:
            raise TypeError(f"{self.layer.name}: x: {x.dtype}: must be float32")
        axis = x.ndim - 1 if self.layer.kind == "linear" else 1
        if self.layer.kind != "linear" and x.ndim != 4:
            raise ValueError(f"{self.layer.name}: x: {x.ndim} dimensions: must be 4")
        if x.shape[axis] != self.layer.channels[0]:
            raise ValueError(
                f"{self.layer.name}: x: {x.shape[axis]} channels: must be {self.layer.channels[0]}"
            )
        if min(self.layer.output_shape(x.shape)) < 1:
            raise ValueError(f"{self.layer.name}: x: shape {x.shape}: leaves nothing of the output")

    def _operator(
        self, key: tuple, create: Callable[..., ops.Operator], *arguments: Any
    ) -> ops.Operator:
        found = self._operators.get(key)
        if found is None:
            with about(self.layer):
                found = self._operators[key] = create(*arguments)
            while len(self._operators) > self.SHAPES_KEPT:
                self._operators.popitem(last=False)
        return found

    def _epilogue(self, y: np.ndarray | Coded) -> dict[str, Any]:
        output = y.coding.epilogue() if isinstance(y, Coded) else {}
        return {"bias": self.layer.bias, **self.layer.activation.epilogue(), **output}

    def _create_window(
        self, source: Any, target: Any, y: np.ndarray | Coded, threads: int
    ) -> ops.Operator:
        layer = self.layer
        window = self.packed, source, target, layer.stride, layer.pad, layer.dilation
        how: dict[str, Any] = {
            "quant": self.coding.quant(layer.kind),
            "epilogue": self._epilogue(y),
            "threads": threads,
        }
        if layer.kind == "deconv2d":
            return ops.deconv2d(*window, layer.output_pad, **how)
        return ops.conv2d(*window, **how)

    def _run_linear(self, x: np.ndarray, y: np.ndarray, threads: int) -> Any:
        rows = x.reshape(-1, x.shape[-1])
        if rows.strides[1] != rows.itemsize or rows.strides[0] <= 0:
            rows = np.ascontiguousarray(rows)
        target = y.reshape(len(rows), -1)
        key = rows.shape, rows.strides, target.strides, threads
        operator = self._operator(
            key,
            ops.linear,
            self.packed,
            rows,
            target,
            self.coding.quant("linear"),
            self._epilogue(y),
            threads,
        )
        operator(rows, target, pool=pool(threads))
        return y

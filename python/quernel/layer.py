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
from . import arrays
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

    def is_same(self, other: Coding) -> bool:
        """Whether the same numbers mean the same in both."""
        numbers = (self.scale, self.zero, self.type) == (other.scale, other.zero, other.type)
        return numbers and np.array_equal(self.factors(), other.factors())

    def factors(self) -> np.ndarray:
        """Those of smoothing; of none where there are none."""
        return np.ones(0, np.float32) if self.smooth is None else self.smooth

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
        self.ndim, self.shape, self.coding, self.border = 4, tuple(shape), coding, border
        self.chain = ops.Chain(n, c, h, w, coding.type, border, memory)

    def float(self) -> np.ndarray:
        """float32 [n, c, h, w]."""
        x = (self.chain.numpy().astype(np.float32) - self.coding.zero) * np.float32(
            self.coding.scale
        )
        x = x if self.coding.smooth is None else x * self.coding.smooth
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


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
        self.check(x)
        source, read = self._source(x)
        target, written = self._target(y, self.layer.output_shape(x.shape))
        key = bytes(read), bytes(written), getattr(y, "coding", None), threads
        operator = self._operator(key, read, written, y, threads)
        operator(source, target, pool=pool(threads))
        return y

    def _source(self, x: Any) -> tuple[Any, native.Tensor]:
        if isinstance(x, Coded):
            return x.chain, x.chain.desc
        linear = self.layer.kind == "linear"
        return arrays.source("x", x.reshape(-1, x.shape[-1]) if linear else x)

    def _target(self, y: Any, shape: tuple) -> tuple[Any, native.Tensor]:
        if isinstance(y, Coded):
            if y.shape != shape:
                raise ValueError(f"{self.layer.name}: y: shape {y.shape}: must be {shape}")
            return y.chain, y.chain.desc
        y = arrays.expect("y", y, shape)
        return arrays.in_place("y", arrays.in_rows("y", y) if self.layer.kind == "linear" else y)

    def explain(self) -> list[str]:
        """What the library chose, one line per shape that was run."""
        return [operator.explain() for operator in self._operators.values()]

    def check(self, x: Any) -> None:
        """Refuses an input that does not fit the layer."""
        name = f"{self.layer.name}: x"
        linear = self.layer.kind == "linear"
        if isinstance(x, Coded):
            if linear or not x.coding.is_same(self.coding):
                raise ValueError(f"{name}: coding: must be that of the layer's input")
        else:
            arrays.float32(name, x)
        axis = x.ndim - 1 if linear else 1
        if x.ndim != 4 and not linear:
            raise ValueError(f"{name}: {x.ndim} dimensions: must be 4")
        if x.ndim == 0 or x.shape[axis] != self.layer.channels[0]:
            found = x.shape[axis] if x.ndim else 0
            raise ValueError(f"{name}: {found} channels: must be {self.layer.channels[0]}")
        if min(self.layer.output_shape(x.shape)) < 1:
            raise ValueError(f"{name}: shape {x.shape}: leaves nothing of the output")

    def _operator(self, key: tuple, *arguments: Any) -> ops.Operator:
        found = self._operators.get(key)
        if found is None:
            with about(self.layer):
                found = self._operators[key] = self._create(*arguments)
            while len(self._operators) > self.SHAPES_KEPT:
                self._operators.popitem(last=False)
        return found

    def _epilogue(self, y: np.ndarray | Coded) -> dict[str, Any]:
        output = y.coding.epilogue() if isinstance(y, Coded) else {}
        return {"bias": self.layer.bias, **self.layer.activation.epilogue(), **output}

    def _create(self, source: Any, target: Any, y: Any, threads: int) -> ops.Operator:
        layer = self.layer
        how: dict[str, Any] = {
            "quant": self.coding.quant(layer.kind),
            "epilogue": self._epilogue(y),
            "threads": threads,
        }
        if layer.kind == "linear":
            return ops.linear(self.packed, source, target, **how)
        window = self.packed, source, target, layer.stride, layer.pad, layer.dilation
        if layer.kind == "deconv2d":
            return ops.deconv2d(*window, layer.output_pad, **how)
        return ops.conv2d(*window, **how)

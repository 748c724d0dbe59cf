# SPDX-License-Identifier: Apache-2.0
"""The operators of the C library on NumPy arrays. Nothing is converted: arrays are used in place,
by their strides."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _native as native
from ._native import lib

F32, BF16, S32, S8, U8 = range(5)
NHWC, NCHW = 0, 1
STATIC, DYNAMIC_CALL, DYNAMIC_ROW = range(3)
NONE, RELU, CLAMP, LEAKY, PRELU, HSWISH, HSIGMOID, SILU, GELU, SIGMOID, TANH = range(11)
_TYPES = {
    np.dtype(np.float32): F32,
    np.dtype(np.int32): S32,
    np.dtype(np.int8): S8,
    np.dtype(np.uint8): U8,
}
_DTYPES = {F32: np.float32, BF16: np.uint16, S32: np.int32, S8: np.int8, U8: np.uint8}


def version() -> str:
    return lib.quernel_version().decode()


def _floats(values: Any, size: int | None = None) -> np.ndarray:
    array = np.ascontiguousarray(values, np.float32)
    if size is not None and array.size != size:
        raise ValueError(f"{array.size} values where {size} are needed")
    return array


def _address(array: np.ndarray | None) -> int | None:
    return None if array is None else array.ctypes.data


def _aligned(count: int, dtype: Any) -> np.ndarray:
    """Uninitialized array whose first element is aligned to 64 bytes."""
    size = count * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + size].view(dtype)


KINDS = {"linear": 0, "conv2d": 1, "deconv2d": 2}


def weights_desc(
    data: Any, kind: str | None = None, groups: int = 1, deconv_stride: tuple = (0, 0)
) -> tuple[native.WeightsDesc, np.ndarray]:
    """The library's description of weights, and the array that it points to."""
    data = np.ascontiguousarray(data)
    if data.dtype not in _TYPES:
        raise TypeError(f"weights: {data.dtype}: must be float32, int8 or uint8")
    kind = kind or ("linear" if data.ndim == 2 else "conv2d")
    out, in_ = data.shape[:2]
    out, in_ = (out, in_ * groups) if kind != "deconv2d" else (in_ * groups, out)
    kernel = data.shape[2:] if data.ndim == 4 else (1, 1)
    d = native.WeightsDesc(
        c.sizeof(native.WeightsDesc),
        KINDS[kind],
        _TYPES[data.dtype],
        out,
        in_,
        *kernel,
        groups,
        _address(data),
    )
    d.deconv_stride_h, d.deconv_stride_w = deconv_stride
    return d, data


class Weights:
    """Packed weights. `data` is float32 or int8: [out, in] (linear), [out, in/groups, kh, kw]
    (conv2d), or with kind="deconv2d" [in, out/groups, kh, kw]. `smooth` holds one factor per input
    channel, or one per weight of an input channel ([in, kh, kw]): then im2col columns are smoothed.
    deconv_stride: (0, 0) is the kernel."""

    def __init__(
        self,
        data: Any,
        kind: str | None = None,
        groups: int = 1,
        smooth: np.ndarray | None = None,
        scale: np.ndarray | None = None,
        zero: np.ndarray | None = None,
        deconv_stride: tuple = (0, 0),
    ) -> None:
        d, _keep = weights_desc(data, kind, groups, deconv_stride)
        if smooth is not None:
            smooth = _floats(smooth)
            d.smooth_kind, d.smooth = (1 if smooth.size == d.in_ else 2), _address(smooth)
            if smooth.size not in (d.in_, d.in_ * d.kernel_h * d.kernel_w):
                raise ValueError(f"{smooth.size} smoothing factors for {d.in_} channels")
        scale = None if scale is None else _floats(scale, d.out)
        zero = None if zero is None else np.ascontiguousarray(zero, np.int32)
        d.scale, d.zero = _address(scale), _address(zero)
        self.out, self.in_, self.kernel = d.out, d.in_, (d.kernel_h, d.kernel_w)
        self.handle = c.c_void_p()
        native.call(lib.quernel_weights_pack, c.byref(d), c.byref(self.handle))

    @property
    def packed_bytes(self) -> int:
        info = native.WeightsInfo(c.sizeof(native.WeightsInfo))
        lib.quernel_weights_get(self.handle, c.byref(info))
        return info.packed_bytes

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            lib.quernel_weights_release(self.handle)


class Chain:
    """An int8 NHWC tensor with a border, as layers that follow one another in int8 exchange it."""

    def __init__(
        self,
        n: int,
        channels: int,
        h: int,
        w: int,
        type: int = U8,
        border: tuple = (1, 1),
        memory: np.ndarray | None = None,
    ) -> None:
        """memory: contiguous, [n, h, w, channels] with the border of h and w; by default its own,
        from the first pixel aligned to a cache line."""
        self.desc = native.Tensor(type, NHWC, n, channels, h, w)
        size, offset = c.c_size_t(), c.c_size_t()
        native.call(
            lib.quernel_chain_describe, c.byref(self.desc), *border, c.byref(size), c.byref(offset)
        )
        d = self.desc
        if memory is None:
            self._offset, self.memory = offset.value, _aligned(size.value, _DTYPES[type])
        else:
            self._offset = d.border_h * d.stride_h + d.border_w * d.stride_w
            self.memory = memory.reshape(-1)
        self.address = self.memory.ctypes.data + self._offset

    def numpy(self) -> np.ndarray:
        """The real pixels as an array [n, h, w, c] on the same memory."""
        d = self.desc
        return np.lib.stride_tricks.as_strided(
            self.memory[self._offset :],
            (d.n, d.h, d.w, d.c),
            (d.stride_n, d.stride_h, d.stride_w, 1),
        )


def describe(array: np.ndarray, layout: int) -> native.Tensor:
    """A tensor of the library for a 4-dimensional array whose axes are in the order of `layout`."""
    axes = "nchw" if layout == NCHW else "nhwc"
    if array.dtype not in _TYPES:
        raise TypeError(f"tensor: {array.dtype}: must be float32, int32, int8 or uint8")
    sizes = dict(zip(axes, array.shape))
    strides = {axis: stride // array.itemsize for axis, stride in zip(axes, array.strides)}
    return native.Tensor(
        _TYPES[array.dtype],
        layout,
        sizes["n"],
        sizes["c"],
        sizes["h"],
        sizes["w"],
        strides["n"],
        strides["c"],
        strides["h"],
        strides["w"],
    )


def quant_desc(
    scale: float = 1.0,
    zero: int = 0,
    type: int = U8,
    mode: int = STATIC,
    asymmetric: int = 0,
    narrow: int = 0,
) -> native.Quant:
    return native.Quant(mode, type, scale, zero, narrow, asymmetric)


def epilogue_desc(
    out: int,
    keep: list,
    bias: np.ndarray | None = None,
    activation: int = NONE,
    lo: float = 0.0,
    hi: float = 0.0,
    slope: float = 0.0,
    slopes: np.ndarray | None = None,
    y_type: int = F32,
    y_scale: float = 1.0,
    y_zero: int = 0,
    y_smooth: np.ndarray | None = None,
    residual: int | None = None,
    residual_scale: float = 1.0,
    residual_zero: int = 0,
) -> native.Epilogue:
    f = native.Epilogue(
        y_scale=y_scale,
        y_type=y_type,
        y_zero=y_zero,
        activation=activation,
        lo=lo,
        hi=hi,
        slope=slope,
        residual_scale=residual_scale,
        residual_zero=residual_zero,
    )
    if bias is not None:
        f.bias_type = S32 if np.asarray(bias).dtype == np.int32 else F32
        keep.append(np.ascontiguousarray(bias) if f.bias_type == S32 else _floats(bias, out))
        f.bias = _address(keep[-1])
    for name, values in (("slopes", slopes), ("y_smooth", y_smooth)):
        if values is not None:
            keep.append(_floats(values, out))
            setattr(f, name, _address(keep[-1]))
    if residual is not None:
        f.residual, f.residual_type = 1, residual
    return f


def workspace(size: int) -> np.ndarray:
    """Memory for a run."""
    return _aligned(max(size, 64), np.uint8)


def explain(handle: Any) -> str:
    """What the library chose for an operator."""
    text = c.create_string_buffer(512)
    lib.quernel_operator_explain(handle, text, len(text))
    return text.value.decode()


class Operator:
    """A created operator. Any number of threads may call it: each call takes a workspace that no
    other one uses."""

    def __init__(self, create: Any, desc: Any, weights: Weights) -> None:
        self.weights = weights
        self.handle = c.c_void_p()
        native.call(create, c.byref(desc), c.byref(self.handle))
        self.workspace_bytes = lib.quernel_operator_workspace(self.handle)
        self._workspaces = [workspace(self.workspace_bytes)]

    def __call__(self, x: Any, y: Any, residual: Any = None, pool: Pool | None = None) -> Any:
        """Runs. Tensors are arrays or Chains as described at creation; their shapes are not looked
        at again."""
        memory = self._workspaces.pop() if self._workspaces else workspace(self.workspace_bytes)
        self._bound(x, y, residual, pool, memory)()
        self._workspaces.append(memory)
        return y

    def bind(
        self, x: Any, y: Any, residual: Any = None, pool: Pool | None = None
    ) -> Callable[[], None]:
        """A call without arguments that runs on these tensors, for loops over small layers:
        addresses are looked up once. It has a workspace of its own, so it is for one thread at a
        time."""
        return self._bound(x, y, residual, pool, workspace(self.workspace_bytes))

    def _bound(
        self, x: Any, y: Any, residual: Any, pool: Pool | None, memory: np.ndarray
    ) -> Callable[[], None]:
        where = [
            t if t is None else t.address if isinstance(t, Chain) else t.ctypes.data
            for t in (x, residual, y)
        ]
        parallel = None if pool is None else c.byref(pool.parallel)
        arguments = (self.handle, *where, memory.ctypes.data, self.workspace_bytes, parallel)

        def run(keep: tuple = (self, x, y, residual, pool, memory)) -> None:
            native.call(lib.quernel_operator_run, *arguments)

        return run

    def explain(self) -> str:
        return explain(self.handle)

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            lib.quernel_operator_destroy(self.handle)


def _isa(name: str | None) -> int:
    if name is None:
        return -1
    value = c.c_int()
    if lib.quernel_isa_parse(name.encode(), c.byref(value)):
        raise ValueError(f"unknown instruction set: {name}")
    return value.value


def _tensor(t: Any, layout: int) -> native.Tensor:
    return (
        t.desc
        if isinstance(t, Chain)
        else t
        if isinstance(t, native.Tensor)
        else describe(t, layout)
    )


def _window(
    create: Any,
    weights: Weights,
    x: Any,
    y: Any,
    stride: tuple,
    pad: tuple,
    dilation: tuple,
    quant: dict[str, Any] | None,
    epilogue: dict[str, Any] | None,
    residual: Any,
    layout: int,
    threads: int,
    isa: str | None,
    config: str | None,
    out_pad: tuple = (0, 0),
) -> Operator:
    keep: list = []
    x, y = _tensor(x, layout), _tensor(y, layout)
    epilogue = dict(epilogue or {}, y_type=y.type)
    if residual is not None:
        residual = _tensor(residual, layout)
        epilogue["residual"] = residual.type
    d = native.Conv2dDesc(
        c.sizeof(native.Conv2dDesc),
        weights.handle,
        x,
        y,
        residual or native.Tensor(),
        *stride,
        *dilation,
        *pad,
        quant_desc(**(quant or {})),
        epilogue_desc(weights.out, keep, **epilogue),
        threads,
        _isa(isa),
        config.encode() if config else None,
        None,
        *out_pad,
    )
    return Operator(create, d, weights)


def conv2d(
    weights: Weights,
    x: Any,
    y: Any,
    stride: tuple = (1, 1),
    pad: tuple = (0, 0, 0, 0),
    dilation: tuple = (1, 1),
    quant: dict[str, Any] | None = None,
    epilogue: dict[str, Any] | None = None,
    residual: Any = None,
    layout: int = NCHW,
    threads: int = 1,
    isa: str | None = None,
    config: str | None = None,
) -> Operator:
    """A convolution from x to y (arrays, Chains or native.Tensor descriptions); pad is top, left,
    bottom, right. quant: scale, zero, type, mode, asymmetric, narrow. epilogue: bias, activation,
    lo, hi, slope, slopes, y_scale, y_zero, y_smooth, residual_scale, residual_zero."""
    return _window(
        lib.quernel_conv2d_create,
        weights,
        x,
        y,
        stride,
        pad,
        dilation,
        quant,
        epilogue,
        residual,
        layout,
        threads,
        isa,
        config,
    )


def deconv2d(
    weights: Weights,
    x: Any,
    y: Any,
    stride: tuple | None = None,
    pad: tuple = (0, 0, 0, 0),
    dilation: tuple = (1, 1),
    out_pad: tuple = (0, 0),
    quant: dict[str, Any] | None = None,
    epilogue: dict[str, Any] | None = None,
    layout: int = NCHW,
    threads: int = 1,
    isa: str | None = None,
    config: str | None = None,
) -> Operator:
    """A transposed convolution with the stride that the weights were packed for; by default it is
    the kernel."""
    return _window(
        lib.quernel_deconv2d_create,
        weights,
        x,
        y,
        stride or weights.kernel,
        pad,
        dilation,
        quant,
        epilogue,
        None,
        layout,
        threads,
        isa,
        config,
        out_pad,
    )


def linear(
    weights: Weights,
    x: np.ndarray,
    y: np.ndarray,
    quant: dict[str, Any] | None = None,
    epilogue: dict[str, Any] | None = None,
    threads: int = 1,
    isa: str | None = None,
    config: str | None = None,
) -> Operator:
    """y[m, n] = epilogue(x[m, k]·w[n, k]) for 2-dimensional arrays."""
    keep: list = []
    epilogue = dict(epilogue or {}, y_type=_TYPES[y.dtype])
    d = native.LinearDesc(
        c.sizeof(native.LinearDesc),
        weights.handle,
        x.shape[0],
        _TYPES[x.dtype],
        x.strides[0] // x.itemsize,
        y.strides[0] // y.itemsize,
        0,
        quant_desc(**(quant or {})),
        epilogue_desc(weights.out, keep, **epilogue),
        threads,
        _isa(isa),
        config.encode() if config else None,
        None,
    )
    return Operator(lib.quernel_linear_create, d, weights)


class Pool:
    """The library's threads, for Operator calls with pool=…; operators must be made for at least as
    many."""

    def __init__(self, threads: int) -> None:
        self.handle = c.c_void_p()
        native.call(lib.quernel_pool_create, threads, c.byref(self.handle))
        self.parallel = lib.quernel_pool_parallel(self.handle)

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            lib.quernel_pool_destroy(self.handle)


def smooth_factors(
    act_max: Any,
    weight_max: Any,
    alpha: float = 0.5,
    act_floor: float = 1 / 20,
    weight_floor: float = 1 / 1024,
) -> np.ndarray:
    """Smoothing factors from the largest |activation| and |weight| of each channel or column."""
    a, w = _floats(act_max), _floats(weight_max, np.size(act_max))
    s = np.empty_like(a)
    o = native.SmoothOptions(c.sizeof(native.SmoothOptions), alpha, act_floor, weight_floor)
    native.call(
        lib.quernel_smooth_factors, _address(a), _address(w), a.size, c.byref(o), _address(s)
    )
    return s


def quantize(
    x: Any, scale: float, zero: int = 0, type: int = U8, narrow: int = 0, divide: int = 0
) -> np.ndarray:
    x = _floats(x)
    q = np.empty(x.shape, _DTYPES[type])
    native.call(
        lib.quernel_quantize, _address(x), x.size, scale, zero, type, narrow, divide, _address(q)
    )
    return q


def dequantize(q: np.ndarray, scale: float, zero: int = 0) -> np.ndarray:
    q = np.ascontiguousarray(q)
    x = np.empty(q.shape, np.float32)
    native.call(
        lib.quernel_dequantize, _address(q), q.size, scale, zero, _TYPES[q.dtype], _address(x)
    )
    return x

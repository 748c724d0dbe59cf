# SPDX-License-Identifier: Apache-2.0
"""The operators of the C library on NumPy arrays. Nothing is converted: arrays are used in place,
by their strides."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _native as native
from . import arrays
from ._native import F32, NCHW, NHWC, S8, U8, lib
from .arrays import AXES, ROWS, TYPES, address

STATIC, DYNAMIC_CALL, DYNAMIC_ROW = range(3)
NONE, RELU, CLAMP, LEAKY, PRELU, HSWISH, HSIGMOID, SILU, GELU, SIGMOID, TANH = range(11)
CODES = {S8: np.int8, U8: np.uint8}


def version() -> str:
    return lib.quernel_version().decode()


def _tuple(name: str, values: Any, count: int) -> tuple:
    """So many numbers: in a descriptor one too few would move all that follow."""
    made = tuple(values)
    if len(made) != count:
        raise ValueError(f"{name}: {made}: must be {count} numbers")
    return made


KINDS = {"linear": 0, "conv2d": 1, "deconv2d": 2}


def weights_desc(
    data: Any, kind: str | None = None, groups: int = 1, deconv_stride: tuple = (0, 0)
) -> tuple[native.WeightsDesc, np.ndarray]:
    """The library's description of weights, and the array that it points to."""
    data = arrays.numbers("weights: data", data, (np.float32, np.int8, np.uint8))
    kind = kind or ("linear" if data.ndim == 2 else "conv2d")
    if kind not in KINDS:
        raise ValueError(f"weights: kind: {kind}: must be one of {', '.join(KINDS)}")
    rank = 2 if kind == "linear" else 4
    if data.ndim != rank:
        raise ValueError(f"weights: data: {data.ndim} dimensions: must be {rank} for {kind}")
    out, in_ = data.shape[:2]
    out, in_ = (out, in_ * groups) if kind != "deconv2d" else (in_ * groups, out)
    d = native.WeightsDesc(
        c.sizeof(native.WeightsDesc),
        KINDS[kind],
        TYPES[data.dtype],
        out,
        in_,
        *(data.shape[2:] or (1, 1)),
        groups,
        address(data),
    )
    d.deconv_stride_h, d.deconv_stride_w = _tuple("weights: deconv_stride", deconv_stride, 2)
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
            smooth = arrays.floats("weights: smooth", smooth)
            d.smooth_kind, d.smooth = (1 if smooth.size == d.in_ else 2), address(smooth)
            if smooth.size not in (d.in_, d.in_ * d.kernel_h * d.kernel_w):
                raise ValueError(
                    f"weights: smooth: {smooth.size} values: must be one for each of {d.in_} "
                    "channels, or of their weights"
                )
        scale = None if scale is None else arrays.floats("weights: scale", scale, d.out)
        zero = None if zero is None else arrays.integers("weights: zero", zero, d.out)
        d.scale, d.zero = address(scale), address(zero)
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
        around = [native.whole("chain: border", b, c.c_uint32) for b in _tuple("border", border, 2)]
        native.call(
            lib.quernel_chain_describe, c.byref(self.desc), *around, c.byref(size), c.byref(offset)
        )
        d = self.desc
        if memory is None:
            self._offset, self.memory = offset.value, arrays.aligned(size.value, CODES[type])
        else:
            self._offset = d.border_h * d.stride_h + d.border_w * d.stride_w
            lines, pixels = d.h + 2 * d.border_h, d.w + 2 * d.border_w
            self.memory = arrays.whole(
                "chain: memory", memory, CODES[type], d.n * lines * pixels * d.c
            )
        self.address = self.memory.ctypes.data + self._offset

    def numpy(self) -> np.ndarray:
        """The real pixels as an array [n, h, w, c] on the same memory."""
        d = self.desc
        return np.lib.stride_tricks.as_strided(
            self.memory[self._offset :],
            (d.n, d.h, d.w, d.c),
            (d.stride_n, d.stride_h, d.stride_w, 1),
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
        keep.append(arrays.bias("epilogue: bias", bias, out))
        f.bias_type, f.bias = TYPES[keep[-1].dtype], address(keep[-1])
    for name, values in (("slopes", slopes), ("y_smooth", y_smooth)):
        if values is not None:
            keep.append(arrays.floats(f"epilogue: {name}", values, out))
            setattr(f, name, address(keep[-1]))
    if residual is not None:
        f.residual, f.residual_type = 1, residual
    return f


def _told(t: native.Tensor) -> str:
    """A description in words."""
    sizes, strides = (t.n, t.c, t.h, t.w), (t.stride_n, t.stride_c, t.stride_h, t.stride_w)
    border = f", border {t.border_h} x {t.border_w}" if t.border_h or t.border_w else ""
    return f"type {t.type}, nchw {sizes}, strides {strides}{border}"


def workspace(size: int) -> np.ndarray:
    """Memory for a run."""
    return arrays.aligned(max(size, 64), np.uint8)


def explain(handle: Any) -> str:
    """What the library chose for an operator."""
    text = c.create_string_buffer(512)
    lib.quernel_operator_explain(handle, text, len(text))
    return text.value.decode()


class Operator:
    """A created operator. Any number of threads may call it: each call takes a workspace that no
    other one uses. tensors: the descriptions of x, y and residual, and the order of the axes of
    arrays in their place."""

    def __init__(self, create: Any, desc: Any, weights: Weights, **tensors: tuple) -> None:
        self.weights, self._tensors = weights, tensors
        self.handle = c.c_void_p()
        native.call(create, c.byref(desc), c.byref(self.handle))
        self.workspace_bytes = lib.quernel_operator_workspace(self.handle)
        self._workspaces = [workspace(self.workspace_bytes)]

    def __call__(self, x: Any, y: Any, residual: Any = None, pool: Pool | None = None) -> Any:
        """Runs. Tensors are arrays or Chains as described at creation."""
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

    def _place(self, name: str, t: Any) -> int | None:
        """The address of a tensor that is as it was described."""
        wanted, axes = self._tensors.get(name, (None, ""))
        if t is None and wanted is None:
            return None
        if wanted is None:
            raise ValueError(f"{name}: the operator was made without one")
        found = t.desc if isinstance(t, Chain) else arrays.describe(name, t, axes)
        if found is not wanted and bytes(found) != bytes(wanted):
            raise ValueError(f"{name}: {_told(found)}: must be as described, {_told(wanted)}")
        if isinstance(t, Chain):
            return t.address
        if name == "y":
            arrays.check_output(name, t)
        return t.ctypes.data

    def _bound(
        self, x: Any, y: Any, residual: Any, pool: Pool | None, memory: np.ndarray
    ) -> Callable[[], None]:
        given = {"x": x, "residual": residual, "y": y}
        where = [self._place(name, t) for name, t in given.items()]
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


def _tensor(name: str, t: Any, axes: str) -> tuple[native.Tensor, str]:
    """The description of an array, a Chain or a description, and the order of its axes."""
    if isinstance(t, Chain):
        return t.desc, AXES[NHWC]
    if isinstance(t, native.Tensor):
        return arrays.settled(t), axes if axes == ROWS else AXES.get(t.layout, "")
    return arrays.describe(name, t, axes), axes


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
    given = {"x": x, "y": y} if residual is None else {"x": x, "y": y, "residual": residual}
    if layout not in AXES:
        raise ValueError(f"layout: {layout}: must be NHWC or NCHW")
    tensors = {name: _tensor(name, t, AXES[layout]) for name, t in given.items()}
    described = {name: tensor for name, (tensor, _) in tensors.items()}
    epilogue = dict(epilogue or {}, y_type=described["y"].type)
    if residual is not None:
        epilogue["residual"] = described["residual"].type
    d = native.Conv2dDesc(
        c.sizeof(native.Conv2dDesc),
        weights.handle,
        described["x"],
        described["y"],
        described.get("residual", native.Tensor()),
        *_tuple("stride", stride, 2),
        *_tuple("dilation", dilation, 2),
        *_tuple("pad", pad, 4),
        quant_desc(**(quant or {})),
        epilogue_desc(weights.out, keep, **epilogue),
        threads,
        _isa(isa),
        config.encode() if config else None,
        None,
        *_tuple("out_pad", out_pad, 2),
    )
    return Operator(create, d, weights, **tensors)


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
    x: Any,
    y: Any,
    quant: dict[str, Any] | None = None,
    epilogue: dict[str, Any] | None = None,
    threads: int = 1,
    isa: str | None = None,
    config: str | None = None,
) -> Operator:
    """y[m, n] = epilogue(x[m, k]·w[n, k]) for 2-dimensional arrays, or descriptions of such."""
    keep: list = []
    (from_, _), (to, _) = tensors = _tensor("x", x, ROWS), _tensor("y", y, ROWS)
    for name, t, wanted in (
        ("x", from_, (from_.w, weights.in_)),
        ("y", to, (from_.w, weights.out)),
    ):
        if (t.w, t.c) != wanted:
            raise ValueError(f"{name}: shape {(t.w, t.c)}: must be {wanted}")
    epilogue = dict(epilogue or {}, y_type=to.type)
    d = native.LinearDesc(
        c.sizeof(native.LinearDesc),
        weights.handle,
        from_.w,
        from_.type,
        from_.stride_w,
        to.stride_w,
        0,
        quant_desc(**(quant or {})),
        epilogue_desc(weights.out, keep, **epilogue),
        threads,
        _isa(isa),
        config.encode() if config else None,
        None,
    )
    return Operator(lib.quernel_linear_create, d, weights, x=tensors[0], y=tensors[1])


class Pool:
    """The library's threads, for Operator calls with pool=…; operators must be made for at least as
    many."""

    def __init__(self, threads: int) -> None:
        self.handle = c.c_void_p()
        threads = native.whole("threads", threads, c.c_uint32)
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
    a = arrays.floats("act_max", act_max)
    w = arrays.floats("weight_max", weight_max, a.size)
    s = np.empty_like(a)
    o = native.SmoothOptions(c.sizeof(native.SmoothOptions), alpha, act_floor, weight_floor)
    native.call(lib.quernel_smooth_factors, address(a), address(w), a.size, c.byref(o), address(s))
    return s


def quantize(
    x: Any, scale: float, zero: int = 0, type: int = U8, narrow: int = 0, divide: int = 0
) -> np.ndarray:
    x = arrays.floats("x", x)
    if type not in CODES:
        raise ValueError(f"type: {type}: must be U8 or S8")
    q, zero = np.empty(x.shape, CODES[type]), native.whole("zero", zero)
    native.call(
        lib.quernel_quantize, address(x), x.size, scale, zero, type, narrow, divide, address(q)
    )
    return q


def dequantize(q: Any, scale: float, zero: int = 0) -> np.ndarray:
    q = arrays.numbers("q", q, (np.int8, np.uint8, np.int32))
    x, zero = np.empty(q.shape, np.float32), native.whole("zero", zero)
    native.call(lib.quernel_dequantize, address(q), q.size, scale, zero, TYPES[q.dtype], address(x))
    return x

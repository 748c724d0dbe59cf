# SPDX-License-Identifier: Apache-2.0
"""The one place that looks at arrays. The library is given addresses and believes what it is told
of them, so that whatever it is given was checked here: tensors are used in place or refused,
parameters are copied where they do not lie in order. Each refusal names the argument."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from . import _native as native
from ._native import F32, NCHW, NHWC, S8, S32, U8

TYPES = {
    np.dtype(np.float32): F32,
    np.dtype(np.int32): S32,
    np.dtype(np.int8): S8,
    np.dtype(np.uint8): U8,
}
# the order of an array's axes; those of a matrix are pixels of one line, and their channels
AXES = {NHWC: "nhwc", NCHW: "nchw"}
ROWS = "wc"


def _names(dtypes: Iterable) -> str:
    return ", ".join(str(np.dtype(dtype)) for dtype in dtypes)


def address(array: np.ndarray | None) -> int | None:
    return None if array is None else array.ctypes.data


def _given(name: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None


def _sized(name: str, array: np.ndarray, size: int | None) -> np.ndarray:
    if size is not None and array.size != size:
        raise ValueError(f"{name}: {array.size} values: must be {size}")
    return array


def floats(name: str, values: Any, size: int | None = None) -> np.ndarray:
    """Real numbers as float32, in order."""
    array = _sized(name, _given(name, values), size)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: {array.dtype}: must be real numbers")
    with np.errstate(over="ignore"):  # infinite is what the library refuses, or clamps
        return np.require(array, np.float32, ["C", "A"])


def integers(name: str, values: Any, size: int | None = None) -> np.ndarray:
    """Whole numbers of 32 bits, in order."""
    array = _sized(name, _given(name, values), size)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: {array.dtype}: must be whole numbers")
    made = np.require(array, np.int32, ["C", "A"])
    if (made != array).any():
        raise ValueError(f"{name}: must be of 32 bits")
    return made


def numbers(name: str, values: Any, dtypes: tuple) -> np.ndarray:
    """Numbers of one of these types, in order."""
    array = _given(name, values)
    own = array.dtype.newbyteorder("=")
    if own not in map(np.dtype, dtypes):
        raise TypeError(f"{name}: {array.dtype}: must be among {_names(dtypes)}")
    return np.require(array, own, ["C", "A"])


def bias(name: str, values: Any, size: int) -> np.ndarray:
    """A bias: float32, or int32 where it counts in sums."""
    if _given(name, values).dtype.kind not in "iu":
        return floats(name, values, size)
    return _sized(name, numbers(name, values, (np.float32, np.int32)), size)


def settled(tensor: native.Tensor) -> native.Tensor:
    """A description with every stride said: the dense one where it is 0, and where an axis has the
    size 1, whose stride means nothing."""
    h, w = tensor.h + 2 * tensor.border_h, tensor.w + 2 * tensor.border_w
    inner = [("c", tensor.c), ("w", w), ("h", h), ("n", tensor.n)]
    if tensor.layout == NCHW:
        inner = [("w", w), ("h", h), ("c", tensor.c), ("n", tensor.n)]
    dense = 1
    for axis, size in inner:
        stride = getattr(tensor, f"stride_{axis}")
        if size == 1 or stride == 0:
            stride = dense
            setattr(tensor, f"stride_{axis}", stride)
        dense = stride * size
    return tensor


def _is_apart(shape: tuple, strides: tuple, unit: int) -> bool:
    """Whether no two elements share memory, as the library sees to: each axis, from the least
    stride on, steps over all that those before it cover."""
    covered = unit
    for stride, size in sorted(zip(strides, shape)):
        if size > 1:
            if stride < covered:
                return False
            covered += stride * (size - 1)
    return True


def _check(name: str, dtype: Any, shape: tuple, strides: tuple, axes: str) -> None:
    if dtype not in TYPES:
        raise TypeError(f"{name}: {dtype}: must be among {_names(TYPES)}")
    if len(shape) != len(axes):
        raise ValueError(f"{name}: {len(shape)} dimensions: must be {len(axes)}")
    if 0 in shape:
        raise ValueError(f"{name}: shape {shape}: must have elements")
    if not _is_apart(shape, strides, dtype.itemsize):
        raise ValueError(f"{name}: strides {strides}: must be positive, and elements apart")


@functools.lru_cache(1024)  # layers of some networks; a description takes some 20 µs
def _described(name: str, dtype: Any, shape: tuple, strides: tuple, axes: str) -> native.Tensor:
    _check(name, dtype, shape, strides, axes)
    tensor = native.Tensor(TYPES[dtype], NCHW if axes == AXES[NCHW] else NHWC, 1, 1, 1, 1)
    for axis, size, stride in zip(axes, shape, strides):
        setattr(tensor, axis, size)
        setattr(tensor, f"stride_{axis}", stride // dtype.itemsize)
    settled(tensor)
    if getattr(tensor, "stride_w" if axes == AXES[NCHW] else "stride_c") != 1:
        raise ValueError(f"{name}: strides {strides}: its last axis must be dense")
    return tensor


def describe(name: str, array: Any, axes: str) -> native.Tensor:
    """The library's description of an array whose axes are in this order: AXES[layout], ROWS. It
    is one for all arrays that are alike, and must not be changed."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: {type(array).__name__}: must be an array")
    tensor = _described(name, array.dtype, array.shape, array.strides, axes)
    if not array.flags.aligned:
        raise ValueError(f"{name}: must be aligned to its elements")
    return tensor


def check_output(name: str, array: np.ndarray) -> None:
    if not array.flags.writeable:
        raise ValueError(f"{name}: is read-only: must be writeable")


def float32(name: str, array: Any) -> np.ndarray:
    """A tensor of floats that has elements."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: {type(array).__name__}: must be an array")
    if array.dtype != np.float32:
        raise TypeError(f"{name}: {array.dtype}: must be float32")
    if array.size == 0:
        raise ValueError(f"{name}: shape {array.shape}: must have elements")
    return array


def in_place(name: str, array: np.ndarray) -> tuple[np.ndarray, native.Tensor]:
    """[n, c, h, w] or [m, k] with its axes in the order of the description beside it."""
    if array.ndim == 2:
        return array, describe(name, array, ROWS)
    if array.ndim != 4:
        raise ValueError(f"{name}: {array.ndim} dimensions: must be 4 or 2")
    try:
        return array, describe(name, array, AXES[NCHW])
    except ValueError:
        lines = array.transpose(0, 2, 3, 1)
        return lines, describe(name, lines, AXES[NHWC])


def source(name: str, array: Any) -> tuple[np.ndarray, native.Tensor]:
    """float32 to read, as in_place(): copied only where that refuses it."""
    array = float32(name, array)
    try:
        return in_place(name, array)
    except ValueError:
        return in_place(name, np.array(array, order="C"))


def expect(name: str, array: Any, shape: tuple) -> np.ndarray:
    """float32 of this shape."""
    if float32(name, array).shape != shape:
        raise ValueError(f"{name}: shape {array.shape}: must be {shape}")
    return array


def in_rows(name: str, array: np.ndarray) -> np.ndarray:
    """The array as a matrix of the same last axis, on the same memory."""
    rows = array.reshape(-1, array.shape[-1])
    if not np.may_share_memory(rows, array):
        raise ValueError(f"{name}: strides {array.strides}: cannot be written in place")
    return rows


def whole(name: str, memory: Any, dtype: Any, size: int) -> np.ndarray:
    """Memory of so many codes to read and write, as one axis."""
    if not isinstance(memory, np.ndarray) or memory.dtype != dtype:
        raise TypeError(f"{name}: must be an array of {np.dtype(dtype)}")
    _sized(name, memory, size)
    if not memory.flags.c_contiguous:
        raise ValueError(f"{name}: strides {memory.strides}: must be contiguous")
    return memory.reshape(-1)


def aligned(count: int, dtype: Any) -> np.ndarray:
    """Uninitialized array whose first element is aligned to 64 bytes."""
    size = count * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + size].view(dtype)

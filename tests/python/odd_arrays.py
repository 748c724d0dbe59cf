# SPDX-License-Identifier: Apache-2.0
"""The same numbers in arrays as NumPy makes them in passing, and arrays that are none of a
function's: a function may take an odd one or refuse it by name, and nothing else."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

GUARD = 0x5A


class Guarded:
    """Memory for one array, of which the rest must stay as it is."""

    def __init__(self, size):
        self.memory = np.full(size, GUARD, np.uint8)
        self.view = self.was = self.memory

    def holds(self, view):
        self.view = view
        self.was = self.memory.copy()
        return view

    def is_untouched(self, written):
        """Whether nothing changed but, where it was written, what the array covers."""
        now, was = self.memory, self.was
        if written:
            own = np.zeros(now.size, np.bool_)
            first = self.view.__array_interface__["data"][0]
            first -= self.memory.__array_interface__["data"][0]
            at = np.arange(self.view.itemsize) + first
            for size, stride in zip(self.view.shape, self.view.strides):
                at = (at[..., None] + np.arange(size) * stride).ravel()
            own[at] = True
            now, was = now[~own], was[~own]
        return np.array_equal(now, was)


def lay(values, strides, offset=0, margin=256):
    """The values by these strides, in guarded memory."""
    reach = [(size - 1) * stride for size, stride in zip(values.shape, strides)]
    low, high = (sum(map(part, reach)) for part in (lambda r: min(r, 0), lambda r: max(r, 0)))
    guarded = Guarded(margin - low + high + values.itemsize + margin)
    skip = -guarded.memory.ctypes.data % 64 + 64 - low
    base = guarded.memory[skip + offset : skip + offset + values.itemsize].view(values.dtype)
    view = as_strided(base, values.shape, strides)
    view[...] = values
    return guarded.holds(view), guarded


def dense(shape, itemsize, order=None):
    """Strides of an array whose axes are in this order, the last innermost."""
    strides, step = [0] * len(shape), itemsize
    for axis in reversed(range(len(shape)) if order is None else order):
        strides[axis], step = step, step * shape[axis]
    return strides


def plain(values, rng):
    return lay(values, dense(values.shape, values.itemsize))


def permuted(values, rng):
    return lay(values, dense(values.shape, values.itemsize, rng.permutation(values.ndim)))


def gaps(values, rng):
    """Elements, lines or images apart."""
    wider = [n + rng.integers(0, 3) for n in values.shape]
    strides = dense(wider, values.itemsize)
    if rng.random() < 0.5:
        strides = [s * 2 for s in strides]
    return lay(values, strides)


def reversed_axes(values, rng):
    signs = rng.choice([-1, 1], values.ndim)
    return lay(values, [s * k for s, k in zip(dense(values.shape, values.itemsize), signs)])


def repeated(values, rng):
    """Axes of stride 0."""
    strides = dense(values.shape, values.itemsize)
    axis = rng.integers(values.ndim)
    strides[axis] = 0
    view, guarded = lay(values, strides)
    if values.shape[axis] > 1:
        whole = np.take(values, [0], axis)
        first = [slice(None)] * values.ndim
        first[axis] = slice(0, 1)
        view[tuple(first)] = whole
        guarded.holds(view)
    return view, guarded


def senseless(values, rng):
    """Strides that mean nothing, on axes of size 1."""
    strides = [
        int(rng.choice([0, -values.itemsize, 7 * values.itemsize, 1 << 40])) if n == 1 else s
        for s, n in zip(dense(values.shape, values.itemsize), values.shape)
    ]
    guarded = Guarded(values.nbytes + 1024)
    base = guarded.memory[512 : 512 + values.nbytes].view(values.dtype)
    base[:] = values.ravel()
    return guarded.holds(as_strided(base, values.shape, strides)), guarded


def overlapping(values, rng):
    """Windows that slide over each other."""
    strides = dense(values.shape, values.itemsize)
    axis = rng.integers(values.ndim)
    strides[axis] = values.itemsize
    return lay(values, strides)


def misaligned(values, rng):
    return lay(values, dense(values.shape, values.itemsize), offset=1)


def read_only(values, rng):
    view, guarded = plain(values, rng)
    view.flags.writeable = False
    return view, guarded


def swapped(values, rng):
    return plain(values.astype(values.dtype.newbyteorder()), rng)


def other_type(values, rng):
    types = ["f2", "f8", "i8", "u4", "i2", "?", "c8", "M8[s]", "U3", "f4", "i4", "u1", "i1"]
    kind = np.dtype(types[rng.integers(len(types))])
    with np.errstate(all="ignore"):
        return plain(
            values.astype("i8").astype(kind) if kind.kind in "MU" else values.astype(kind), rng
        )


def objects(values, rng):
    return np.array(values.tolist(), object), None


def other_shape(values, rng):
    kind = rng.integers(5)
    if kind == 0:
        return plain(values[None], rng)
    if kind == 1:
        return plain(values.ravel(), rng)
    if kind == 2:
        return plain(np.repeat(values, 2, rng.integers(values.ndim)), rng)
    if kind == 3:
        return plain(np.ascontiguousarray(values.T), rng)
    axis = rng.integers(values.ndim)
    return plain(np.take(values, range(values.shape[axis] - 1), axis), rng)


def nothing(values, rng):
    return [None, 3, "x", [[1], [1, 2]], values.tolist()][rng.integers(5)], None


ODD = [plain] * 6 + [
    permuted,
    gaps,
    reversed_axes,
    repeated,
    senseless,
    overlapping,
    misaligned,
    read_only,
    swapped,
    other_type,
    objects,
    other_shape,
    nothing,
]

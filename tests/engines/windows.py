# SPDX-License-Identifier: Apache-2.0
"""Convolutions and pools of ONNX in float64: the operators that look through a window."""

import numpy as np


def spatial(attrs, key, rank, default):
    return list(attrs.get(key) or [default] * rank)


def same_pads(mode, size, extent, stride):
    """The padding that auto_pad SAME_* means along one axis."""
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    small, large = total // 2, total - total // 2
    return (small, large) if mode == "SAME_UPPER" else (large, small)


def every(steps):
    """An index of each s-th element along each axis."""
    return tuple(slice(None, None, s) for s in steps)


class Window:
    """Kernel, strides, dilations and padding of a node over the spatial axes of `x`."""

    def __init__(self, x, kernel, attrs):
        rank = x.ndim - 2
        self.kernel = list(kernel)
        self.strides = spatial(attrs, "strides", rank, 1)
        self.dilations = spatial(attrs, "dilations", rank, 1)
        sizes = zip(self.kernel, self.dilations)
        self.extents = [d * (k - 1) + 1 for k, d in sizes]
        mode = attrs.get("auto_pad", b"NOTSET").decode()
        pads = list(attrs.get("pads") or [0] * (2 * rank))
        self.pads = list(zip(pads[:rank], pads[rank:]))
        if mode.startswith("SAME"):
            each = zip(x.shape[2:], self.extents, self.strides)
            self.pads = [same_pads(mode, *axis) for axis in each]
        elif mode == "VALID":
            self.pads = [(0, 0)] * rank

    def slide(self, x, pads, fill):
        """Every window of the padded `x`: [n, c, *out, *kernel]."""
        padded = np.pad(x, [(0, 0), (0, 0), *pads], constant_values=fill)
        axes = tuple(range(2, x.ndim))
        views = np.lib.stride_tricks.sliding_window_view(padded, self.extents, axes)
        return views[every([1, 1] + self.strides + self.dilations)]


def correlate(views, w, groups):
    """Sums of products of windows [n, c, *out, *kernel] with weights [o, c / groups, *kernel]."""
    n, c, *rest = views.shape
    rank = len(rest) // 2
    out, kernel = rest[:rank], rest[rank:]
    o = w.shape[0]
    rows = views.reshape(n, groups, c // groups, *out, *kernel)
    rows = np.moveaxis(rows, (0, 2), (1, 2 + rank))  # [g, n, *out, c / g, *kernel]
    rows = rows.reshape(groups, n * int(np.prod(out)), -1)
    columns = w.reshape(groups, o // groups, -1).transpose(0, 2, 1)
    sums = (rows @ columns).reshape(groups, n, *out, o // groups)
    return np.moveaxis(sums, (0, -1), (1, 2)).reshape(n, o, *out)


def add_bias(y, bias):
    return y if bias is None else y + bias.reshape(-1, *[1] * (y.ndim - 2))


def conv(x, w, bias, attrs):
    window = Window(x, w.shape[2:], attrs)
    views = window.slide(x, window.pads, 0)
    return add_bias(correlate(views, w, attrs.get("group", 1)), bias)


def transposed_pads(x, window, more, attrs):
    """What ConvTranspose cuts from each end of the full output."""
    inner = [s * (n - 1) for s, n in zip(window.strides, x.shape[2:])]
    mode = attrs.get("auto_pad", b"NOTSET").decode()
    wanted = attrs.get("output_shape")
    if not wanted and not mode.startswith("SAME"):
        return window.pads
    if not wanted:
        wanted = [s * n for s, n in zip(window.strides, x.shape[2:])]
    pads = []
    for axis, full in enumerate(inner):
        total = full + more[axis] + window.extents[axis] - wanted[axis - len(inner)]
        small, large = total // 2, total - total // 2
        pads.append((small, large) if mode == "SAME_UPPER" else (large, small))
    return pads


def conv_transpose(x, w, bias, attrs):
    """A convolution over the input with zeros between its pixels."""
    rank, groups = x.ndim - 2, attrs.get("group", 1)
    window = Window(x, w.shape[2:], {k: v for k, v in attrs.items() if k != "auto_pad"})
    more = spatial(attrs, "output_padding", rank, 0)
    pads = transposed_pads(x, window, more, attrs)
    spread = [(n - 1) * s + 1 for n, s in zip(x.shape[2:], window.strides)]
    wide = np.zeros((*x.shape[:2], *spread))
    wide[every([1, 1] + window.strides)] = x
    each = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).swapaxes(1, 2)
    flipped = np.flip(each.reshape(-1, *each.shape[2:]), tuple(range(2, w.ndim)))
    window.strides = [1] * rank
    around = [(e - 1, e - 1 + m) for e, m in zip(window.extents, more)]
    y = correlate(window.slide(wide, around, 0), flipped, groups)
    for axis, (first, last) in enumerate(pads):
        grown = np.pad(
            y,
            [(0, 0)] * (2 + axis)
            + [(max(-first, 0), max(-last, 0))]
            + [(0, 0)] * (rank - axis - 1),
        )
        end = grown.shape[2 + axis] - max(last, 0)
        y = grown.take(range(max(first, 0), end), 2 + axis)
    return add_bias(y, bias)


def pooled_pads(x, window, attrs):
    """The padding with what ceil_mode adds at the end. No window begins behind the padding."""
    pads = []
    for axis, (first, last) in enumerate(window.pads):
        size, stride = x.shape[2 + axis], window.strides[axis]
        room = size + first + last - window.extents[axis]
        steps = room // stride
        if attrs.get("ceil_mode", 0) and not attrs.get("auto_pad", b"").startswith(b"SAME"):
            steps = -(-room // stride)
            steps -= steps * stride >= size + first
        pads.append((first, max(last, steps * stride + window.extents[axis] - size - first)))
    return pads


def max_pool(x, attrs):
    window = Window(x, attrs["kernel_shape"], attrs)
    kind = x.dtype
    views = window.slide(x.astype(np.float64), pooled_pads(x, window, attrs), -np.inf)
    return views.max(tuple(range(x.ndim, 2 * x.ndim - 2))).astype(kind)


def average_pool(x, attrs):
    window = Window(x, attrs["kernel_shape"], attrs)
    axes = tuple(range(x.ndim, 2 * x.ndim - 2))
    pads = pooled_pads(x, window, attrs)
    ones = np.ones_like(x)
    if attrs.get("count_include_pad", 0):
        inside = [(0, 0), (0, 0), *window.pads]
        ones = np.pad(ones, inside, constant_values=1)
        each = zip(pads, window.pads)
        counts = window.slide(ones, [(0, p[1] - q[1]) for p, q in each], 0)
    else:
        counts = window.slide(ones, pads, 0)
    return window.slide(x, pads, 0).sum(axes) / counts.sum(axes)

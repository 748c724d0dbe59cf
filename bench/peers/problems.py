# SPDX-License-Identifier: Apache-2.0
"""What is compared: a layer, a product or a whole network, with numbers drawn from a seed. Every
process draws the same.

Activations look like those behind a ReLU and use all codes of u8; a channel's largest weight is
±127: full-range data, on which kernels that saturate give wrong results."""

import dataclasses

import numpy as np

X_SCALE = 1 / 64  # a power of two: a float input is quantized without rounding by everybody
X_SPREAD = 80  # codes
INT8, F32, QDQ = "int8", "f32", "qdq"
LAYOUTS = {INT8: "u8 NHWC", F32: "f32 NCHW", QDQ: "f32 NCHW"}


@dataclasses.dataclass(frozen=True)
class Layer:
    """One convolution, deconvolution, depthwise layer or (op "gemm") product."""

    op: str
    c_in: int
    c_out: int
    h: int = 1
    w: int = 1
    batch: int = 1
    kernel: int = 1
    kernel_w: int = 1
    stride: int = 1
    stride_w: int = 1
    pad: int = 0
    pad_w: int = 0
    groups: int = 1
    dilation: int = 1
    activation: str = "none"

    @property
    def size(self):
        """Lines and columns of the output."""
        if self.op == "deconv":
            return (
                (self.h - 1) * self.stride + self.kernel - 2 * self.pad,
                (self.w - 1) * self.stride_w + self.kernel_w - 2 * self.pad_w,
            )
        return (
            (self.h + 2 * self.pad - self.dilation * (self.kernel - 1) - 1) // self.stride + 1,
            (self.w + 2 * self.pad_w - self.dilation * (self.kernel_w - 1) - 1) // self.stride_w
            + 1,
        )

    @property
    def k(self):
        """Products that make one output."""
        return (
            self.c_in // self.groups * (1 if self.op == "deconv" else self.kernel * self.kernel_w)
        )

    @property
    def macs(self):
        lines, columns = (self.h, self.w) if self.op == "deconv" else self.size
        taps = self.kernel * self.kernel_w if self.op == "deconv" else 1
        return self.batch * lines * columns * taps * self.c_out * self.k

    @property
    def y_zero(self):
        return 128 if self.activation == "none" else 0

    @property
    def y_scale(self):
        """A unit of u8 codes that hold six times the results' spread (of each sign): hardly
        anything is clipped."""
        return (
            6 * X_SCALE * X_SPREAD * self.w_spread * np.sqrt(self.k) / (127 if self.y_zero else 255)
        )

    @property
    def w_spread(self):
        return 1 / np.sqrt(self.k)


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A layer's weights as int8 ([out, in/groups, kh, kw]; deconv [in, out/groups, kh, kw]; gemm
    [out, in]), the scale of each output channel, its bias, the scales of input and output and the
    output's zero point."""

    weights: np.ndarray
    w_scale: np.ndarray
    bias: np.ndarray
    x_scale: float
    y_scale: float
    y_zero: int


def draw_numbers(layer, rng, x_scale=X_SCALE):
    shape = {
        "gemm": (layer.c_out, layer.c_in),
        "deconv": (layer.c_in, layer.c_out // layer.groups, layer.kernel, layer.kernel_w),
    }.get(layer.op, (layer.c_out, layer.c_in // layer.groups, layer.kernel, layer.kernel_w))
    # Laplace's distribution, of variance 1: many small values and a few large ones, as training
    # leaves them, which decides how far an exact algorithm must go
    drawn = rng.laplace(scale=0.5**0.5, size=shape).astype(np.float32)
    axis = (0, 2, 3) if layer.op == "deconv" else tuple(range(1, len(shape)))
    most = np.abs(drawn).max(axis=axis, keepdims=True)
    weights = np.rint(drawn * (127 / most)).astype(np.int8)
    w_scale = (most.reshape(-1) * layer.w_spread / 127).astype(np.float32)
    if w_scale.size != layer.c_out:
        raise ValueError("deconvolutions with groups are not compared")
    bias = (rng.standard_normal(layer.c_out) * 0.1).astype(np.float32)
    return Numbers(
        weights,
        w_scale,
        bias,
        x_scale,
        float(np.float32(layer.y_scale * x_scale / X_SCALE)),
        layer.y_zero,
    )


def draw_codes(rng, shape):
    return np.minimum(np.abs(rng.standard_normal(shape, np.float32)) * X_SPREAD, 255).astype(
        np.uint8
    )


@dataclasses.dataclass(frozen=True)
class Problem:
    """A layer at a boundary. int8: u8 NHWC (products: row-major) in and out; f32: f32 NCHW
    (row-major) in and out; qdq: the same, its result rounded to codes of u8."""

    layer: Layer
    boundary: str = INT8
    threads: int = 1
    seed: int = 1

    def draw(self):
        """Numbers and input."""
        rng, layer = np.random.default_rng(self.seed), self.layer
        numbers = draw_numbers(layer, rng)
        if layer.op == "gemm":
            codes = draw_codes(rng, (layer.h, layer.c_in))
        else:
            codes = draw_codes(rng, (layer.batch, layer.h, layer.w, layer.c_in))
        if self.boundary == INT8:
            return numbers, codes
        x = codes.astype(np.float32) * np.float32(X_SCALE)
        return numbers, x if layer.op == "gemm" else np.ascontiguousarray(x.transpose(0, 3, 1, 2))

    def empty(self):
        """The output's array."""
        layer, dtype = self.layer, np.uint8 if self.boundary == INT8 else np.float32
        if layer.op == "gemm":
            return np.empty((layer.h, layer.c_out), dtype)
        nhwc = (layer.batch, *layer.size, layer.c_out)
        return np.empty(nhwc if self.boundary == INT8 else [nhwc[i] for i in (0, 3, 1, 2)], dtype)

    def wrong(self, reference, y, steps=1):
        """Share of outputs that are further than `steps` steps of the output's scale away: more
        than rounding can be."""
        step = 1.0 if self.boundary == INT8 else self.layer.y_scale
        far = np.abs(reference.astype(np.float32) - y.astype(np.float32)) > steps * step * 1.001
        return float(far.mean())


def _number(row, name, otherwise=0):
    return int(row.get(name) or otherwise)


def layer_of(row):
    """The layer of a CSV row; columns as `quernel bench` reads them."""
    if "op" not in row:
        return Layer("gemm", _number(row, "k"), _number(row, "n"), _number(row, "m"))
    sizes = {
        name: _number(row, name, 1)
        for name in ("c_in", "c_out", "h", "w", "batch", "kernel", "stride", "groups", "dilation")
    }
    pad = _number(row, "pad")
    return Layer(
        row["op"],
        **sizes,
        kernel_w=_number(row, "kernel_w", sizes["kernel"]),
        stride_w=_number(row, "stride_w", sizes["stride"]),
        pad=pad,
        pad_w=_number(row, "pad_w", pad),
        activation=row.get("activation") or "none",
    )


@dataclasses.dataclass(frozen=True)
class NetworkProblem:
    """The layers of one model of a CSV of networks (bench/shapes/networks.csv), f32 NCHW in; the
    rows with a `slice` write that channel on of the output, u8 NHWC (boundary int8) or f32 NCHW."""

    # of (Layer, input, slice): the layer's number or −1 for the network's input; or None
    rows: tuple
    boundary: str = INT8
    threads: int = 1
    seed: int = 1

    def draw(self):
        """Numbers of each layer and the input. All tensors between have the same scale: spreads
        stay alike."""
        rng = np.random.default_rng(self.seed)
        numbers, scales = [], [X_SCALE]
        for layer, source, _ in self.rows:
            numbers.append(draw_numbers(layer, rng, scales[source + 1]))
            scales.append(numbers[-1].y_scale)
        last = next(s for s, row in zip(scales[1:], self.rows) if row[2] is not None)
        numbers = [
            dataclasses.replace(n, y_scale=last) if row[2] is not None else n
            for n, row in zip(numbers, self.rows)
        ]
        first = self.rows[0][0]
        codes = draw_codes(rng, (1, first.c_in, first.h, first.w))
        return numbers, codes.astype(np.float32) * np.float32(X_SCALE)

    @property
    def out(self):
        """Channels, lines and columns of the output."""
        written = [(layer, start) for layer, _, start in self.rows if start is not None]
        return max(start + layer.c_out for layer, start in written), *written[0][0].size

    @property
    def macs(self):
        return sum(layer.macs for layer, _, _ in self.rows)

    def empty(self):
        channels, lines, columns = self.out
        if self.boundary == INT8:
            return np.empty((1, lines, columns, channels), np.uint8)
        return np.empty((1, channels, lines, columns), np.float32)

    def wrong(self, reference, y):
        """Share of outputs that are further away than a difference of one code in every layer can
        carry."""
        far = np.abs(reference.astype(np.float32) - y.astype(np.float32))
        return float(
            (far > (3 if self.boundary == INT8 else 3 * self.draw()[0][-1].y_scale)).mean()
        )


def network_of(rows, model):
    chosen = [row for row in rows if row["model"] == model]
    return tuple(
        (layer_of(row), int(row["input"]) - 1, int(row["slice"]) if row["slice"] else None)
        for row in chosen
    )

# SPDX-License-Identifier: Apache-2.0
"""Calls of the public functions that take arrays: drawn plain arrays by name, a run of them, and
what float64 says where it is exact. words: what a refusal may name beside the arrays."""

from typing import Callable

import numpy as np
import quernel
from numpy.lib.stride_tricks import sliding_window_view

STEP = 0.125  # floats are codes times it: their products are exact


class Call:
    """One drawn call. run takes a dictionary like arrays and returns arrays."""

    words: tuple[str, ...] = ()
    draw: Callable[[], None]
    run: Callable[[dict], list]

    def __init__(self, rng):
        self.rng, self.arrays = rng, {}
        self.draw()

    def exact(self, a, types):
        """The first array in float64, of arrays in float64 and what their types were; None where
        it is not exact."""

    def size(self, most=6):
        return int(self.rng.choice([1, self.rng.integers(1, most + 1)]))

    def integers(self, name, shape, low, high, dtype):
        self.arrays[name] = self.rng.integers(low, high, shape).astype(dtype)

    def powers(self, name, shape):
        self.arrays[name] = (2.0 ** self.rng.integers(-3, 3, shape)).astype(np.float32)

    def codes(self, name, shape, floats):
        values = self.rng.integers(0, 256, shape)
        self.arrays[name] = (values * STEP).astype("f4") if floats else values.astype("u1")

    def one_in(self, n):
        return self.rng.integers(n) == 0


class Quantize(Call):
    def draw(self):
        self.arrays["x"] = (self.rng.integers(-300, 300, (self.size(), 5)) * STEP).astype("f4")
        self.scale = float(2.0 ** self.rng.choice([-3, -130, -145]))
        self.arrays["x"] *= np.float32(self.scale / STEP)

    def run(self, a):
        return [quernel.quantize(a["x"], self.scale, 3, quernel.S8)]

    def exact(self, a, types):
        return np.clip(np.rint(a["x"] / self.scale) + 3, -128, 127)


class Dequantize(Call):
    def draw(self):
        dtype = self.rng.choice(["u1", "i1", "i4"])
        self.integers("q", (self.size(), 5), 0, 100, dtype)

    def run(self, a):
        return [quernel.dequantize(a["q"], STEP, 7)]

    def exact(self, a, types):
        return (a["q"] - 7) * STEP


class Smooth(Call):
    def draw(self):
        n = self.size()
        self.powers("act_max", n), self.powers("weight_max", n)

    def run(self, a):
        return [quernel.smooth_factors(a["act_max"], a["weight_max"])]


class Product(Call):
    """What the layers have in common: weights, epilogue, x and y."""

    words = ("quant", "epilogue", "weights")
    kind: str
    inputs: int
    out: int
    weights_shape: tuple
    x_shape: tuple
    y_shape: tuple
    draw_sizes: Callable[[], None]
    made: Callable  # an operator of arrays by name, x and y
    product: Callable  # of x and weights, in float64

    def draw(self):
        self.draw_sizes()
        self.sums, self.floats = self.one_in(3), self.one_in(2)
        integers = self.sums or not self.one_in(3)
        shape, out = self.weights_shape, self.out
        self.integers("data", shape, -9, 10, "i1" if integers else "f4")
        if integers and self.one_in(2):
            self.powers("scale", out)
        if integers and self.one_in(3):
            self.integers("zero", out, -9, 10, "i4")
        if not integers and self.one_in(2):
            self.powers("smooth", self.inputs)
        self.codes("x", self.x_shape, self.floats)
        self.arrays["y"] = np.full(self.y_shape, 77, "i4" if self.sums else "f4")
        if not self.sums and self.one_in(2):
            self.integers("bias", out, -9, 10, self.rng.choice(["f4", "i4"]))
        if not self.sums and self.one_in(3):
            self.powers("slopes", out)
        self.again = self.one_in(3)

    def packed(self, a, **how):
        more = {name: a[name] for name in ("scale", "zero", "smooth") if name in a}
        return quernel.Weights(a["data"], **more, **how)

    def how(self, a):
        epilogue = {name: a[name] for name in ("bias", "slopes") if name in a}
        if "slopes" in a:
            epilogue["activation"] = quernel.PRELU
        return {"quant": {"scale": STEP, "type": quernel.U8}, "epilogue": epilogue}

    def run(self, a):
        if self.again:  # made for plain arrays, called with these
            x, y = (np.zeros_like(self.arrays[name]) for name in ("x", "y"))
        else:
            x, y = a["x"], a["y"]
        op = self.made(a, x, y)
        self.told = op
        op.bind(a["x"], a["y"])() if self.floats else op(a["x"], a["y"])
        return [a["y"]]

    def by_output(self, values, rank):
        """One value for each output, on weights of this rank."""
        axis = 1 if self.kind == "deconv2d" else 0
        return values.reshape([-1 if at == axis else 1 for at in range(rank)])

    def exact(self, a, types):
        if types["data"].kind == "f" or "smooth" in a or types["y"] != self.arrays["y"].dtype:
            return None
        w = a["data"]
        if "zero" in a:
            w = w - self.by_output(a["zero"], w.ndim)
        x = np.clip(np.rint(a["x"] / STEP), 0, 255) if types["x"].kind == "f" else a["x"]
        total = self.product(x, w)
        if types["y"].kind == "i":
            return total
        rows = [-1 if at == 1 else 1 for at in range(total.ndim)]
        if "bias" in a and types["bias"].kind in "iu":
            total = total + a["bias"].reshape(rows)
        total = total * STEP * (a["scale"].reshape(rows) if "scale" in a else 1)
        if "bias" in a and types["bias"].kind == "f":
            total = total + a["bias"].reshape(rows)
        slopes = a["slopes"].reshape(rows) if "slopes" in a else 1
        return np.where(total >= 0, total, total * slopes)


class Linear(Product):
    kind = "linear"

    def draw_sizes(self):
        m, self.inputs, self.out = self.size(), self.size(), self.size()
        self.weights_shape = self.out, self.inputs
        self.x_shape, self.y_shape = (m, self.inputs), (m, self.out)

    def made(self, a, x, y):
        return quernel.linear(self.packed(a), x, y, **self.how(a))

    @staticmethod
    def product(x, w):
        return x @ w.T


class Image(Product):
    """[n, c, h, w], in either layout."""

    lines: Callable  # the output's height and width
    channels: Callable  # of weights, by axis

    def draw_sizes(self):
        self.inputs, self.out = self.size(), self.size()
        self.kernel = self.size(3), self.size(3)
        n, h, w = self.size(2), 2 + self.size(), 2 + self.size()
        self.layout = int(self.rng.integers(2))
        self.set_shapes((n, self.inputs, h, w), (n, self.out, *self.lines(h, w)))

    def set_shapes(self, x, y):
        self.weights_shape = *self.channels(), *self.kernel
        order = (0, 1, 2, 3) if self.layout == quernel.NCHW else (0, 2, 3, 1)
        self.x_shape, self.y_shape = (tuple(s[at] for at in order) for s in (x, y))

    def planar(self, x):
        return x if self.layout == quernel.NCHW else x.transpose(0, 3, 1, 2)

    def exact(self, a, types):
        planar = super().exact({**a, "x": self.planar(a["x"])}, types)
        if planar is None or self.layout == quernel.NCHW:
            return planar
        return planar.transpose(0, 2, 3, 1)


class Conv(Image):
    kind = "conv2d"

    def channels(self):
        return self.out, self.inputs

    def lines(self, h, w):
        return h - self.kernel[0] + 1, w - self.kernel[1] + 1

    def made(self, a, x, y):
        return quernel.conv2d(self.packed(a), x, y, layout=self.layout, **self.how(a))

    def product(self, x, w):
        return np.einsum("nchwrs,ocrs->nohw", sliding_window_view(x, self.kernel, (2, 3)), w)


class Residual(Conv):
    """With a tensor that is added."""

    def draw(self):
        super().draw()
        self.sums = False
        self.arrays["y"] = self.arrays["y"].astype("f4")
        self.arrays["residual"] = self.rng.integers(0, 9, self.y_shape).astype("f4")

    def run(self, a):
        op = quernel.conv2d(
            self.packed(a),
            a["x"],
            a["y"],
            layout=self.layout,
            residual=a["residual"],
            **self.how(a),
        )
        op(a["x"], a["y"], a["residual"])
        return [a["y"]]

    def exact(self, a, types):
        return None  # Conv's; what is added comes before the activation


class Deconv(Image):
    kind = "deconv2d"

    def channels(self):
        return self.inputs, self.out

    def lines(self, h, w):
        return h * self.kernel[0], w * self.kernel[1]

    def made(self, a, x, y):
        packed = self.packed(a, kind="deconv2d")
        return quernel.deconv2d(packed, x, y, layout=self.layout, **self.how(a))

    def product(self, x, w):
        made = np.einsum("nchw,cors->nohrws", x, w)
        n, out, h, r, wide, s = made.shape
        return made.reshape(n, out, h * r, wide * s)


class Layered(Call):
    """A Layer in int8."""

    shape: tuple
    words: tuple[str, ...] = ("quant", "epilogue", "weights", "coding", "channels", "made")

    def draw(self):
        self.kind = str(self.rng.choice(["linear", "conv2d"]))
        inputs, out, n = self.size(), self.size(), self.size(3)
        image = self.kind == "conv2d"
        self.integers("data", (out, inputs, 2, 2) if image else (out, inputs), -9, 10, "f4")
        self.codes("x", (n, inputs, 4, 5) if image else (n, 3, inputs), True)
        self.shape = (n, out, 3, 4) if image else (n, 3, out)
        if self.one_in(2):
            self.integers("bias", out, -9, 10, "f4")
        if self.one_in(2):
            self.powers("smooth", inputs)
        self.wanted = self.one_in(2)
        if self.wanted:
            self.arrays["y"] = np.full(self.shape, 77, "f4")

    def layer(self, a):
        layer = quernel.Layer("made", self.kind, a["data"], a.get("bias"))
        return layer, quernel.Coding(STEP, smooth=a.get("smooth"))

    def run(self, a):
        run = quernel.QuantLayer(*self.layer(a))
        return [run.run(a["x"], a["y"]) if self.wanted else run(a["x"])]


class Searched(Layered):
    """What searches and measures a layer on samples."""

    words = (*Layered.words, "samples", "expected", "observe")

    def draw(self):
        super().draw()
        if self.kind == "linear":
            self.arrays["x"] = self.arrays["x"].reshape(-1, self.arrays["x"].shape[-1])
            self.shape = self.arrays["x"].shape[0], self.shape[-1]
        self.arrays.pop("y", None)
        self.what = self.rng.integers(4)
        if self.what == 3:
            self.arrays.pop("smooth", None)  # what is searched for
        if self.what == 0:
            self.arrays["expected"] = np.ones(self.shape, np.float32)

    def run(self, a):
        layer, coding = self.layer(a)
        samples = [a["x"]] * 3
        if self.what == 0:
            found = quernel.audit(layer, coding, samples, [a["expected"]] * 3)
            return [np.array([found.sqnr, found.l1, found.cosine])]
        if self.what == 1:
            return [quernel.bias_correct(layer, coding, samples)]
        if self.what == 2:
            made = quernel.round_weights(layer, coding, samples)
            return [made.weights, made.bias, made.scale]
        return [np.float64(quernel.search(layer, samples).coding.scale)]


class Observed(Call):
    words = ("observe", "tensor")

    def draw(self):
        self.image = self.one_in(2)
        self.codes("x", (2, 3, self.size(), self.size()) if self.image else (self.size(), 3), True)

    def run(self, a):
        observer = quernel.Observer("channel", channels=3).update(a["x"])
        return [observer.absmax(), np.float64(quernel.observe([a["x"]]).scale)]

    def exact(self, a, types):
        return np.abs(a["x"]).max(axis=(0, 2, 3) if self.image else 0)


CALLS = [
    Quantize,
    Dequantize,
    Smooth,
    Linear,
    Linear,
    Conv,
    Conv,
    Residual,
    Deconv,
    Layered,
    Searched,
    Observed,
]

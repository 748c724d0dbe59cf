#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layers on NumPy alone: int8 against the float layer, and what bad input gets."""

import dataclasses
import sys
import unittest

import front
import numpy as np
from quernel import operators as ops
from quernel.layer import Activation, Coding, Layer, QuantLayer

RNG = np.random.default_rng(11)
KINDS = [
    Activation(kind)
    for kind in ("none", "relu", "hswish", "hsigmoid", "silu", "gelu", "sigmoid", "tanh")
] + [
    Activation("clamp", 0.0, 0.5),
    Activation("leaky", slope=0.2),
    Activation("prelu", slopes=np.float32(RNG.random(6))),
]


def window(kind="conv2d", inputs=4, outputs=6, kernel=(3, 3), **more):
    groups = more.get("groups", 1)
    shape = (outputs, inputs // groups) if kind == "conv2d" else (inputs, outputs // groups)
    w = RNG.normal(size=(*shape, *kernel)).astype(np.float32) * np.float32((inputs * 9) ** -0.5)
    return Layer(
        "made", kind, w, RNG.normal(size=outputs).astype(np.float32) * np.float32(0.1), **more
    )


def exact_coding(x):
    """A coding that loses little: 255 steps over the range of x."""
    least, greatest = min(0.0, float(x.min())), max(0.0, float(x.max()))
    scale = (greatest - least) / 255
    return Coding(scale, round(-least / scale))


class OneLayer(unittest.TestCase):
    def follows(self, layer, x, within=0.03):
        wanted = layer(x)
        made = QuantLayer(layer, exact_coding(x))(x)
        self.assertEqual(made.shape, wanted.shape)
        self.assertLess(np.abs(made - wanted).max(), within * np.abs(wanted).max())

    def test_int8_follows_float(self):
        x = RNG.normal(size=(2, 4, 9, 8)).astype(np.float32)
        for layer in (
            window(pad=(1, 1, 1, 1)),
            window(pad=(0, 1, 2, 0), stride=(2, 1)),
            window(kernel=(1, 3)),
            window(dilation=(2, 2), pad=(2, 2, 2, 2)),
            window(groups=2),
            window(outputs=4, groups=4, pad=(1,) * 4),
            window("deconv2d", kernel=(2, 2), stride=(2, 2)),
            window("deconv2d", kernel=(4, 4), stride=(2, 2), pad=(3, 3, 3, 3)),
            window("deconv2d", kernel=(3, 3), stride=(2, 2), pad=(1, 1, 1, 1), output_pad=(1, 1)),
        ):
            with self.subTest(
                layer.kind, weights=layer.weights.shape, stride=layer.stride, pad=layer.pad
            ):
                self.follows(layer, x)

    def test_activations_follow_float(self):
        x = RNG.normal(size=(1, 4, 6, 6)).astype(np.float32)
        for activation in KINDS:
            with self.subTest(activation.kind):
                self.follows(dataclasses.replace(window(), activation=activation), x, 0.05)

    def test_strides_are_read_in_place(self):
        layer, x = window(pad=(1, 1, 1, 1)), RNG.normal(size=(2, 9, 10, 8)).astype(np.float32)
        run = QuantLayer(layer, exact_coding(x))
        wide = x.transpose(0, 3, 1, 2)  # [2, 8, 9, 10], channels innermost
        for view in (
            wide[:, 2:6],
            wide[:, :4, ::2],
            np.broadcast_to(wide[:1, :4], (2, 4, 9, 10)),
            wide[:, :4, ::-1],
            np.ascontiguousarray(wide)[:, 1:5, 2:, 1:-1],
        ):
            with self.subTest(view.strides):
                np.testing.assert_array_equal(run(view), run(np.ascontiguousarray(view)))

    def test_a_shape_that_changes_between_calls(self):
        layer = window(pad=(1, 1, 1, 1))
        run = QuantLayer(layer, Coding(0.02, 128))
        for size in range(3, 3 + 2 * QuantLayer.SHAPES_KEPT):
            x = RNG.normal(size=(1, 4, size, 5)).astype(np.float32)
            self.assertEqual(run(x).shape, (1, 6, size, 5))
        self.assertEqual(len(run.explain()), QuantLayer.SHAPES_KEPT)

    def test_without_a_coding_each_run_finds_its_own(self):
        layer = window(pad=(1, 1, 1, 1))
        x = RNG.normal(size=(1, 4, 6, 6)).astype(np.float32)
        y = QuantLayer(layer, Coding())(x)
        np.testing.assert_allclose(
            QuantLayer(layer, Coding())(64 * x) - layer.bias.reshape(-1, 1, 1),
            64 * (y - layer.bias.reshape(-1, 1, 1)),
            rtol=0,
            atol=1e-4,
        )

    def test_bad_input_is_named(self):
        run = QuantLayer(window(), Coding(0.02))
        for x, error, text in (
            (np.zeros((1, 4, 5, 5)), TypeError, "float64: must be float32"),
            (np.zeros((4, 5, 5), np.float32), ValueError, "3 dimensions"),
            (np.zeros((1, 5, 5, 5), np.float32), ValueError, "5 channels: must be 4"),
            (np.zeros((1, 4, 2, 5), np.float32), ValueError, "leaves nothing of the output"),
        ):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                run(x)


class Numbers(unittest.TestCase):
    """docs/numerics.md, written again in NumPy."""

    def setUp(self):
        self.s = np.float32(np.exp(RNG.normal(size=8)))
        self.x = (RNG.normal(size=(1, 8, 40, 50)) * 3).astype(np.float32)
        self.coding = Coding(np.float32(0.037), 101, smooth=self.s)

    def codes(self):
        m = (np.float32(1) / (self.s * self.coding.scale)).reshape(-1, 1, 1)
        return np.rint(np.clip(self.x * m, -101, 154))

    def test_codes_are_those_of_the_law_and_of_division_but_for_ties(self):
        y = np.empty(self.x.shape, np.int32)
        one = ops.Weights(np.eye(8, dtype=np.int8).reshape(8, 8, 1, 1), smooth=self.s)
        ops.conv2d(one, self.x, y, quant=self.coding.quant("conv2d"))(self.x, y)
        np.testing.assert_array_equal(y, self.codes())
        divided = (self.x / self.s.reshape(-1, 1, 1)) / self.coding.scale
        other = np.abs(np.rint(np.clip(divided, -101, 154)) - y)
        self.assertLessEqual(other.max(), 1)
        ties = np.abs(np.abs(divided - np.floor(divided)) - np.float32(0.5))
        self.assertTrue((ties[other == 1] <= 2 * np.spacing(np.abs(divided[other == 1]))).all())

    def test_outputs_are_those_integers_scaled(self):
        w = RNG.normal(size=(5, 8, 1, 1)).astype(np.float32)
        layer = Layer("numbers", "conv2d", w, RNG.normal(size=5).astype(np.float32))
        smoothed = w[..., 0, 0] * self.s
        step = np.abs(smoothed).max(axis=1) / np.float32(127)
        acc = np.einsum(
            "nchw,oc->nohw", self.codes(), np.rint(smoothed / step[:, None]).astype(np.float64)
        )
        scaled = acc * np.float64(self.coding.scale * step).reshape(-1, 1, 1)
        bias = np.float64(layer.bias).reshape(-1, 1, 1)
        made = QuantLayer(layer, self.coding)(self.x)
        self.assertTrue(
            (np.abs(made - (scaled + bias)) <= 2.0**-22 * (np.abs(scaled) + np.abs(bias))).all()
        )


if __name__ == "__main__":
    sys.exit(front.main(__name__))

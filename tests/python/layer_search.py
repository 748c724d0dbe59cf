#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Observers, search and audit through Python: against NumPy, and on what they are there to find."""

import dataclasses
import sys
import unittest

import front
import numpy as np
import quernel
from quernel.layer import Coding, Layer

RNG = np.random.default_rng(17)


def loud_layer():
    """A layer whose channel 2 is 50 times as loud as the others, and its weights as soft; with
    samples of its input."""
    sizes = np.ones((1, 6, 1, 1), np.float32)
    sizes[:, 2] = 50
    w = RNG.normal(size=(8, 6, 3, 3)).astype(np.float32) / sizes
    samples = [
        np.maximum(RNG.normal(size=(1, 6, 10, 9)), 0).astype(np.float32) * sizes for _ in range(6)
    ]
    return Layer("loud", "conv2d", w, np.zeros(8, np.float32), pad=(1, 1, 1, 1)), samples


class Observing(unittest.TestCase):
    def test_statistics_are_numpy_s_in_any_layout(self):
        x = RNG.normal(size=(2, 5, 7, 6)).astype(np.float32)
        x[0, 3, 2, 1] = np.nan
        last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        for array in (x, last, x[:, :, ::-1]):
            observer = quernel.Observer("channel", channels=5).update(array)
            np.testing.assert_array_equal(observer.absmax(), np.nanmax(np.abs(x), axis=(0, 2, 3)))
            self.assertEqual((observer[3].nans, observer[3].count), (1, 83))

    def test_parts_merge_into_the_whole(self):
        x = RNG.normal(size=(40, 8)).astype(np.float32)
        whole, first, second = (quernel.Observer().update(part) for part in (x, x[:13], x[13:]))
        self.assertEqual(first.merge(second)[0], whole[0])

    def test_codings(self):
        x = np.abs(RNG.normal(size=(4000, 1))).astype(np.float32)
        x[0] = 100
        whole, clipped = quernel.observe([x]), quernel.observe([x], "percentile", percentile=0.999)
        self.assertEqual((whole.zero, whole.type), (0, quernel.U8))
        assert whole.scale and clipped.scale
        self.assertAlmostEqual(whole.scale, 100 / 255, places=5)
        self.assertLess(clipped.scale, 0.1 * whole.scale)
        self.assertGreater(quernel.observe([x - 1]).zero, 0)
        self.assertEqual(quernel.observe([np.zeros((3, 3), np.float32)]).scale, 1)

    def test_bad_input_is_named(self):
        for error, text, arguments in (
            (quernel.QuernelError, "no finite value", ([],)),
            (ValueError, "calibrator: best", ([], "best")),
            (TypeError, "float64: must be float32", ([np.zeros((2, 2))],)),
            (ValueError, "3 dimensions", ([np.zeros((2, 2, 2), np.float32)],)),
            (quernel.QuernelError, "NaN|non-finite|nan", ([np.full((2, 2), np.nan, np.float32)],)),
        ):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                quernel.observe(*arguments)


class Judging(unittest.TestCase):
    def test_the_search_smooths_what_is_uneven_and_the_audit_agrees(self):
        layer, samples = loud_layer()
        found = quernel.search(layer, samples)
        self.assertIsNotNone(found.alpha)
        self.assertGreater(found.sqnr, found.plain_sqnr + 3)
        audit = quernel.audit(layer, found.coding, samples)
        plain = quernel.audit(layer, quernel.observe(samples), samples)
        self.assertGreater(audit.sqnr, plain.sqnr + 3)
        self.assertGreater(audit.without["rounding"], audit.sqnr)

    def test_a_corrected_bias_takes_the_mean_error_away(self):
        layer, samples = loud_layer()
        coding = quernel.observe(samples)

        def lack(layer):
            run = quernel.QuantLayer(layer, coding)
            return np.mean(
                [(layer_float(x) - run(x)).mean(axis=(0, 2, 3)) for x in samples], axis=0
            )

        layer_float = layer
        corrected = dataclasses.replace(layer, bias=quernel.bias_correct(layer, coding, samples))
        self.assertLess(np.abs(lack(corrected)).max(), 0.05 * np.abs(lack(layer)).max())

    def test_rounded_weights_err_less_and_pack_as_they_were_rounded(self):
        """Inputs that their codes hold exactly, neighbours alike: the weights alone err."""
        rng = np.random.default_rng(3)
        samples = [
            np.float32(rng.integers(0, 200, (1, 1, 9, 9)) + rng.integers(0, 56, (1, 16, 9, 9)))
            for _ in range(6)
        ]
        for kind, shape, more in (
            ("conv2d", (8, 8, 3, 3), {"groups": 2}),
            ("deconv2d", (16, 8, 2, 2), {"stride": (2, 2), "groups": 2}),
        ):
            layer = Layer(kind, kind, rng.normal(size=shape).astype(np.float32), **more)
            coding = Coding(0.5, 0, quernel.U8, np.tile(np.array([2, 4], np.float32), 8))
            given = [x * coding.scale * coding.smooth.reshape(-1, 1, 1) for x in samples]
            rounded = quernel.round_weights(layer, coding, given)
            plain = dataclasses.replace(layer, bias=quernel.bias_correct(layer, coding, given))
            exact = [layer(x) for x in given]
            noise = [
                sum(np.square(net(x) - y, dtype=np.float64).sum() for x, y in zip(given, exact))
                for net in (quernel.QuantLayer(rounded, coding), quernel.QuantLayer(plain, coding))
            ]
            self.assertLess(noise[0], 0.5 * noise[1], kind)
            made = [quernel.QuantLayer(rounded, coding)(x) - rounded(x) for x in given]
            self.assertLess(max(np.abs(y).max() for y in made), 1e-3 * np.abs(exact[0]).max(), kind)

    def test_the_audit_finds_what_is_out_of_order(self):
        layer, samples = loud_layer()
        layer.weights[3] = 0
        for x in samples:
            x[:, 4] = 0
        good = quernel.observe(samples)
        assert good.scale
        without = [layer(x) + np.float32(3) for x in samples]
        trials = (
            ("silent input channels", good, samples, None),
            ("dead output channels", good, samples, None),
            ("a scale too wide", Coding(100 * good.scale), samples, None),
            ("a scale too narrow", Coding(0.01 * good.scale), samples, None),
            ("a missing bias", good, samples, without),
        )
        for finding, coding, data, expected in trials:
            with self.subTest(finding):
                self.assertIn(finding, quernel.audit(layer, coding, data, expected).findings)
        broken = [samples[0], samples[1].copy()]
        broken[1][0, 5, 2, 3] = np.inf
        self.assertEqual(quernel.audit(layer, good, broken).nonfinite, (1, 5, 5 * 90 + 2 * 9 + 3))

    def test_bad_input_is_named(self):
        layer, samples = loud_layer()
        for text, changed, data in (
            ("samples", layer, []),
            ("c: 5", layer, [samples[0][:, :5]]),
            (
                "weights",
                dataclasses.replace(layer, weights=layer.weights * np.float32(np.nan)),
                samples,
            ),
        ):
            with self.subTest(text), self.assertRaisesRegex(quernel.QuernelError, text):
                quernel.search(changed, data)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

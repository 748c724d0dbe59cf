#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The NumPy binding against NumPy's own integer arithmetic, and ncnn's files on some made here.

PYTHONPATH holds python/ and the repository's root; QUERNEL_LIBRARY names the library. Closes with N
passed, N failed, N skipped."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import front
import numpy as np
import quernel
from quernel import _native as native
from quernel import ncnn as ncnn_model

RNG = np.random.default_rng(7)


def int_conv(x, w, pad):
    """Exact sums of a convolution with stride 1 (int64)."""
    top, left, bottom, right = pad
    x = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("nchwrs,ocrs->nohw", windows, w.astype(np.int64))


class Binding(unittest.TestCase):
    def test_structures_have_the_library_s_sizes(self):
        quernel.Weights(np.ones((2, 2), np.float32))  # a wrong size is refused by name
        short = native.WeightsDesc(native.c.sizeof(native.WeightsDesc) - 16)
        with self.assertRaisesRegex(quernel.QuernelError, "size"):
            native.call(
                native.lib.quernel_weights_pack,
                native.c.byref(short),
                native.c.byref(native.c.c_void_p()),
            )

    def test_conv2d_sums_are_exact(self):
        for layout, axes in ((quernel.NCHW, (0, 1, 2, 3)), (quernel.NHWC, (0, 2, 3, 1))):
            x = RNG.integers(0, 256, (2, 5, 9, 7), np.uint8)
            w = RNG.integers(-128, 128, (6, 5, 3, 2), np.int8)
            wanted = int_conv(x, w, (1, 0, 2, 1))
            y = np.empty(tuple(np.array(wanted.shape)[list(axes)]), np.int32)
            source = np.ascontiguousarray(x.transpose(axes))
            run = quernel.conv2d(
                quernel.Weights(w), source, y, pad=(1, 0, 2, 1), layout=layout, threads=2
            )
            np.testing.assert_array_equal(
                run(source, y, pool=quernel.Pool(2)), wanted.transpose(axes)
            )

    def test_linear_follows_the_float_product(self):
        x, w = (
            RNG.normal(size=(5, 64)).astype(np.float32),
            RNG.normal(size=(12, 64)).astype(np.float32),
        )
        y = np.empty((5, 12), np.float32)
        quernel.linear(quernel.Weights(w), x, y, {"type": quernel.S8, "mode": quernel.DYNAMIC_ROW})(
            x, y
        )
        self.assertLess(np.abs(y - x @ w.T).max(), 0.02 * np.abs(x @ w.T).max())

    def test_a_bound_call_reads_what_its_tensors_hold_now(self):
        x, w, y = (
            RNG.normal(size=(3, 32)).astype(np.float32),
            RNG.normal(size=(8, 32)).astype(np.float32),
            np.empty((3, 8), np.float32),
        )
        op = quernel.linear(
            quernel.Weights(w), x, y, {"type": quernel.S8, "mode": quernel.DYNAMIC_ROW}
        )
        run, wanted = op.bind(x, y), np.empty_like(y)
        x[:] = RNG.normal(size=x.shape)
        run()
        np.testing.assert_array_equal(y, op(x, wanted))

    def test_deconv2d_fills_every_pixel(self):
        x, w = (
            RNG.integers(0, 256, (1, 4, 3, 5), np.uint8),
            RNG.integers(-128, 128, (4, 6, 2, 2), np.int8),
        )
        y = np.empty((1, 6, 6, 10), np.int32)
        quernel.deconv2d(quernel.Weights(w, "deconv2d"), x, y)(x, y)
        wanted = np.einsum("nchw,cors->nohrws", x.astype(np.int64), w.astype(np.int64)).reshape(
            y.shape
        )
        np.testing.assert_array_equal(y, wanted)

    def test_a_chain_carries_its_border(self):
        x = np.maximum(RNG.normal(size=(1, 8, 6, 5)), 0).astype(np.float32)
        w = RNG.normal(size=(8, 8, 3, 3)).astype(np.float32) * 0.1
        chain = quernel.Chain(1, 8, 6, 5, border=(1, 2))
        chain.memory[:] = 77
        epilogue = {"activation": quernel.RELU, "y_scale": 0.02, "y_zero": 9}
        quernel.conv2d(
            quernel.Weights(w), x, chain, pad=(1, 1, 1, 1), quant={"scale": 0.02}, epilogue=epilogue
        )(x, chain)
        d = chain.desc
        lines = np.lib.stride_tricks.as_strided(
            chain.memory[chain._offset - d.stride_h - 2 * d.stride_w :],
            (8, 9, 8),
            (d.stride_h, d.stride_w, 1),
        )
        for border in (lines[0], lines[-1], lines[:, :2], lines[:, -2:]):
            self.assertTrue((border == 9).all())

    def test_refusals_name_the_argument(self):
        with self.assertRaisesRegex(quernel.QuernelError, r"data\[3\]: nan"):
            quernel.Weights(np.array([[1, 2], [3, np.nan]], np.float32))
        with self.assertRaisesRegex(ValueError, "unknown instruction set"):
            quernel.linear(
                quernel.Weights(np.ones((2, 2), np.float32)),
                np.ones((1, 2), np.float32),
                np.empty((1, 2), np.float32),
                isa="mmx",
            )

    def test_quantize_and_smooth(self):
        x = RNG.normal(size=1000).astype(np.float32)
        q = quernel.quantize(x, 0.05, 0, quernel.S8)
        self.assertLessEqual(np.abs(quernel.dequantize(q, 0.05) - x).max(), 0.026)
        s = quernel.smooth_factors([4.0, 1.0], [1.0, 1.0])
        np.testing.assert_allclose(s, [2.0, 1.0])


class NoLibrary(unittest.TestCase):
    def test_a_command_says_so_in_a_line(self):
        with tempfile.TemporaryDirectory(prefix="quernel-alone-") as folder:
            shutil.copytree(pathlib.Path(quernel.__file__).parent, f"{folder}/alone/quernel")
            env = {"PYTHONPATH": f"{folder}/alone", "QUERNEL_LIBRARY": f"{folder}/none"}
            done = subprocess.run(
                [sys.executable, "-m", "quernel", "--version"],
                env={**os.environ, **env},
                capture_output=True,
                check=False,
            )
        if done.returncode == 0:
            self.skipTest("the library: is installed for all of this machine")
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (3, 1), done.stderr)


def ncnn_files(convolution="Convolution c 1 1 x y 0=1 1=1 5=1 6=2"):
    text = f"7767517\n2 2\nInput in 0 1 x\n{convolution}\n"
    return text, struct.pack("<I3f", 0, 1.5, -2.0, 0.25)


class NcnnReader(unittest.TestCase):
    def test_reads_weights_and_bias(self):
        layer = ncnn_model.parse(*ncnn_files())[1]
        np.testing.assert_array_equal(layer.arrays["weights"].ravel(), [1.5, -2.0])
        np.testing.assert_array_equal(layer.arrays["bias"], [0.25])

    def test_refuses_and_names_the_layer(self):
        text, data = ncnn_files()
        trials = [
            (text.replace("7767517", "1"), data, "first line"),
            (text, data[:-1], r"layer c .*ends"),
            (text, data + b"x", "left behind"),
            (ncnn_files("Pooling p 1 1 x y 0=1")[0], data, "layer p"),
            (ncnn_files("Convolution c 1 1 x y 0=1 1=1 5=1 6=2 99=1")[0], data, "parameter 99"),
            (ncnn_files("Convolution c 1 1 x y 0=1 5=1 6=2")[0], data, "parameter 1 is missing"),
            (text.replace("2 2", "3 2"), data, "announced"),
        ]
        for wrong_text, wrong_data, message in trials:
            with self.subTest(message), self.assertRaisesRegex(ncnn_model.NcnnError, message):
                ncnn_model.parse(wrong_text, wrong_data)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

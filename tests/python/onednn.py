#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quernel and oneDNN (the one in PyTorch) take turns in one thread: where both use tiles, each must
find its own configuration again. tests/api/tiles.c compares the configuration itself."""

import sys
import unittest

import front
import numpy as np

try:
    import torch
except ImportError as problem:
    print(f"skipped: turns with oneDNN: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import quernel

SCALE, TURNS = 1 / 64, 24


def peer(w, codes):
    """A call of oneDNN's int8 convolution; its codes come out as u8."""
    weights = torch.quantize_per_tensor(torch.from_numpy(w), SCALE, 0, torch.qint8)
    x = torch._make_per_tensor_quantized_tensor(torch.from_numpy(codes), SCALE, 0)
    packed = torch.ops.quantized.conv2d_prepack(weights, None, [1, 1], [1, 1], [1, 1], 1)
    return lambda: torch.ops.quantized.conv2d(x, packed, 0.25, 0).int_repr().numpy()


def own(w, codes):
    """The same layer's exact sums by Quernel."""
    y = np.empty((1, len(w), *codes.shape[2:]), np.int32)
    weights = quernel.Weights(np.round(w / SCALE).astype(np.int8))
    run = quernel.conv2d(weights, codes, y, pad=(1, 1, 1, 1))
    return lambda: run(codes, y).copy()


class Turns(unittest.TestCase):
    def setUp(self):
        if "onednn" not in torch.backends.quantized.supported_engines:
            self.skipTest("this PyTorch was built without oneDNN")
        engine, threads = torch.backends.quantized.engine, torch.get_num_threads()
        self.addCleanup(
            lambda: (
                setattr(torch.backends.quantized, "engine", engine),
                torch.set_num_threads(threads),
            )
        )
        torch.backends.quantized.engine = "onednn"
        torch.set_num_threads(1)

    def test_results_stay_the_same(self):
        rng = np.random.default_rng(3)
        for channels, lines in ((64, 20), (96, 7)):
            w = (rng.integers(-40, 41, (channels, channels, 3, 3)) * SCALE).astype(np.float32)
            codes = rng.integers(0, 128, (1, channels, lines, 19)).astype(np.uint8)
            theirs, ours = peer(w, codes), own(w, codes)
            alone = theirs(), ours()
            for _ in range(TURNS):
                np.testing.assert_array_equal(ours(), alone[1])
                np.testing.assert_array_equal(theirs(), alone[0])
            wanted = np.clip(np.rint(alone[1] * (SCALE * SCALE / 0.25)), 0, 255)
            self.assertLess(np.abs(alone[0] - wanted).max(), 2, "these are not the same layer")


if __name__ == "__main__":
    sys.exit(front.main(__name__))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Processes that fork after layers have run on threads: the child runs them, and both end."""

import subprocess
import sys
import unittest

import front

HANG = 100  # seconds that nothing takes but a hang
PROGRAM = """
import os, signal, sys
import numpy as np, quernel
w = np.random.default_rng(1).normal(size=(64, 32, 3, 3)).astype(np.float32)
x = np.random.default_rng(2).random((1, 32, 40, 40), np.float32)
layer = quernel.QuantLayer(quernel.Layer("l", "conv2d", w), quernel.Coding(1 / 255))
before = layer(x, threads=3)
again = quernel.QuantLayer(layer.layer, layer.coding)  # made here, first run in the child
child = os.fork()
signal.alarm(100)
same = all(np.array_equal(before, run(x, threads=3)) for run in (layer, again))
if child:
    same &= os.waitpid(child, 0)[1] == 0
sys.exit(not same)
"""


class Forks(unittest.TestCase):
    def test_child_runs_and_exits(self):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], timeout=2 * HANG, capture_output=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A quantized PyTorch model compiled by Inductor, in the process and ahead of time: the same bits.
Takes minutes, since much of PyTorch is compiled beside it, and a C++ compiler."""

import pathlib
import shutil
import sys
import tempfile
import unittest
from unittest import mock

import front
from torch_exports import MODEL, images, operator, torch


@unittest.skipUnless(shutil.which("g++") or shutil.which("clang++"), "no C++ compiler")
class Compiled(unittest.TestCase):
    def same(self, made):
        x = images()
        made(x)
        with mock.patch.object(operator, "_pack") as pack:  # all weights are packed already
            self.assertTrue(torch.equal(made(x), MODEL(x)))
        pack.assert_not_called()

    def test_in_the_process(self):
        self.same(torch.compile(MODEL, fullgraph=True))

    def test_ahead_of_time(self):
        with tempfile.TemporaryDirectory() as folder:
            file = str(pathlib.Path(folder) / "model.pt2")
            made = torch.export.export(MODEL, (images(),))
            torch._inductor.aoti_compile_and_package(made, package_path=file)
            self.same(torch._inductor.aoti_load_package(file))


if __name__ == "__main__":
    sys.exit(front.main(__name__))

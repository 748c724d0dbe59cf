# SPDX-License-Identifier: Apache-2.0
"""A network as a list of layer records, the one description that the float and the int8 side both
run."""

import dataclasses

import numpy as np

NETWORK_INPUT = -1


@dataclasses.dataclass(frozen=True)
class Layer:
    """One convolution with its activation. An input index names the layer whose output is read."""

    name: str
    op: str  # "conv", or "deconv": transposed, kernel = stride, no padding
    weights: np.ndarray  # float32: conv [out, in, kh, kw], deconv [in, out, kh, kw]
    bias: np.ndarray  # float32 [out]
    stride: tuple[int, int] = (1, 1)  # down, right
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, left, bottom, right
    activation: str = "none"  # "none", "relu", "leaky" (slopes [1]), "prelu" (slopes [out])
    slopes: np.ndarray | None = None  # float32
    input: int = NETWORK_INPUT  # index into Network.layers, or NETWORK_INPUT

    @property
    def channels_in(self):
        return self.weights.shape[0 if self.op == "deconv" else 1]

    @property
    def channels_out(self):
        return self.weights.shape[1 if self.op == "deconv" else 0]

    def output_size(self, height, width):
        """Lines and columns of the output for those of the input."""
        kernel, sizes, pads = (
            self.weights.shape[2:],
            (height, width),
            (self.pad[0::2], self.pad[1::2]),
        )
        if self.op == "deconv":
            return tuple(size * step for size, step in zip(sizes, self.stride))
        return tuple(
            (size + sum(pad) - k) // step + 1
            for size, pad, k, step in zip(sizes, pads, kernel, self.stride)
        )

    def macs(self, height, width):
        """Multiply-adds for an input of that size; padding counts, as in a matrix product."""
        positions = (height, width) if self.op == "deconv" else self.output_size(height, width)
        return self.weights.size * positions[0] * positions[1]


@dataclasses.dataclass(frozen=True)
class TailStep:
    """A step behind the last convolution, always in float. Inputs are numbered: NETWORK_INPUT, 0
    the concatenated outputs of the layers, i the result of step i (counted from 1)."""

    op: str  # "shuffle": channels to pixels; "resize"; "add"
    inputs: tuple[int, ...]
    factor: float = 1.0  # of shuffle and resize
    method: str = ""  # of resize: "nearest", "linear", "cubic"


@dataclasses.dataclass(frozen=True)
class Network:
    """Layers in an order in which they can run. The outputs of `outputs` are concatenated along the
    channels and go through the tail; without a tail they are the result."""

    name: str
    layers: tuple[Layer, ...]
    outputs: tuple[int, ...]
    tail: tuple[TailStep, ...] = ()

    @property
    def channels_in(self):
        return next(layer.channels_in for layer in self.layers if layer.input == NETWORK_INPUT)

    def sizes(self, height, width):
        """(channels, lines, columns) of every layer's output for a network input of that size."""
        found = []
        for layer in self.layers:
            size = (height, width) if layer.input == NETWORK_INPUT else found[layer.input][1:]
            found.append((layer.channels_out, *layer.output_size(*size)))
        return found

    def input_sizes(self, height, width):
        """(channels, lines, columns) of every layer's input."""
        outputs = self.sizes(height, width)
        return [
            (layer.channels_in, height, width)
            if layer.input == NETWORK_INPUT
            else outputs[layer.input]
            for layer in self.layers
        ]

    def macs(self, height, width):
        sizes = self.input_sizes(height, width)
        return [layer.macs(*size[1:]) for layer, size in zip(self.layers, sizes)]

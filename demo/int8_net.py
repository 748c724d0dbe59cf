# SPDX-License-Identifier: Apache-2.0
"""Runs a network's records in int8 by Quernel as one chain of int8 layers: the first one reads the float input where it
is, every other one the u8 tensor that its producer left, and the outputs are written as float again."""
import dataclasses
import time

import numpy as np
import quernel

from .network import NETWORK_INPUT

ACTIVATIONS = {"none": quernel.NONE, "relu": quernel.RELU, "leaky": quernel.LEAKY, "prelu": quernel.PRELU}


class Ranges:
    """Least and greatest value of each channel of the network's input and of every layer's output, over all calibration
    runs. Index NETWORK_INPUT is the input."""

    def __init__(self):
        self.least, self.greatest = {}, {}

    def add(self, x, outputs):
        for index, tensor in [(NETWORK_INPUT, x), *enumerate(outputs)]:
            least, greatest = tensor.min(axis=(0, 2, 3)), tensor.max(axis=(0, 2, 3))
            self.least[index] = np.minimum(self.least.get(index, 0), np.minimum(least, 0))
            self.greatest[index] = np.maximum(self.greatest.get(index, 0), np.maximum(greatest, 0))

    def largest(self, index):
        return np.maximum(self.greatest[index], -self.least[index])


@dataclasses.dataclass(frozen=True)
class Coding:
    """How one tensor is held in u8: x = smooth·scale·(q − zero), smooth one factor per channel or None."""
    scale: float
    zero: int
    smooth: np.ndarray | None

    def quant(self):
        return {"scale": self.scale, "zero": self.zero}

    def output(self):
        return {"y_scale": self.scale, "y_zero": self.zero, "y_smooth": self.smooth}


def _coding(ranges, index, smooth):
    divisor = 1 if smooth is None else smooth
    least, greatest = float((ranges.least[index] / divisor).min()), float((ranges.greatest[index] / divisor).max())
    scale = (greatest - least) / 255 or 1.0
    return Coding(scale, int(np.clip(np.rint(-least / scale), 0, 255)), smooth)


def _largest_weights(layer):
    """Largest |weight| of each input channel."""
    return np.abs(layer.weights).max(axis=(1, 2, 3) if layer.op == "deconv" else (0, 2, 3))


class Int8Net:
    """A network for one input size, quantized by calibrated ranges. alpha: the exponent of smoothing, None for plain.
    Layers that read the same tensor share its smoothing factors."""

    def __init__(self, network, height, width, ranges, alpha=None, threads=1):
        self.network, self.threads = network, threads
        self._readers = {}
        for index, layer in enumerate(network.layers):
            self._readers.setdefault(layer.input, []).append(index)
        self._codings = {source: _coding(ranges, source, self._smooth(ranges, source, alpha)) for source in self._readers}
        self._sizes = network.sizes(height, width)
        self._input = np.empty((1, network.channels_in, height, width), np.float32)
        self._chains, self._result = {}, self._float_result()
        self._operators = [self._operator(index, layer) for index, layer in enumerate(network.layers)]
        self._pool = quernel.Pool(threads) if threads > 1 else None

    def _smooth(self, ranges, source, alpha):
        if alpha is None:
            return None
        weights = np.max([_largest_weights(self.network.layers[reader]) for reader in self._readers[source]], axis=0)
        return quernel.smooth_factors(ranges.largest(source), weights, alpha)

    def _float_result(self):
        channels = sum(self._sizes[i][0] for i in self.network.outputs)
        return np.empty((1, channels, *self._sizes[self.network.outputs[0]][1:]), np.float32)

    def _result_slice(self, index):
        """The channels of the concatenated result that this layer writes: concatenation costs nothing."""
        first = sum(self._sizes[i][0] for i in self.network.outputs[:self.network.outputs.index(index)])
        return self._result[:, first:first + self._sizes[index][0]]

    def _target(self, index):
        if index in self.network.outputs:
            return self._result_slice(index)
        pads = [self.network.layers[reader].pad for reader in self._readers[index]]
        border = max(max(p[0], p[2]) for p in pads), max(max(p[1], p[3]) for p in pads)
        channels, height, width = self._sizes[index]
        return self._chains.setdefault(index, quernel.Chain(1, channels, height, width, border=border))

    def _operator(self, index, layer):
        coding = self._codings[layer.input]
        source = self._input if layer.input == NETWORK_INPUT else self._chains[layer.input]
        target = self._target(index)
        finish = {"bias": layer.bias, "activation": ACTIVATIONS[layer.activation]}
        if layer.activation == "prelu":
            finish["slopes"] = layer.slopes
        elif layer.activation == "leaky":
            finish["slope"] = float(layer.slopes[0])
        if index in self._codings:
            finish |= self._codings[index].output()
        weights = quernel.Weights(layer.weights, "deconv2d" if layer.op == "deconv" else "conv2d", smooth=coding.smooth)
        arguments = {"quant": coding.quant(), "finish": finish, "threads": self.threads}
        if layer.op == "deconv":
            made = quernel.deconv2d(weights, source, target, **arguments)
        else:
            made = quernel.conv2d(weights, source, target, layer.stride, layer.pad, **arguments)
        return made, source, target

    def __call__(self, x):
        """The concatenated outputs of the layers; the array is written anew by each call."""
        np.copyto(self._input, x)
        for operator, source, target in self._operators:
            operator(source, target, pool=self._pool)
        return self._result

    def layer_times_ms(self, x, rounds=5):
        """Median time of each layer, called from Python."""
        self(x)
        times = np.empty((rounds, len(self._operators)))
        for row in times:
            for index, (operator, source, target) in enumerate(self._operators):
                start = time.perf_counter()
                operator(source, target, pool=self._pool)
                row[index] = time.perf_counter() - start
        return 1e3 * np.median(times, axis=0)

    def activations(self, x):
        """Every layer's output as float [1, c, h, w], of a run that has been made: u8 tensors are decoded."""
        self(x)
        found = []
        for index in range(len(self.network.layers)):
            if index not in self._chains:
                found.append(self._result_slice(index).copy())
                continue
            coding, chain = self._codings[index], self._chains[index]
            values = (chain.numpy().astype(np.float32) - coding.zero) * np.float32(coding.scale)
            values = values if coding.smooth is None else values * coding.smooth
            found.append(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))
        return found

    def kernels(self):
        """The kernels that run it, each once."""
        words = [word for operator, _, _ in self._operators for word in operator.explain().split()]
        return sorted({word.removeprefix("kernel=") for word in words if word.startswith("kernel=")})


def calibrate(float_net, inputs):
    """Ranges over float runs of the inputs."""
    ranges = Ranges()
    for x in inputs:
        ranges.add(x, float_net.activations(x)[1])
    return ranges

# SPDX-License-Identifier: Apache-2.0
"""Runs a network's records in int8 by Quernel, as one network of the library: the first layer reads
the float input where it is, every other one the u8 tensor that its producer left, and the outputs
are written as float again, side by side."""

import time

import numpy as np
from quernel import report
from quernel.graph import LAYER, Graph, Node, QuantGraph
from quernel.groups import ActivationStats, Choice, Group
from quernel.layer import Activation, Coded, Layer

from .network import NETWORK_INPUT

INPUT, RESULT = "x", "result"


def _layer(record):
    """A record as the package's Layer."""
    slopes = {
        "prelu": {"slopes": record.slopes},
        "leaky": {"slope": float(record.slopes[0])} if record.slopes is not None else {},
    }
    return Layer(
        record.name,
        "deconv2d" if record.op == "deconv" else "conv2d",
        record.weights,
        record.bias,
        record.stride,
        record.pad,
        activation=Activation(record.activation, **slopes.get(record.activation, {})),
    )


def _graph(network):
    """The network as the package's Graph; what a layer makes has the layer's name."""

    def value(index):
        return INPUT if index == NETWORK_INPUT else network.layers[index].name

    nodes = [
        Node(LAYER, record.name, [value(record.input)], [record.name], layer=_layer(record))
        for record in network.layers
    ]
    outputs = list(map(value, network.outputs))
    if len(outputs) > 1:
        nodes, outputs = [*nodes, Node("Concat", RESULT, outputs, [RESULT], {"axis": 1})], [RESULT]
    return Graph(network.name, nodes, [INPUT], outputs)


class Int8Net:
    """A network quantized by what calibration showed (value → ActivationStats). alpha: the exponent
    of smoothing, None for plain. Layers that read the same tensor share its smoothing factors."""

    def __init__(self, network, stats, alpha=None, threads=1):
        graph, self.threads = _graph(network), threads
        layers = graph.layers()
        codings = {
            value: Group.of(value, [layers[name] for name in names]).codings(Choice(alpha), stats)[
                value
            ]
            for value, names in graph.groups().items()
        }
        self._nodes, self._whole = (
            [node for node in graph.nodes if node.op == LAYER],
            QuantGraph(graph, codings, threads),
        )

    def __call__(self, x):
        """The concatenated outputs of the layers."""
        return self._whole(x)[0]

    def _apart(self, x):
        """(layer, what it reads, what it writes) of each layer, which are run one by one."""
        made, codings = {INPUT: x}, self._whole.codings
        for node in self._nodes:
            layer, source, (value,) = (
                self._whole.layers[node.name],
                made[node.inputs[0]],
                node.outputs,
            )
            shape = layer.layer.output_shape(source.shape)
            made[value] = (
                Coded(shape, codings[value], (1, 1))
                if value in codings
                else np.empty(shape, np.float32)
            )
            yield layer, source, layer.run(source, made[value], self.threads)

    def layer_times_ms(self, x, rounds=5):
        """Median time of each layer, called from Python."""
        runs = list(self._apart(x))
        times = np.empty((rounds, len(runs)))
        for row in times:
            for index, (layer, source, target) in enumerate(runs):
                start = time.perf_counter()
                layer.run(source, target, self.threads)
                row[index] = time.perf_counter() - start
        return 1e3 * np.median(times, axis=0)

    def activations(self, x):
        """Every layer's output as float [1, c, h, w]."""
        return [made.float() if isinstance(made, Coded) else made for _, _, made in self._apart(x)]

    def kernels(self):
        """The kernels that ran it, each once."""
        return sorted({report.kernel(self._whole.explain(node.name)) for node in self._nodes})


def calibrate(float_net, inputs):
    """Value → what float runs of the inputs showed."""
    names = [INPUT, *(record.name for record in float_net.network.layers)]
    runs = [(x, *float_net.activations(x)[1]) for x in inputs]
    return {name: ActivationStats.of(shown) for name, shown in zip(names, zip(*runs))}

# SPDX-License-Identifier: Apache-2.0
"""Runs a network's records in float by ONNX Runtime: the reference for errors, the source of
calibration data, and the contender for times."""

import json
import pathlib
import tempfile
import time
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from . import superres
from .network import NETWORK_INPUT

OPSET, IR_VERSION = 17, 8
INPUT, LAYERS, OUTPUT = "x", "layers", "y"
CUBIC_A = -0.75


class _Graph:
    """An ONNX graph that is being built. Every tensor has the name of the node that makes it."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def layer(self, layer, source):
        name = layer.name
        plain = layer.activation == "none"
        weights = [
            self.constant(f"{name}.weights", layer.weights),
            self.constant(f"{name}.bias", layer.bias),
        ]
        made = self.node(
            "ConvTranspose" if layer.op == "deconv" else "Conv",
            [source, *weights],
            name if plain else f"{name}.linear",
            strides=layer.stride,
            pads=layer.pad,
            kernel_shape=layer.weights.shape[2:],
        )
        if layer.activation == "relu":
            self.node("Relu", [made], name)
        elif layer.activation == "leaky":
            self.node("LeakyRelu", [made], name, alpha=float(layer.slopes[0]))
        elif layer.activation == "prelu":
            self.node(
                "PRelu",
                [made, self.constant(f"{name}.slopes", layer.slopes.reshape(-1, 1, 1))],
                name,
            )
        elif not plain:
            raise ValueError(f"layer {name}: unknown activation {layer.activation}")
        return name

    def resize(self, step, source, channels, name):
        if step.method == "cubic" and step.factor == 0.5:
            return self.halve_cubic(source, channels, name)
        scales = self.constant(
            f"{name}.scales", np.array([1, 1, step.factor, step.factor], np.float32)
        )
        mode: dict[str, Any] = {"coordinate_transformation_mode": "half_pixel"}
        if step.method == "nearest":
            mode = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        elif step.method == "cubic":
            mode["cubic_coeff_a"] = CUBIC_A
        return self.node("Resize", [source, "", scales], name, mode=step.method, **mode)

    def halve_cubic(self, source, channels, name):
        """Cubic interpolation in the middle between pixels, as a strided convolution: the same sum
        as Resize's, which takes twenty times as long and would flatter whoever is compared with
        this float network."""
        outer, inner = CUBIC_A / 8, 0.5 - CUBIC_A / 8
        taps = np.array([outer, inner, inner, outer], np.float32)
        weights = np.zeros((channels, channels, 4, 4), np.float32)
        weights[range(channels), range(channels)] = np.outer(taps, taps)
        pads = self.constant(f"{name}.pads", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
        padded = self.node("Pad", [source, pads], f"{name}.padded", mode="edge")
        return self.node(
            "Conv",
            [padded, self.constant(f"{name}.weights", weights)],
            name,
            strides=[2, 2],
            kernel_shape=[4, 4],
        )

    def tail(self, steps, layers_output, channels, channels_in):
        """Adds the steps behind a tensor of so many channels; returns the name of the last one's
        output."""
        made = [(layers_output, channels)]
        for index, step in enumerate(steps, 1):
            sources = [(INPUT, channels_in) if i == NETWORK_INPUT else made[i] for i in step.inputs]
            (source, channels), name = sources[0], f"tail.{step.op}.{index}"
            if step.op == "shuffle":
                self.node("DepthToSpace", [source], name, blocksize=int(step.factor), mode="CRD")
                channels //= int(step.factor) ** 2
            elif step.op == "resize":
                self.resize(step, source, channels, name)
            elif step.op == "add":
                self.node("Add", [source for source, _ in sources], name)
            else:
                raise ValueError(f"unknown step {step.op}")
            made.append((name, channels))
        return made[-1][0]

    def model(self, inputs, outputs):
        """The checked model; inputs: name → shape."""
        graph = helper.make_graph(
            self.nodes,
            "demo",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None] * 4) for n in outputs],
            self.constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model)
        return model


def _session(model, threads, profile_prefix=None):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    if profile_prefix:
        options.enable_profiling, options.profile_file_prefix = True, profile_prefix
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, ["CPUExecutionProvider"]
    )


def _build(network, height, width, every_layer=False):
    graph = _Graph()
    for layer in network.layers:
        graph.layer(
            layer, INPUT if layer.input == NETWORK_INPUT else network.layers[layer.input].name
        )
    made = [network.layers[i].name for i in network.outputs]
    last = made[0] if len(made) == 1 else graph.node("Concat", made, "concat", axis=1)
    channels = sum(network.layers[i].channels_out for i in network.outputs)
    graph.node("Identity", [graph.tail(network.tail, last, channels, network.channels_in)], OUTPUT)
    outputs = [OUTPUT, *(layer.name for layer in network.layers)] if every_layer else [OUTPUT]
    return graph.model({INPUT: [1, network.channels_in, height, width]}, outputs)


class FloatNet:
    """A network for one picture size. Tensors are float32 arrays [1, channels, lines, columns]."""

    def __init__(self, network, height, width, threads=1):
        self.network, self.size, self.threads = network, (height, width), threads
        self._run = _session(_build(network, height, width), threads)
        self._run_all = None

    def __call__(self, x):
        return self._run.run([OUTPUT], {INPUT: x})[0]

    def activations(self, x):
        """The result, and the outputs of all layers in their order (behind their activations)."""
        if self._run_all is None:
            self._run_all = _session(
                _build(self.network, *self.size, every_layer=True), self.threads
            )
        result, *outputs = self._run_all.run(None, {INPUT: x})
        return result, outputs

    def time_ms(self, x, rounds=5):
        """Median time of a call, after a first one that does not count."""
        self(x)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            self(x)
            times.append(time.perf_counter() - start)
        return 1e3 * float(np.median(times))

    def layer_times_ms(self, x, rounds=5):
        """Median times by ONNX Runtime's own profile: those of all layers in their order (a
        convolution with its activation), and of everything else (changes of layout, concatenation,
        tail) by kind of node."""
        with tempfile.TemporaryDirectory() as folder:
            session = _session(
                _build(self.network, *self.size), self.threads, str(pathlib.Path(folder, "profile"))
            )
            for _ in range(rounds + 1):
                session.run([OUTPUT], {INPUT: x})
            events = json.loads(pathlib.Path(session.end_profiling()).read_text())
        return self._assign(events, rounds)

    def _assign(self, events, rounds):
        by_node = {}
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                by_node.setdefault((event["name"], event["args"]["op_name"]), []).append(
                    event["dur"] / 1e3
                )
        layers, rest = [0.0] * len(self.network.layers), {}
        for (node, op), times in by_node.items():
            layer, time_ms = self._owner(node, op), float(np.median(times[-rounds:]))
            if layer is None:
                rest[op] = rest.get(op, 0.0) + time_ms
            else:
                layers[layer] += time_ms
        return layers, rest

    def _owner(self, node, op):
        """The layer that a node stands for, or None. A node's name begins with its layer's; the
        longest that fits is meant (Conv_2 against Conv_20)."""
        fitting = [i for i, layer in enumerate(self.network.layers) if node.startswith(layer.name)]
        if not fitting or op.startswith("Reorder"):
            return None
        return max(fitting, key=lambda i: len(self.network.layers[i].name))


class Tail:
    """The tail alone, for a network whose layers run elsewhere: the same float nodes as
    FloatNet's."""

    def __init__(self, network, height, width, threads=1):
        sizes = network.sizes(height, width)
        channels = sum(sizes[i][0] for i in network.outputs)
        graph = _Graph()
        graph.node(
            "Identity", [graph.tail(network.tail, LAYERS, channels, network.channels_in)], OUTPUT
        )
        model = graph.model(
            {
                INPUT: [1, network.channels_in, height, width],
                LAYERS: [1, channels, *sizes[network.outputs[0]][1:]],
            },
            [OUTPUT],
        )
        self._session = _session(model, threads)

    def __call__(self, x, layers_output):
        return self._session.run([OUTPUT], {INPUT: x, LAYERS: layers_output})[0]


def main():
    network, size = superres.load(), (192, 192)
    x = np.random.default_rng(1).random((1, network.channels_in, *size), np.float32)
    net = FloatNet(network, *size)
    result, outputs = net.activations(x)
    again = Tail(network, *size)(x, outputs[network.outputs[0]])
    print(
        f"{network.name}: {x.shape} → {result.shape}; the tail alone differs by "
        f"{np.abs(again - result).max():.1e}"
    )
    layers, rest = net.layer_times_ms(x)
    for layer, time_ms, output in zip(network.layers, layers, outputs):
        print(f"{layer.name:8} {time_ms:7.2f} ms   largest |output| {np.abs(output).max():.3f}")
    print("other nodes: " + ", ".join(f"{op} {time_ms:.2f} ms" for op, time_ms in rest.items()))
    print(f"whole network: {net.time_ms(x):.0f} ms on {net.threads} thread")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""PointPillars' backbone_2d as a list of layer records: three blocks of 3x3 convolutions, each
beginning with a stride of 2, and per block a transposed convolution back to one size; the three
results are concatenated. Weights are drawn like trained ones (draw.py): no package holds the
detector's own."""

import dataclasses

import numpy as np

from . import draw, lidar
from .float_net import FloatNet
from .network import NETWORK_INPUT, Layer, Network

SEED = 1001
BLOCKS = ((64, 4), (128, 6), (256, 6))  # channels, convolutions
UPSAMPLED, UP_STRIDES = 128, (1, 2, 4)
CALIBRATION_TURN = {"turned": 117.0, "mirrored": True}


def structure(channels=lidar.CHANNELS):
    """The layers without numbers: (name, op, channels in, channels out, kernel, stride, pad,
    input)."""
    rows, source, block_ends = [], NETWORK_INPUT, []
    for block, (width, count) in enumerate(BLOCKS):
        for index in range(count):
            name, step = f"blocks.{block}.{3 * index + 1}", 2 if index == 0 else 1
            rows.append((name, "conv", channels, width, 3, step, 1, source))
            channels, source = width, len(rows) - 1
        block_ends.append(source)
    for block, (step, source) in enumerate(zip(UP_STRIDES, block_ends)):
        rows.append(
            (f"deblocks.{block}.0", "deconv", rows[source][3], UPSAMPLED, step, step, 0, source)
        )
    return rows


def _draw_layer(rng, row, x):
    """The record of one row, and its output for x: its batch norm takes its statistics from x."""
    name, op, channels, outputs, kernel, step, pad, source = row
    drawn = draw.weights(rng, outputs, channels, (kernel, kernel))
    if op == "deconv":
        drawn = np.ascontiguousarray(drawn.swapaxes(0, 1))
    linear = Layer(name, op, drawn, np.zeros(outputs, np.float32), (step, step), (pad,) * 4)
    made = FloatNet(Network(name, (linear,), (0,)), *x.shape[2:])(x)
    mean, variance = (
        moment(made, axis=(0, 2, 3), dtype=np.float64) for moment in (np.mean, np.var)
    )
    factor, bias = draw.norm(rng, mean, variance)
    per_output = factor.reshape((1, -1, 1, 1) if op == "deconv" else (-1, 1, 1, 1))
    layer = dataclasses.replace(
        linear, weights=drawn * per_output, bias=bias, activation="relu", input=source
    )
    return layer, np.maximum(made * factor.reshape(-1, 1, 1) + bias.reshape(-1, 1, 1), 0)


def draw_network(x, seed=SEED, progress=lambda name: None):
    """The network with weights drawn from the seed and batch norms fitted to the input x, layer
    after layer."""
    rng = np.random.default_rng(seed)
    layers, outputs = [], []
    for row in structure(x.shape[1]):
        progress(row[0])
        layer, made = _draw_layer(rng, row, x if row[-1] == NETWORK_INPUT else outputs[row[-1]])
        layers.append(layer)
        outputs.append(made)
    first_up = len(layers) - len(UP_STRIDES)
    return Network("PointPillars backbone_2d", tuple(layers), tuple(range(first_up, len(layers))))


@dataclasses.dataclass(frozen=True)
class Scene:
    """All that the LiDAR part of the demo needs. The network is drawn on the calibration input, so
    the test input is new to everything."""

    network: Network
    test: np.ndarray  # [1, 64, 496, 432]: the turn as it was recorded
    calibration: np.ndarray  # the same turn, mirrored and turned
    occupancy: float  # share of the test input's pillars that hold points


def load(seed=SEED, progress=lambda name: None):
    """Reads the log, draws both networks."""
    calibration = lidar.pillars(lidar.load_points(**CALIBRATION_TURN))
    test = lidar.pillars(lidar.load_points())
    pillar_layer = lidar.draw_pillar_layer(calibration)
    x = lidar.grid(calibration, *pillar_layer)
    return Scene(
        draw_network(x, seed, progress), lidar.grid(test, *pillar_layer), x, test.occupancy
    )


def main():
    scene = load()
    size, x = scene.test.shape[2:], scene.test
    net = FloatNet(scene.network, *size)
    _, outputs = net.activations(x)
    times, rest = net.layer_times_ms(x)
    print(
        f"{scene.network.name}, weights drawn like trained ones; {100 * scene.occupancy:.1f} % of "
        "the pillars in use"
    )
    print(
        "layer           input  output             MMAC       ms  largest: 25, 50, 75, 100 % of "
        "channels   zeros"
    )
    for layer, macs, time_ms, y in zip(
        scene.network.layers, scene.network.macs(*size), times, outputs
    ):
        largest = np.percentile(y.max(axis=(0, 2, 3)), [25, 50, 75, 100])
        print(
            f"{layer.name:15} {layer.input:5}  {y.shape[1:]!s:15} {macs / 1e6:7.1f} "
            f"{time_ms:8.2f}  "
            + "".join(f"{v:8.2f}" for v in largest)
            + f"  {100 * np.mean(y == 0):13.1f} %"
        )
    print("other nodes: " + ", ".join(f"{op} {time_ms:.2f} ms" for op, time_ms in rest.items()))
    total = sum(scene.network.macs(*size)) / 1e6
    print(f"whole network: {total:.0f} MMAC, {net.time_ms(x):.0f} ms on {net.threads} thread")


if __name__ == "__main__":
    main()

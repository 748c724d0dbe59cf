# SPDX-License-Identifier: Apache-2.0
"""PointPillars' backbone_2d as an ONNX model: three blocks of 3x3 convolutions, each beginning with
a stride of 2, and per block a transposed convolution back to one size; the three results are
concatenated. Weights are drawn like trained ones (draw.py): no package holds the detector's own."""

import dataclasses
from typing import Any

import numpy as np

from . import draw, lidar, onnx_graph

NAME, INPUT, OUTPUT = "PointPillars backbone_2d", "x", "y"
SEED = 1001
BLOCKS = ((64, 4), (128, 6), (256, 6))  # channels, convolutions
UPSAMPLED, UP_STRIDES = 128, (1, 2, 4)
CALIBRATION_TURN = {"turned": 117.0, "mirrored": True}


class Drawing:
    """Layers drawn one by one: the batch norm of each takes its statistics from what the layers
    before it make of the input x."""

    def __init__(self, x, seed, progress):
        self.graph, self.rng, self.progress = (
            onnx_graph.Graph(),
            np.random.default_rng(seed),
            progress,
        )
        self.made = {INPUT: x}

    def _run(self, x, weights, up, attributes):
        alone = onnx_graph.Graph()
        alone.conv(OUTPUT, INPUT, weights, up=up, **attributes)
        model = alone.model(NAME, {INPUT: x.shape}, {OUTPUT: 4})
        return onnx_graph.run(onnx_graph.session(model), x)[0]

    def layer(self, name, source, outputs, kernel, step, pad, up=False, relu=True):
        """Adds a layer, with its ReLU or without one; returns the name of its output."""
        self.progress(name)
        x, attributes = self.made[source], {"strides": [step] * 2, "pads": [pad] * 4}
        weights = draw.weights(self.rng, outputs, x.shape[1], (kernel, kernel))
        if up:
            weights = np.ascontiguousarray(weights.swapaxes(0, 1))
        made = self._run(x, weights, up, attributes)
        mean, variance = (
            moment(made, axis=(0, 2, 3), dtype=np.float64) for moment in (np.mean, np.var)
        )
        factor, bias = draw.norm(self.rng, mean, variance)
        weights = weights * factor.reshape((1, -1, 1, 1) if up else (-1, 1, 1, 1))
        self.graph.conv(f"{name}.linear", source, weights, bias, up=up, **attributes)
        normed = made * factor.reshape(-1, 1, 1) + bias.reshape(-1, 1, 1)
        if not relu:
            self.made[f"{name}.linear"] = normed
            return f"{name}.linear"
        self.made[name] = np.maximum(normed, 0)
        return self.graph.node("Relu", name, f"{name}.linear")


def draw_model(x, seed=SEED, progress=lambda name: None):
    """The model with weights drawn from the seed and batch norms fitted to the input x."""
    drawing, source, ends = Drawing(x, seed, progress), INPUT, []
    for block, (width, count) in enumerate(BLOCKS):
        for index in range(count):
            step = 2 if index == 0 else 1
            source = drawing.layer(f"blocks.{block}.{3 * index + 1}", source, width, 3, step, 1)
        ends.append(source)
    raised = [
        drawing.layer(f"deblocks.{block}.0", end, UPSAMPLED, step, step, 0, up=True)
        for block, (step, end) in enumerate(zip(UP_STRIDES, ends))
    ]
    drawing.graph.node("Concat", OUTPUT, *raised, axis=1)
    return drawing.graph.model(NAME, {INPUT: x.shape}, {OUTPUT: 4})


@dataclasses.dataclass(frozen=True)
class Scene:
    """All that the LiDAR part of the demo needs. The network is drawn on the calibration input, so
    the test input is new to everything."""

    model: Any
    test: np.ndarray  # [1, 64, 496, 432]: the turn as it was recorded
    calibration: np.ndarray  # the same turn, mirrored and turned
    occupancy: float  # share of the test input's pillars that hold points


def load(seed=SEED, progress=lambda name: None):
    """Reads the log, draws both networks."""
    calibration = lidar.pillars(lidar.load_points(**CALIBRATION_TURN))
    test = lidar.pillars(lidar.load_points())
    pillar_layer = lidar.draw_pillar_layer(calibration)
    x = lidar.grid(calibration, *pillar_layer)
    return Scene(draw_model(x, seed, progress), lidar.grid(test, *pillar_layer), x, test.occupancy)

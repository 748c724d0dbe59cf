# SPDX-License-Identifier: Apache-2.0
"""Networks whose weights no package holds: their structure, and weights drawn like trained ones
(demo/draw.py). Their times are those of the real ones; what they would recognize is nothing."""

import numpy as np

from bench import rows as lists
from demo import backbone, draw

ROWS = lists.SHAPES / "networks.csv"
CLASSES = 1000
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # width, blocks; a block's output is 4 times wider
WIDER = 4
SEED = 77


def backbone_2d(model, x):
    """PointPillars' or CenterPoint's, of bench/shapes/networks.csv; batch norms fit the input x."""
    drawing = backbone.Drawing(x, SEED, lambda name: None)
    names, ends = [backbone.INPUT], []
    rows = [row for row in lists.read_rows(ROWS) if row["model"] == model]
    for row in rows:
        kernel, stride, pad = (int(row[key]) for key in ("kernel", "stride", "pad"))
        source = names[int(row["input"])]
        up = row["op"] == "deconv"
        given = (row["layer"], source, int(row["c_out"]), kernel, stride, pad, up)
        names.append(drawing.layer(*given))
        if row["slice"]:
            ends.append((int(row["slice"]), names[-1]))
    drawing.graph.node("Concat", backbone.OUTPUT, *(name for _, name in sorted(ends)), axis=1)
    return drawing.graph.model(model, {backbone.INPUT: x.shape}, {backbone.OUTPUT: 4})


def _block(drawing, name, source, width, stride, first):
    """1x1, 3x3, 1x1, and the sum with what came in, by a 1x1 layer where that has another shape."""
    made = drawing.layer(f"{name}.1", source, width, 1, 1, 0)
    made = drawing.layer(f"{name}.2", made, width, 3, stride, 1)
    made = drawing.layer(f"{name}.3", made, WIDER * width, 1, 1, 0, relu=False)
    if first:
        source = drawing.layer(f"{name}.short", source, WIDER * width, 1, stride, 0, relu=False)
    drawing.graph.node("Add", f"{name}.sum", made, source)
    drawing.made[name] = np.maximum(drawing.made[made] + drawing.made[source], 0)
    return drawing.graph.node("Relu", name, f"{name}.sum")


def _max_pool(x):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))  # behind a ReLU: 0 is the least
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.ascontiguousarray(windows[:, :, ::2, ::2].max(axis=(4, 5)))


def resnet50(x):
    """ResNet-50 (the stride in the 3x3 layers); batch norms fit the input x [1, 3, 224, 224]."""
    drawing = backbone.Drawing(x, SEED, lambda name: None)
    source = drawing.layer("stem", backbone.INPUT, STAGES[0][0], 7, 2, 3)
    window = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}
    drawing.made["pool"] = _max_pool(drawing.made[source])
    source = drawing.graph.node("MaxPool", "pool", source, **window)
    for stage, (width, blocks) in enumerate(STAGES):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            source = _block(drawing, f"{stage}.{block}", source, width, stride, not block)
    drawing.graph.node("GlobalAveragePool", "mean", source)
    drawing.graph.node("Flatten", "flat", "mean")
    weights = draw.weights(drawing.rng, CLASSES, WIDER * STAGES[-1][0])
    drawing.graph.node("Gemm", backbone.OUTPUT, "flat", weights, np.zeros(CLASSES, "f4"), transB=1)
    return drawing.graph.model("resnet50", {backbone.INPUT: x.shape}, {backbone.OUTPUT: 2})

# SPDX-License-Identifier: Apache-2.0
"""What "dedup=N" of a plan is worth: the four layers of PointPillars' first block on a real LiDAR
turn (Debian's mrpt-common) and on dense noise, off and on in random order within every round.
PYTHONPATH=.:python python3 bench/dedup_rows.py [ROUNDS] [BLOCK ...]"""

import random
import sys
import time
from typing import Any

import numpy as np
import quernel

from demo import lidar

LAYERS, CHANNELS, LINES, COLUMNS = 4, 64, 248, 216


def middle(values):
    """Median with its 95 % interval."""
    v, half = np.sort(values), 0.98 * np.sqrt(len(values))
    lo, hi = max(0, int(len(v) / 2 - half)), min(len(v) - 1, int(np.ceil(len(v) / 2 + half)))
    return f"{np.median(v):.3f} [{v[lo]:.3f}, {v[hi]:.3f}]"


def make_layer(rng, x, scale, stride, configs):
    """{config: (operator, x, y)} of one layer, and the scale of y. All give the same bits."""
    weights = quernel.Weights(
        (rng.standard_normal((CHANNELS, CHANNELS, 3, 3)) / 24).astype(np.float32)
    )
    numbers = dict(
        bias=(rng.standard_normal(CHANNELS) * 0.1).astype(np.float32), activation=quernel.RELU
    )
    window: dict[str, Any] = dict(
        stride=(stride, stride), pad=(1, 1, 1, 1), quant=dict(scale=scale)
    )
    plain = np.empty((1, CHANNELS, LINES, COLUMNS), np.float32)
    quernel.conv2d(weights, x, plain, epilogue=numbers, **window)(x, plain)
    y_scale = float(np.percentile(plain[plain > 0], 99.9) / 255)
    made = {}
    for config in configs:
        y = quernel.Chain(1, CHANNELS, LINES, COLUMNS)
        op = quernel.conv2d(
            weights, x, y, epilogue=dict(numbers, y_scale=y_scale), config=config, **window
        )
        made[config] = (op, x, op(x, y))
    first = made[None][2]
    if any(np.any(y.numpy() != first.numpy()) for _, _, y in made.values()):
        raise SystemExit("the results differ")
    return made, y_scale


def measure(x, configs, rounds):
    """Seconds of every config: [rounds, layers]."""
    rng = np.random.default_rng(1)
    layers, scale = [], float(x.max() / 255)
    for i in range(LAYERS):
        made, scale = make_layer(rng, x, scale, 1 if i else 2, configs)
        layers.append(made)
        x = made[None][2]
    seconds = {config: np.zeros((rounds, LAYERS)) for config in configs}
    for r in range(rounds):
        for i, made in enumerate(layers):
            for config in random.sample(configs, len(configs)):
                op, source, y = made[config]
                start = time.perf_counter()
                op(source, y)
                seconds[config][r, i] = time.perf_counter() - start
    return seconds


def main():
    rounds, blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 31, sys.argv[2:] or ["8"]
    found = lidar.pillars(lidar.load_points())
    turn = lidar.grid(found, *lidar.draw_pillar_layer(found))
    noise = np.abs(np.random.default_rng(2).standard_normal(turn.shape)).astype(np.float32)
    for name, x in (("LiDAR turn", turn), ("dense noise", noise)):
        seconds = measure(x, [None] + [f"dedup={block}" for block in blocks], rounds)
        off = seconds.pop(None)
        for config, on in seconds.items():
            layers = ", ".join(f"{value:.2f}" for value in np.median(off / on, axis=0))
            print(
                f"{name:12} off over {config}: block {middle(off.sum(axis=1) / on.sum(axis=1))}, "
                f"layers {layers}; "
                f"{1e3 * np.median(off.sum(axis=1)):.1f} ms off"
            )


if __name__ == "__main__":
    main()

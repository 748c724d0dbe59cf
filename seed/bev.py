# SPDX-License-Identifier: Apache-2.0
"""A small detector on bird's-eye maps, trained here: the task on which replacing layers shows in
the result. Scenes are drawn (boxes of two kinds seen by a sensor, walls, clutter); the network has
a detector's structure: padding modules, batch norms with eps 1e-3 and no bias in backbone_2d, eps
1e-5 and biases in the head, deconvolutions with kernel = stride, and channels in front of the head
and in it that are dead."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIZE, FEATURES, CLASSES = 64, 7, 2
STEPS, BATCH = 350, 8
SHAPES = ((4.5, 9.0), (2.0, 2.0))  # lines and columns of a box of each class


def _box(rng, canvas, heat, kind):
    """Points on the outline of a turned box, and its peak in the heat map."""
    centre, angle = rng.uniform(6, SIZE - 6, 2), rng.uniform(0, np.pi)
    count = int(rng.integers(25, 60) * (1 if kind == 0 else 0.4))
    side, along = rng.integers(4, size=count), rng.uniform(-0.5, 0.5, count)
    unit = np.where(
        side[:, None] < 2,
        np.stack([along, np.where(side == 0, -0.5, 0.5)], 1),
        np.stack([np.where(side == 2, -0.5, 0.5), along], 1),
    )
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = unit * SHAPES[kind] @ turn.T + centre + rng.normal(0, 0.15, (count, 2))
    _strew(rng, canvas, points, rng.uniform(0.2, 1.8, count), 0.6 if kind == 0 else 0.3)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    peak = np.exp(-((rows + 0.5 - centre[0]) ** 2 + (columns + 0.5 - centre[1]) ** 2) / 2.0)
    heat[kind] = np.maximum(heat[kind], peak)
    heat[kind, int(centre[0]), int(centre[1])] = 1
    return kind, centre


def _strew(rng, canvas, points, heights, reflectivity):
    """Adds points to the features of their pillars: number, height, greatest height, reflectivity,
    offsets, distance."""
    place = np.floor(points).astype(int)
    inside = ((place >= 0) & (place < SIZE)).all(axis=1)
    for (row, column), point, height in zip(place[inside], points[inside], heights[inside]):
        cell = canvas[:, row, column]
        cell[0] += 1
        cell[1] = height
        cell[2] = max(cell[2], height)
        cell[3] = reflectivity * rng.uniform(0.7, 1.3)
        cell[4:6] = point - (row, column) - 0.5
        cell[6] = np.hypot(*(point - SIZE / 2)) / 10


def scene(seed):
    """(features [FEATURES, SIZE, SIZE], heat [CLASSES, SIZE, SIZE], objects [(class, centre)])."""
    rng = np.random.default_rng(seed)
    canvas, heat = (
        np.zeros((FEATURES, SIZE, SIZE), np.float32),
        np.zeros((CLASSES, SIZE, SIZE), np.float32),
    )
    objects = [
        _box(rng, canvas, heat, int(rng.integers(CLASSES))) for _ in range(rng.integers(3, 8))
    ]
    for _ in range(rng.integers(1, 4)):  # walls
        start, end = rng.uniform(0, SIZE, (2, 2))
        _strew(rng, canvas, start + (end - start) * rng.random((60, 1)), rng.uniform(0, 3, 60), 0.4)
    _strew(rng, canvas, rng.uniform(0, SIZE, (80, 2)), rng.uniform(0, 0.3, 80), 0.2)
    return canvas, heat, objects


def batch(seeds):
    scenes = [scene(seed) for seed in seeds]
    x, heat = (torch.from_numpy(np.stack([found[i] for found in scenes])) for i in (0, 1))
    return x, heat, [found[2] for found in scenes]


def _unit(conv, norm):
    return [conv, norm, nn.ReLU()]


class Backbone2d(nn.Module):
    """Blocks of 3x3 convolutions, (channels, convolutions, stride) each, and from each a way back
    to one size."""

    def __init__(self, inputs=FEATURES, blocks=((16, 2, 1), (32, 3, 2)), out=16):
        super().__init__()
        self.blocks, self.deblocks, up = nn.ModuleList(), nn.ModuleList(), 1
        for index, (width, count, stride) in enumerate(blocks):
            units, up = [nn.ZeroPad2d(1)], up * (stride if index else 1)
            for at in range(count):
                conv = nn.Conv2d(
                    inputs, width, 3, stride if at == 0 else 1, int(at > 0), bias=False
                )
                units += _unit(conv, nn.BatchNorm2d(width, eps=1e-3))
                inputs = width
            self.blocks.append(nn.Sequential(*units))
            self.deblocks.append(
                nn.Sequential(
                    *_unit(
                        nn.ConvTranspose2d(width, out, up, up, bias=False),
                        nn.BatchNorm2d(out, eps=1e-3),
                    )
                )
            )

    def forward(self, x):
        ups = []
        for block, deblock in zip(self.blocks, self.deblocks):
            x = block(x)
            ups.append(deblock(x))
        return torch.cat(ups, 1)


class Head(nn.Module):
    def __init__(self, inputs=32, width=32):
        super().__init__()
        self.shared = nn.Sequential(
            *_unit(nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width))
        )
        self.heat = nn.Conv2d(width, CLASSES, 3, padding=1)
        with torch.no_grad():
            self.heat.bias.fill_(-2.2)

    def forward(self, x):
        return self.heat(self.shared(x))


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone_2d, self.dense_head = Backbone2d(), Head()

    def forward(self, x):
        return self.dense_head(self.backbone_2d(x))


def kill_channels(model, every=8):
    """Every eighth channel that the head reads or makes is dead from the start, as channels of
    trained detectors are."""
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d) and ".blocks." not in name:
            module.weight.data[::every], module.bias.data[::every] = 0, -0.1
            for tensor in (module.weight, module.bias):
                tensor.register_hook(
                    lambda gradient: gradient * (torch.arange(len(gradient)) % every != 0)
                )


def _loss(logits, heat):
    """CenterNet's focal loss."""
    score = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    hit = heat == 1
    gain = torch.where(
        hit, (1 - score) ** 2 * torch.log(score), (1 - heat) ** 4 * score**2 * torch.log(1 - score)
    )
    return -gain.sum() / hit.sum()


def train(seed=3, steps=STEPS, say=lambda text: None):
    torch.manual_seed(seed)
    model = Detector()
    kill_channels(model)
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, steps)
    for step in range(steps):
        x, heat, _ = batch(range(10000 + BATCH * step, 10000 + BATCH * (step + 1)))
        loss = _loss(model(x), heat)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            say(f"  step {step}: loss {float(loss.detach()):.2f}")
    return model.eval()


def cached(path, say=lambda text: None):
    """The trained model, from the file if it is there."""
    model = Detector().eval()
    if path.exists():
        model.load_state_dict(torch.load(path, weights_only=True))
        return model
    model = train(say=say)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), path)
    return model


def f1(model, seeds, threshold=0.3, reach=2.0):
    """F1 in per cent: peaks of the heat map against the objects, one to one, within so many
    pixels."""
    hits = misses = false = 0
    for at in range(0, len(seeds), BATCH):
        x, _, objects = batch(seeds[at : at + BATCH])
        with torch.no_grad():
            score = torch.nan_to_num(torch.sigmoid(model(x)))
        peaks = (score == F.max_pool2d(score, 3, 1, 1)) & (score > threshold)
        for found, wanted in zip(peaks, objects):
            wanted = list(wanted)
            for kind, row, column in found.nonzero().tolist():
                near = [
                    o
                    for o in wanted
                    if o[0] == kind and np.hypot(*(o[1] - (row + 0.5, column + 0.5))) <= reach
                ]
                hits, false = hits + bool(near), false + (not near)
                wanted = [o for o in wanted if not near or o is not near[0]]
            misses += len(wanted)
    return 100 * 2 * hits / max(1, 2 * hits + misses + false)

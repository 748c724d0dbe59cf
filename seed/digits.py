# SPDX-License-Identifier: Apache-2.0
"""A classifier of scikit-learn's handwritten digits (8x8 pixels, 1797 of them), trained here: six
convolutions with batch norm and ReLU. It barely moves in int8: what it shows is that accuracy
stays, and, calibrated on a part of the digits that leaves channels silent, what the search does
then."""

import functools
import gzip

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from demo import assets, onnx_graph

WIDTHS = (16, 16, 32, 32, 64, 64)
POOLED = (1, 3)  # a 2x2 maximum follows these convolutions
TRAINING = 1297  # the first so many digits train, the others are for evaluation
EPOCHS, BATCH = 20, 32


@functools.lru_cache(maxsize=1)
def _table():
    path = assets.in_python_package("sklearn", "datasets/data/digits.csv.gz")
    with gzip.open(path, "rt") as file:
        return np.loadtxt(file, delimiter=",", dtype=np.float32)


def rows(first, end):
    """(pixels float32 [n, 1, 8, 8] in 0…1, labels [n]) of a stretch of the data."""
    table = _table()[first:end]
    return np.ascontiguousarray(table[:, :64].reshape(-1, 1, 8, 8) / np.float32(16)), table[
        :, 64
    ].astype(np.int64)


def network():
    """Convolutions, each with its batch norm, ReLU and, in two places, a maximum; their mean; a
    linear layer."""
    steps, inputs = [], 1
    for index, width in enumerate(WIDTHS):
        steps += [
            nn.Conv2d(inputs, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        steps += [nn.MaxPool2d(2)] if index in POOLED else []
        inputs = width
    return nn.Sequential(*steps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def train(seed=4):
    torch.manual_seed(seed)
    model, (x, label) = network(), map(torch.from_numpy, rows(0, TRAINING))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(EPOCHS):
        for some in torch.randperm(len(x)).split(BATCH):
            loss = F.cross_entropy(model(x[some]), label[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


def exported(model):
    """The trained network as an ONNX model, for any number of pictures."""
    graph, value = onnx_graph.Graph(), "x"

    def numbers(module, *names):
        return [getattr(module, name).detach().numpy() for name in names]

    for name, module in model.named_children():
        if isinstance(module, nn.Conv2d):
            value = graph.conv(name, value, *numbers(module, "weight"), pads=[1] * 4)
        elif isinstance(module, nn.BatchNorm2d):
            given = numbers(module, "weight", "bias", "running_mean", "running_var")
            value = graph.node("BatchNormalization", name, value, *given, epsilon=module.eps)
        elif isinstance(module, nn.ReLU):
            value = graph.node("Relu", name, value)
        elif isinstance(module, nn.MaxPool2d):
            value = graph.node("MaxPool", name, value, kernel_shape=[2, 2], strides=[2, 2])
        elif isinstance(module, nn.AdaptiveAvgPool2d):
            value = graph.node("GlobalAveragePool", name, value)
        elif isinstance(module, nn.Flatten):
            value = graph.node("Flatten", name, value)
        elif isinstance(module, nn.Linear):
            given = numbers(module, "weight", "bias")
            value = graph.node("Gemm", name, value, *given, transB=1)
    return graph.model("digits", {"x": ["n", 1, 8, 8]}, {value: 2})


@functools.lru_cache(maxsize=1)
def trained():
    """The model of the network, trained when it is first asked for (a quarter of a minute)."""
    return exported(train())

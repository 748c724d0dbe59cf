# SPDX-License-Identifier: Apache-2.0
"""What the tests of quernel.torch on whole models share."""

import copy
import sys
import unittest
import warnings

try:
    import quernel.torch as qt
    import torch
    from torch import fx
except ImportError as problem:
    print(f"skipped: quernel.torch: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from quernel import calibrate


def sqnr(reference, model, x):
    with torch.no_grad():
        return calibrate.sqnr([reference(x).numpy()], [model(x).numpy()])


def quantized(model, data, **options):
    """(the float model, the one in int8, its report, what was warned of)."""
    reference = copy.deepcopy(model.eval())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        report = qt.quantize(model, data, **options)
    return reference, model, report, [str(one.message) for one in told]


def images(*shape, count=4):
    return [torch.rand(shape) for _ in range(count)]


def uneven(norm):
    """A norm as training leaves it, each channel its own."""
    norm.running_mean.uniform_(-1, 1), norm.running_var.uniform_(0.2, 3)
    norm.weight.data.uniform_(-2, 2), norm.bias.data.uniform_(-1, 1)
    return norm


class Whole(fx.Tracer):
    def is_leaf_module(self, module, name):
        return True


def whole(model):
    """A graph that calls modules alone, as those of readers of other formats."""
    return fx.GraphModule(model, Whole().trace(model))


class Case(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(9)

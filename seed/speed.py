# SPDX-License-Identifier: Apache-2.0
"""How much of the library's speed a drop-in replacement keeps: PointPillars' backbone_2d in PyTorch
float, the same model with every layer replaced, and the same operators called one after another on
memory of their own. Paired rounds in random order; weights drawn. The share is the operators' time
over the replaced model's."""

import argparse
import copy
import random

import quernel.torch as qt
import torch
from quernel.layer import Coded, pool
from quernel.torch import operator

from demo import times

from . import bev

BLOCKS = ((64, 4, 2), (128, 6, 2), (256, 6, 2))


class Operators:
    """The layers of a replaced model as operators on tensors that are kept."""

    def __init__(self, model, x, threads):
        self.steps, self.pool = [], pool(threads)
        modules = [
            module
            for module in model.modules()
            if isinstance(module, (qt.QuantConv2d, qt.QuantConvTranspose2d))
        ]
        hooks = [module.register_forward_hook(self._keep(threads)) for module in modules]
        with torch.no_grad():
            model(x)
        for hook in hooks:
            hook.remove()

    def _keep(self, threads):
        def hook(module, arguments, y):
            made = operator.packed(module.tensors, module.use)
            sides = operator.sides(arguments[0], y, made, module.use)
            made.layer.run(*sides, threads)
            kept = next(reversed(made.layer._operators.values()))
            self.steps.append((kept, *(t.chain if isinstance(t, Coded) else t for t in sides)))

        return hook

    def __call__(self):
        for kept, source, target in self.steps:
            kept(source, target, pool=self.pool)


def main():
    parser = argparse.ArgumentParser(prog="python -m seed.speed", description=__doc__)
    parser.add_argument("--lines", type=int, default=248)
    parser.add_argument("--columns", type=int, default=216)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    random.seed(1)
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    model = bev.Backbone2d(64, BLOCKS, 128).eval()
    x = torch.rand(1, 64, options.lines, options.columns)
    replaced = copy.deepcopy(model)
    qt.quantize(replaced, [x], policies=("plain",))
    operators = Operators(replaced, x, options.threads)
    with torch.no_grad():
        taken = times.paired(
            {"float": lambda: model(x), "replaced": lambda: replaced(x), "operators": operators},
            options.rounds,
        )
    for name, values in taken.items():
        print(
            f"{name:10} {times.interval(values):>26} ms   "
            f"{times.interval(taken['float'] / values)} times float's speed"
        )
    share = taken["operators"] / taken["replaced"]
    print(
        f"a drop-in replacement keeps {times.interval(share)} of the operators' speed "
        f"({options.threads} thread(s), {options.rounds} rounds)"
    )


if __name__ == "__main__":
    main()

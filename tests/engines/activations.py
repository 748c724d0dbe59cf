# SPDX-License-Identifier: Apache-2.0
"""Activations in the forms in which exporters write them. Each takes a Builder and the name of a
float value, and gives one; `maybe` is what puts Q -> DQ pairs between."""

import math

import numpy as np


def clip(b, x, maybe):
    lo, hi = b.pick((0.0, 6.0), (-1.0, 1.0), (0.0, None), (None, 3.0), (0.5, 2.0))
    if b.opset < 11:
        return b.node("Clip", [x], **{k: v for k, v in (("min", lo), ("max", hi)) if v is not None})
    names = ["" if v is None else b.floats(v) for v in (lo, hi)]
    return b.node("Clip", [x, *(names if hi is not None else names[:1])])


def prelu(b, x, maybe):
    c = b.shape(x)[1] if len(b.shape(x)) > 2 else b.shape(x)[-1]
    shape = b.pick((1,), (c, *[1] * (len(b.shape(x)) - 2)) if len(b.shape(x)) > 2 else (c,))
    return b.node("PRelu", [x, b.floats(b.rng.normal(0.2, 0.2, shape))])


def silu(b, x, maybe):
    return b.node("Mul", [x, maybe(b.node("Sigmoid", [x]))][:: b.pick(1, -1)])


def hard_sigmoid(b, x, maybe):
    return b.node("HardSigmoid", [x], **b.pick({}, {"alpha": 1 / 6, "beta": 0.5}))


def hard_swish(b, x, maybe):
    form = b.pick("whole", "sigmoid", "clip")
    if form == "whole" and b.opset >= 14:
        return b.node("HardSwish", [x])
    if form == "clip" and b.opset >= 11:
        sum_ = maybe(b.node("Add", [x, b.floats(3)]))
        gate = maybe(b.node("Clip", [sum_, b.floats(0), b.floats(6)]))
        return b.node("Div", [maybe(b.node("Mul", [x, gate])), b.floats(6)])
    gate = b.node("HardSigmoid", [x], alpha=1 / 6, beta=0.5)
    return b.node("Mul", [x, maybe(gate)])


def gelu(b, x, maybe):
    if b.opset >= 20 and b.chance(0.5):
        return b.node("Gelu", [x], **b.pick({}, {"approximate": "tanh"}))
    e = b.node("Erf", [b.node("Div", [x, b.floats(math.sqrt(2))])])
    y = b.node("Mul", [x, b.node("Add", [e, b.floats(1)])])
    return b.node("Mul", [y, b.floats(0.5)])


def plain(op, **attrs):
    return lambda b, x, maybe: b.node(op, [x], **attrs)


def softened(b, x, maybe):
    return b.node("LeakyRelu", [x], **b.pick({}, {"alpha": 0.1}, {"alpha": 0.25}))


FORMS = [
    plain("Relu"),
    plain("Relu"),
    plain("Relu"),
    clip,
    softened,
    prelu,
    plain("Sigmoid"),
    plain("Tanh"),
    silu,
    silu,
    hard_sigmoid,
    hard_swish,
    gelu,
]


def affine(b, x):
    """Factors and sums of constants, as exporters put them behind functions to learn them."""
    shape = b.shape(x)
    if len(shape) < 2:
        return x
    axis = 1 if len(shape) == 4 else len(shape) - 1
    sizes = b.pick((), [n if i == axis else 1 for i, n in enumerate(shape)])
    for op in b.pick(["Mul", "Add"], ["Add"], ["Add", "Mul"], ["Mul", "Add", "Mul"]):
        low, high = (-0.5, 0.5) if op == "Add" else b.pick((0.5, 2), (0.5, 2), (-1, 1))
        x = b.node(op, [x, b.floats(b.rng.uniform(low, high, sizes))][:: b.pick(1, -1)])
    return x


def draw(b, x, pairs=True, none=0.4):
    """An activation of x, or often none."""
    if b.chance(none):
        return x
    inner = pairs and b.chance(0.4)
    maybe = b.pair if inner else (lambda value: value)
    form = b.pick(*FORMS)
    if np.asarray(b.values[x]).ndim < 2 and form is prelu:
        return x
    y = form(b, maybe(x), maybe)
    return affine(b, y) if b.chance(0.2) else y

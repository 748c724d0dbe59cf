# SPDX-License-Identifier: Apache-2.0
"""Random quantized ONNX graphs with their inputs, each a pure function of a seed."""

import dataclasses

import around
import builder
import engine
import judge
import numpy as np
import onnx
import products

PRODUCTS_OF_ANY_RANK = {products.gemm, products.matmul, products.matmul_of_two}
PRODUCTS_OF_ANY_RANK |= {products.qlinear_matmul, products.qgemm}


@dataclasses.dataclass
class Case:
    """A graph, its inputs, the codes and integers inside it, and what it is made of."""

    seed: int
    model: onnx.ModelProto
    feeds: dict
    inner: list  # names of codes that are no outputs of the graph
    label: str


def opset_of(rng):
    old = rng.random() < 0.1
    return int(rng.integers(10, 13) if old else rng.integers(13, engine.newest_opset() + 1))


def shape_of(b):
    if b.chance(0.08):
        return (b.number(1, 5), b.number(1, 40))
    if b.chance(0.04):
        return (b.number(1, 2), b.number(1, 9), b.number(2, 20))
    return (
        b.pick(1, 1, 1, 2, 3),
        b.pick(1, 2, 3, 4, 8, 12, 16, 24, 33),
        b.number(1, 14),
        b.number(1, 14),
    )


def moves_for(b, code):
    images = len(b.shape(code.name)) == 4
    some = [m for m in products.MOVES if images or m in PRODUCTS_OF_ANY_RANK]
    return some + around.ANY + (around.IMAGES if images else [])


def grow(b, moves):
    """Moves in a row, each on one of the codes that are there, mostly on the newest."""
    b.codes, names = [b.input(shape_of(b))], []
    codes = b.codes
    while len(names) < moves:
        code = codes[-1] if b.chance(0.7) else b.pick(*codes)
        if b.values[code.name].size > 40000:
            break
        move = b.pick(*moves_for(b, code))
        names.append(move.__name__)
        made = move(b, code)
        codes += made
    return codes, names


def outputs_of(b, codes):
    """The last codes, those nobody reads, and sometimes others: as floats or as they are."""
    read = {name for node in b.nodes for name in node.input}
    ends = [c for c in codes if c.name not in read or b.chance(0.1)]
    if not ends and not b.float_outputs:
        ends = codes[-1:]
    bare = [c for c in ends if b.chance(0.25)]
    floats = [b.dq(c) for c in ends if c not in bare]
    given = {i.name for i in b.inputs}
    outputs = [c.name for c in bare if c.name not in given] + floats + b.float_outputs
    return list(dict.fromkeys(outputs)) or [b.dq(codes[-1])]


def case(seed, moves=None):
    """The case of a seed: mostly one unit, else a small graph."""
    rng = np.random.default_rng([seed, 20])
    b = builder.Builder(rng, opset_of(rng))
    moves = moves or (1 if b.chance(0.5) else b.number(2, 8))
    codes, names = grow(b, moves)
    outputs = outputs_of(b, codes)
    label = f"seed {seed}, opset {b.opset}: {' '.join(names)}"
    model = b.model(outputs)
    return Case(seed, model, b.feeds, judge.codes_inside(model.graph, b.values), label)

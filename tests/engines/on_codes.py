#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Operators that read codes without a DequantizeLinear between, where other nodes say what the
codes mean: before or behind, and not always the same of what is read and what is written. The
plugin's codes are ONNX Runtime's.

PYTHONPATH holds tests/python. Closes with N passed, N failed, N skipped."""

import itertools
import sys
import unittest

import engine
import front
import judge
import numpy as np
from onnx import TensorProto, helper, numpy_helper

SHAPE = [2, 24, 6, 8]
TYPES = {np.int8: TensorProto.INT8, np.uint8: TensorProto.UINT8}
SCALES = (0.02, 0.03)


def whole(*numbers):
    return np.array(numbers, np.int64)


TWICE = np.array([1, 1, 2, 2], np.float32)
AROUND = whole(0, 0, 1, 1, 0, 0, 1, 1)
# operator -> its attributes, its constants behind x; Resize rounds what lies between two codes
ONE: dict[str, list[tuple[dict, list]]] = {
    "MaxPool": [(dict(kernel_shape=[2, 3], strides=[1, 1]), [])],
    "Resize": [(dict(mode=mode), [None, TWICE]) for mode in ("nearest", "linear")],
    "Pad": [(dict(mode=mode), [AROUND]) for mode in ("constant", "edge", "reflect")],
    "Slice": [({}, [whole(start), whole(5), whole(axis)]) for start, axis in ((1, 1), (2, 2))],
    "Split": [(dict(axis=1), [whole(8, 16)])],
    "DepthToSpace": [(dict(blocksize=2), [])],
    "SpaceToDepth": [(dict(blocksize=2), [])],
    "Transpose": [(dict(perm=[0, 2, 3, 1]), [])],
    "Identity": [({}, [])],
    "Flatten": [(dict(axis=2), [])],
    "Reshape": [({}, [whole(2, 24, 48)])],
    "Clip": [({}, [3, 90])],
    "ReduceMax": [({}, [whole(2, 3)])],
}
TWO = "Add Sub Mul Max Min Concat".split()
REACH = {"Resize": 1}  # codes


class Case:
    def __init__(self, op, attrs, constants, kind, before, y_scale):
        self.kind, self.inputs, self.constants, self.reach = kind, {}, [], REACH.get(op, 0)
        self.rng = np.random.default_rng(7)
        others = [self.constant(c) for c in constants]
        read = ["x", "z"] if op in TWO else ["x", *others]
        says = [self.says(name, SCALES[0]) for name in read if name in ("x", "z")]
        made = ["y", "rest"] if op == "Split" else ["y"]
        node = helper.make_node(op, read, made, **attrs)
        behind = self.says("y", y_scale)
        self.nodes = [*says, node, behind] if before else [node, behind, *says]

    def constant(self, value):
        if value is None:
            return ""
        array = np.asarray(value, None if isinstance(value, np.ndarray) else self.kind)
        self.constants.append(numpy_helper.from_array(array, f"constant{len(self.constants)}"))
        return self.constants[-1].name

    def says(self, name, scale):
        """A node that says what codes mean."""
        if name != "y":
            limits = np.iinfo(self.kind)
            self.inputs[name] = self.rng.integers(limits.min, limits.max + 1, SHAPE, self.kind)
        inputs = [name, self.constant(np.array(scale, np.float32)), self.constant(0)]
        return helper.make_node("DequantizeLinear", inputs, [f"{name}_float"])

    def model(self):
        info = lambda name, of: helper.make_tensor_value_info(name, of, None)
        x = [helper.make_tensor_value_info(n, TYPES[self.kind], SHAPE) for n in self.inputs]
        y = [info("y", TYPES[self.kind])]
        y += [info(f"{name}_float", TensorProto.FLOAT) for name in ["y", *self.inputs]]
        graph = helper.make_graph(self.nodes, "codes", x, y, self.constants)
        opset = [helper.make_opsetid("", 19)]
        return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def cases():
    forms = [(op, *form) for op, listed in ONE.items() for form in listed]
    forms += [(op, dict(axis=1) if op == "Concat" else {}, []) for op in TWO]
    for form, kind, before, scale in itertools.product(forms, TYPES, (True, False), SCALES):
        yield (
            f"{form[0]} {form[1]} {kind.__name__} {before} {scale}",
            Case(*form, kind, before, scale),
        )


class Codes(unittest.TestCase):
    def test_operators_on_codes_give_onnx_runtimes_codes(self):
        for name, case in cases():
            with self.subTest(name):
                model = case.model()
                wanted = judge.run(engine.stock(model), case.inputs)["y"].astype(int)
                session = engine.plugin(model, islands="all")
                got = judge.run(session, case.inputs)["y"].astype(int)
                self.assertLessEqual(np.abs(wanted - got).max(), case.reach)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files as ONNX Runtime's own quantizers write them (QDQ, QOperator, dynamic), of the models of
models.py and of small networks: by ONNX Runtime and by the plugin against what they mean.

PYTHONPATH holds tests/python. Closes with N passed, N failed, N skipped."""

import logging
import pathlib
import sys
import tempfile
import unittest

import differential
import engine
import front
import judge
import meaning
import models
import numpy as np
import onnx

try:
    from onnxruntime import quantization as ort_quantization
except ImportError as problem:
    print(f"skipped: writers: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

N = onnx.helper.make_node
U8, S8 = ort_quantization.QuantType.QUInt8, ort_quantization.QuantType.QInt8
QDQ, QOPERATOR = ort_quantization.QuantFormat.QDQ, ort_quantization.QuantFormat.QOperator
STATIC = {
    "QDQ": dict(quant_format=QDQ),
    "QDQ, per channel, signed": dict(quant_format=QDQ, per_channel=True, activation_type=S8),
    "QDQ, unsigned": dict(quant_format=QDQ, activation_type=U8, weight_type=U8),
    "QOperator": dict(quant_format=QOPERATOR),
    "QOperator, per channel": dict(quant_format=QOPERATOR, per_channel=True),
}


def conv(x, y, w, **attrs):
    return N("Conv", [x, w], [y], **attrs)


def around(*names):
    """3x3 weights over 6 channels, by name."""
    return {name: models.normal(6, 6, 3, 3, seed=i) for i, name in enumerate(names)}


P1: dict = {"pads": [1, 1, 1, 1]}
# name: nodes from x to y, arrays, opset; as in models.py
NETWORKS = {
    "residual block": (
        [conv("x", "1", "a", **P1), N("Relu", ["1"], ["2"]), conv("2", "3", "b", **P1),
         N("Add", ["3", "x"], ["4"]), N("Relu", ["4"], ["5"]),
         N("MaxPool", ["5"], ["6"], kernel_shape=[2, 2], strides=[2, 2]),
         N("GlobalAveragePool", ["6"], ["7"]), N("Flatten", ["7"], ["8"]),
         N("Gemm", ["8", "w", "g"], ["y"], transB=1)],
        {**around("a", "b"), "w": models.normal(5, 6), "g": models.normal(5)}, 13),
    "silu and concat": (
        [conv("x", "1", "a", **P1), N("Sigmoid", ["1"], ["2"]), N("Mul", ["1", "2"], ["3"]),
         conv("3", "4", "b", **P1), N("LeakyRelu", ["4"], ["5"], alpha=0.1),
         N("Concat", ["3", "5", "x"], ["6"], axis=1),
         N("Split", ["6", "parts"], ["7", "8"], axis=1),
         N("Resize", ["8", "", "scales"], ["9"], mode="nearest",
           coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
         N("AveragePool", ["7"], ["10"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
         N("Resize", ["10", "", "scales"], ["11"], mode="linear"),
         N("Add", ["9", "11"], ["y"])],
        {**around("a", "b"), "parts": models.ints(9, 9),
         "scales": models.floats(1, 1, 2, 2)}, 13),
    "squeeze and excite, hard swish": (
        [N("Conv", ["x", "d"], ["1"], group=6, **P1), N("HardSwish", ["1"], ["2"]),
         N("GlobalAveragePool", ["2"], ["3"]), conv("3", "4", "p"), N("Relu", ["4"], ["5"]),
         conv("5", "6", "q"), N("HardSigmoid", ["6"], ["7"]), N("Mul", ["2", "7"], ["8"]),
         conv("8", "y", "r")],
        {"d": models.normal(6, 1, 3, 3), "p": models.normal(3, 6, 1, 1),
         "q": models.normal(6, 3, 1, 1), "r": models.normal(4, 6, 1, 1)}, 14),
    "upsampling": (
        [N("ConvTranspose", ["x", "t"], ["1"], strides=[2, 2]), N("Relu", ["1"], ["2"]),
         conv("2", "3", "a", **P1), N("DepthToSpace", ["3"], ["4"], blocksize=2, mode="CRD"),
         N("Clip", ["4", "lo", "hi"], ["y"])],
        {"t": models.normal(6, 6, 2, 2), "a": models.normal(4, 6, 3, 3),
         "lo": np.float32(0), "hi": np.float32(1)}, 13),
}  # fmt: skip


class Batches(ort_quantization.CalibrationDataReader):
    def __init__(self):
        self.left = [{"x": models.image(seed)} for seed in range(3)]

    def get_next(self):
        return self.left.pop() if self.left else None


def shown(model):
    """The model with all codes as outputs too."""
    values = meaning.evaluate(model, {"x": models.image(9)}).of
    names = judge.codes_inside(model.graph, values)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return model


def quantized(name, write):
    """What `write` makes of a model's file."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "float.onnx"), pathlib.Path(folder, "int8.onnx")
        onnx.save(models.float_model(name), str(source))
        write(str(source), str(target))
        return shown(onnx.load(str(target)))


def static(options):
    return lambda source, target: ort_quantization.quantize_static(
        source, target, Batches(), **options
    )


class Writers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.disable(logging.WARNING)  # it advises to prepare models otherwise
        models.MODELS |= NETWORKS

    def check(self, name, write, run):
        model, feeds = quantized(name, write), {"x": models.image(9)}
        session = run(model.SerializeToString())
        wrong = judge.judge(model, feeds, judge.run(session, feeds))
        if differential.INEXACT & set(differential.left_of(session)):
            wrong = differential.unless(wrong, differential.inexact(model))
        self.assertFalse(wrong, wrong)
        return len(engine.assigned(session)[0])

    def check_all(self, run):
        taken = 0
        for name in models.MODELS:
            some = STATIC if name in NETWORKS else {"QDQ": STATIC["QDQ"]}
            for what, options in some.items():
                with self.subTest(f"{name}: {what}"):
                    if models.MODELS[name][2] >= 11 and "fp16" not in name:
                        taken += self.check(name, static(options), run)
        for name in NETWORKS:
            with self.subTest(f"{name}: dynamic"):
                taken += self.check(name, ort_quantization.quantize_dynamic, run)
        return taken

    def test_by_onnx_runtime(self):
        self.check_all(engine.stock)

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_by_the_plugin(self):
        self.assertGreater(self.check_all(lambda m: engine.plugin(m, islands="all")), 500)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

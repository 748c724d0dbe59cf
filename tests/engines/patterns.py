#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small float models that readers of ONNX have got wrong without a word: quantized and run they
are ONNX Runtime's float results, or are refused by name; and behind a quantized convolution, with
the plugin, they are what they mean.

PYTHONPATH holds python/ and tests/python. Closes with N passed, N failed, N skipped."""

import importlib
import itertools
import pathlib
import sys
import tempfile
import unittest

import builder
import engine
import front
import judge
import meaning
import numpy as np
import onnx
from onnx import helper, numpy_helper

N = helper.make_node
SQNR_FLOOR = 20.0  # dB: int8 of these random models reaches more than 25
SHAPE = (1, 6, 6, 6)  # as many channels as columns: what goes by size alone takes one for another
WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
RESIZES = "half_pixel pytorch_half_pixel align_corners asymmetric tf_half_pixel_for_nn"
RESIZES += " tf_crop_and_resize half_pixel_symmetric"
ROUNDINGS = "round_prefer_floor round_prefer_ceil floor ceil"


def normal(*shape, seed=3):
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def weights():
    return {"w": normal(6, 6, 3, 3)}


def conv(name="", more=()):
    return N("Conv", ["x", "w", *more], ["c"], name, pads=[1, 1, 1, 1])


def resize(coordinates, rounding):
    attrs = {"mode": "nearest", "nearest_mode": rounding}
    made = N(
        "Resize", ["c", "roi", "scales"], ["y"], coordinate_transformation_mode=coordinates, **attrs
    )
    arrays = {
        "roi": np.array([0, 0, 0.13, 0.22, 1, 1, 0.91, 0.79], np.float32),
        "scales": np.array([1, 1, 1.5, 2], np.float32),
    }
    # opset 11 alone has tf_half_pixel_for_nn, from 19 on is half_pixel_symmetric
    opset = {"tf_half_pixel_for_nn": 11, "half_pixel_symmetric": 19}.get(coordinates, 13)
    return [conv(), made], {**weights(), **arrays}, opset


def statistics(count):
    """Inputs of a batch norm behind the first."""
    return {
        "g": normal(count) + 1,
        "b": normal(count, seed=4),
        "m": normal(count, seed=5),
        "v": np.abs(normal(count, seed=6)) + 1,
    }


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


UNTYPED = "an output without a shape"
F16, F32 = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT

# name: nodes from x to y, arrays, opset
MODELS: dict = {
    "DepthToSpace without mode": (
        [N("Conv", ["x", "w"], ["c"]), N("DepthToSpace", ["c"], ["y"], blocksize=2)],
        {"w": normal(8, 6, 1, 1)}, 13),
    "DepthToSpace DCR": (
        [N("Conv", ["x", "w"], ["c"]), N("DepthToSpace", ["c"], ["y"], blocksize=2, mode="DCR")],
        {"w": normal(8, 6, 1, 1)}, 13),
    "DepthToSpace CRD": (
        [N("Conv", ["x", "w"], ["c"]), N("DepthToSpace", ["c"], ["y"], blocksize=2, mode="CRD")],
        {"w": normal(8, 6, 1, 1)}, 13),
    "Softmax of opset 11": ([conv(), N("Softmax", ["c"], ["y"])], weights(), 11),
    "Softmax of opset 13": ([conv(), N("Softmax", ["c"], ["y"])], weights(), 13),
    "negative integer Div": (
        [conv(), N("Shape", ["x"], ["s"]), N("Mul", ["s", "minus"], ["n"]),
         N("Div", ["n", "four"], ["d"]), N("Cast", ["d"], ["f"], to=F32),
         N("ReduceMean", ["f"], ["r"], axes=[0], keepdims=0), N("Add", ["c", "r"], ["y"])],
        {**weights(), "minus": ints(-1), "four": ints(4)}, 13),
    "Clip with a computed bound": (
        [conv(), N("ReduceMax", ["x"], ["top"], keepdims=0), N("Mul", ["top", "half"], ["hi"]),
         N("Clip", ["c", "lo", "hi"], ["y"])],
        {**weights(), "half": np.float32(0.5), "lo": np.float32(-0.5)}, 13),
    "PRelu along the width": (
        [conv(), N("PRelu", ["c", "slope"], ["y"])], {**weights(), "slope": normal(6)}, 13),
    "PRelu along the channels": (
        [conv(), N("PRelu", ["c", "slope"], ["y"])],
        {**weights(), "slope": normal(6, 1, 1)}, 13),
    "MatMul, batch norm in 3-D": (
        [N("Reshape", ["x", "to"], ["t"]), N("MatMul", ["t", "w"], ["c"]),
         N("BatchNormalization", ["c", "g", "b", "m", "v"], ["y"])],
        {"to": ints(6, 6, 6), "w": normal(6, 6), **statistics(6)}, 13),
    "MatMul, PRelu in 3-D": (
        [N("Reshape", ["x", "to"], ["t"]), N("MatMul", ["t", "w"], ["c"]),
         N("PRelu", ["c", "slope"], ["y"])],
        {"to": ints(6, 6, 6), "w": normal(6, 6), "slope": normal(6, 1)}, 13),
    "ConvTranspose output_shape": (
        [N("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], output_shape=[12, 11])],
        {"w": normal(6, 5, 3, 3)}, 13),
    "ConvTranspose output_shape, SAME_UPPER": (
        [N("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], output_shape=[12, 11],
           auto_pad="SAME_UPPER")],
        {"w": normal(6, 5, 3, 3)}, 13),
    "a node Conv_2 and one without a name": (
        [conv("Conv_2"), N("Conv", ["c", "w2"], ["y"], "")],
        {**weights(), "w2": normal(4, 6, 1, 1)}, 13),
    "nodes without names": (
        [conv(), N("Relu", ["c"], ["r"]), N("Conv", ["r", "w2"], ["y"])],
        {**weights(), "w2": normal(4, 6, 1, 1)}, 13),
    "Clip lo > hi": (
        [conv(), N("Clip", ["c", "lo", "hi"], ["y"])],
        {**weights(), "lo": np.float32(1), "hi": np.float32(-0.25)}, 13),
    "Gemm with scalar C": (
        [N("Flatten", ["x"], ["f"]), N("Gemm", ["f", "w", "c0"], ["y"])],
        {"w": normal(216, 9), "c0": np.float32(2)}, 13),
    "Gemm with C of one column": (
        [N("Reshape", ["x", "to"], ["f"]), N("Gemm", ["f", "w", "c0"], ["y"], beta=0.5)],
        {"to": ints(6, 36), "w": normal(36, 6), "c0": normal(6, 1)}, 13),
    "Constant value_float, value_ints": (
        [conv(), N("Constant", [], ["k"], value_float=0.5), N("Mul", ["c", "k"], ["m"]),
         N("Constant", [], ["to"], value_ints=[1, 36, 6]), N("Reshape", ["m", "to"], ["y"])],
        weights(), 13),
    "Cast to fp16": (
        [conv(), N("Cast", ["c"], ["h"], to=F16), N("Relu", ["h"], ["r"]),
         N("Cast", ["r"], ["y"], to=F32)], weights(), 13),
    "ReduceMean of opset 18, axes as input": (
        [conv(), N("ReduceMean", ["c", "axes"], ["y"])], {**weights(), "axes": ints(2, 3)}, 18),
    "ReduceMean of opset 18, without axes": (
        [conv(), N("ReduceMean", ["c"], ["r"]), N("Sub", ["c", "r"], ["y"])], weights(), 18),
    "Slice-9": (
        [conv(), N("Slice", ["c"], ["y"], starts=[1, 0], ends=[4, -1], axes=[1, 3])],
        weights(), 9),
    "Resize-10": ([conv(), N("Resize", ["c", "scales"], ["y"], mode="nearest")],
                  {**weights(), "scales": floats(1, 1, 2, 2)}, 10),
    "Resize-10, smaller": ([conv(), N("Resize", ["c", "scales"], ["y"], mode="nearest")],
                           {**weights(), "scales": floats(1, 1, 0.5, 0.5)}, 10),
    "a constant output": (
        [conv(), N("Relu", ["c"], ["y"]), N("Identity", ["k"], ["also"])],
        {**weights(), "k": normal(3)}, 13),
    UNTYPED: ([conv(), N("Relu", ["c"], ["y"])], weights(), 13),
    "an empty bias name": ([conv(more=[""]), N("Relu", ["c"], ["y"])], weights(), 13),
}  # fmt: skip
MODELS |= {
    f"Resize nearest {c} {r}": resize(c, r)
    for c, r in itertools.product(RESIZES.split(), ROUNDINGS.split())
}


def untyped_model(name):
    nodes, arrays, opset = MODELS[name]
    outputs = [o for node in nodes for o in node.output if o in ("y", "also")]
    graph = helper.make_graph(
        nodes, "pattern", [helper.make_tensor_value_info("x", F32, SHAPE)],
        [helper.make_tensor_value_info(o, F32, None) for o in outputs],
        [numpy_helper.from_array(np.asarray(a), key) for key, a in arrays.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def float_model(name):
    """With the ranks of its outputs, which ONNX demands and ONNX Runtime does not."""
    model = untyped_model(name)
    if name != UNTYPED:
        shapes = {o.name: o.shape for o in engine.stock(model.SerializeToString()).get_outputs()}
        for output in model.graph.output:
            kind = helper.make_tensor_type_proto(F32, [None] * len(shapes[output.name]))
            output.type.CopyFrom(kind)
    return model


def image(seed=1):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def results(session, x):
    return judge.run(session, {"x": x})


def try_import(name):
    try:
        return importlib.import_module(name), ""
    except ImportError as problem:
        return None, str(problem)


def quantized_by_hand(name):
    """The model with codes between all its operators: a model with all of them as outputs."""
    nodes, arrays, opset = MODELS[name]
    b = builder.Builder(np.random.default_rng(5), opset)
    b.feed("x", image())
    names = {"": "", "x": b.dq(b.q("x", np.uint8))}
    names |= {key: b.const(np.asarray(array), key) for key, array in arrays.items()}
    codes = []
    for node in nodes:
        inputs = [names[i] for i in node.input]
        if node.op_type in WEIGHTED and node.input[1] in arrays:
            inputs[1] = b.dq(b.q(inputs[1], np.int8))
        made = b.node(node.op_type, inputs, **meaning.attributes(node))
        if b.values[made].dtype.kind == "f" and b.values[made].ndim > 1:
            codes.append(b.q(made, np.uint8))
            made = b.dq(codes[-1])
        names[node.output[0]] = made
    return b.model([code.name for code in codes]), b.feeds


class Patterns(unittest.TestCase):
    def compare(self, wanted, got):
        self.assertEqual(set(wanted), set(got))
        for key, array in wanted.items():
            self.assertEqual(array.shape, got[key].shape)
            self.assertGreater(judge.sqnr(array, got[key]), SQNR_FLOOR, key)

    def test_they_are_models_that_onnx_runtime_runs(self):
        for name in MODELS:
            with self.subTest(name):
                model = float_model(name).SerializeToString()
                made = results(engine.stock(model), image())
                self.assertTrue(all(np.isfinite(a).all() and a.size for a in made.values()))

    def quantized(self, name, folder):
        """The bytes of the quantized model, or None where it was refused by name."""
        quantize = importlib.import_module("quernel.onnx").quantize
        source, target = folder / "float.onnx", folder / "int8.onnx"
        onnx.save(float_model(name), str(source))
        try:
            quantize(str(source), [image(seed) for seed in range(4)], str(target))
        except ValueError as refusal:
            self.assertGreater(len(str(refusal)), 10)
            return None
        return target.read_bytes()

    def by_hand(self, run):
        for name, (_, _, opset) in MODELS.items():
            with self.subTest(name):
                if opset < 10 or "fp16" in name:  # without QuantizeLinear; of floats in between
                    continue
                model, feeds = quantized_by_hand(name)
                results = judge.run(run(model.SerializeToString()), feeds)
                wrong = judge.judge(model, feeds, results)
                self.assertFalse(wrong, wrong)

    def test_with_codes_between_they_have_their_meaning(self):
        self.by_hand(engine.stock)

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_the_plugin_gives_them_their_meaning(self):
        self.by_hand(lambda model: engine.plugin(model, islands="all"))

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_the_plugin_leaves_float_models_alone(self):
        level = engine.Level.ORT_ENABLE_ALL
        for name in MODELS:
            with self.subTest(name):
                model = float_model(name).SerializeToString()
                session = engine.plugin(model, level=level)
                self.assertFalse(engine.assigned(session)[0])
                got = results(session, image())
                for key, array in results(engine.stock(model, level), image()).items():
                    np.testing.assert_array_equal(got[key], array)

    def test_quantized_they_are_near_float(self):
        module, why = try_import("quernel.onnx")
        if not hasattr(module, "quantize"):
            self.skipTest(f"quernel.onnx.quantize: {why or 'is not there'}")
        for name in MODELS:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                model = self.quantized(name, pathlib.Path(folder))
                if model is None:
                    continue
                wanted = results(engine.stock(float_model(name).SerializeToString()), image(9))
                self.compare(wanted, results(engine.stock(model), image(9)))
                if not engine.why_absent():
                    self.compare(wanted, results(engine.plugin(model, islands="all"), image(9)))


if __name__ == "__main__":
    sys.exit(front.main(__name__))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The models of models.py: quantized and run they are ONNX Runtime's float results, or are
refused by name; with codes between all operators they are what they mean, with the plugin too.

PYTHONPATH holds python/ and tests/python. Closes with N passed, N failed, N skipped."""

import importlib
import itertools
import json
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
from models import MODELS, float_model, image

SQNR_FLOOR = 20.0  # dB: int8 of these random models reaches more than 25
WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


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


def products_in_a_row(shape):
    """Products with biases between codes, and a Relu: a model and its input."""
    b = builder.Builder(np.random.default_rng(6), 13)
    b.feed("x", np.random.default_rng(7).normal(size=shape).astype(np.float32))
    codes = b.q("x", np.uint8)
    for inputs, outputs in ((shape[-1], 40), (40, 16)):
        weights = b.rng.normal(size=(inputs, outputs)).astype(np.float32) / np.sqrt(inputs)
        made = b.node("MatMul", [b.dq(codes), b.dq(b.q(b.floats(weights), np.int8))])
        made = b.node("Add", [made, b.floats(b.rng.normal(size=outputs))])
        codes = b.q(b.node("Relu", [made]), np.uint8)
    return b.model([codes.name]), b.feeds


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

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_a_join_of_codes_by_a_scale_beyond_reach_is_left(self):
        text = """<ir_version: 8, opset_import: ["": 13, "com.microsoft": 1]>
            join (uint8[1,2,3,4] x) => (uint8[1,4,3,4] y)
            <float s = {0.5}, float t = {3e38}, uint8 z = {71}>
            { y = com.microsoft.QLinearConcat <axis = 1> (t, z, x, s, z, x, s, z) }"""
        model = onnx.parser.parse_model(text).SerializeToString()
        codes = np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4)
        made = results(engine.plugin(model, islands="all"), codes)["y"]
        np.testing.assert_array_equal(made, np.full((1, 4, 3, 4), 71))

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_factors_that_one_reader_does_not_take_are_passed_on_by_none(self):
        text = """<ir_version: 8, opset_import: ["": 13, "com.microsoft": 1]>
            two (float[1,2,4,4] x) => (uint8[1,2,4,4] y, uint8[1,2,1,1] g)
            <float[1,2,1,1] m = {0.5, 2.0}, float s = {0.02}, uint8 z = {128},
             int8[2,1,1,1] w = {100, -90}, float t = {0.01}, int8 o = {0}>
            { p = Mul(x, m)  q = QuantizeLinear(p, s, z)
              g = com.microsoft.QLinearGlobalAveragePool(q, s, z, s, z)
              d = DequantizeLinear(q, s, z)
              a = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (d)
              b = QuantizeLinear(a, s, z)  e = DequantizeLinear(b, s, z)
              k = DequantizeLinear(w, t, o)  c = Conv <group = 2> (e, k)
              y = QuantizeLinear(c, s, z) }"""
        model = onnx.parser.parse_model(text)
        x = np.random.default_rng(3).normal(0, 1, (1, 2, 4, 4)).astype(np.float32)
        wanted = meaning.evaluate(model, {"x": x}).of
        made = judge.run(engine.plugin(model.SerializeToString(), islands="all"), {"x": x})
        for name, codes in made.items():
            away = np.abs(codes.astype(int) - wanted[name])
            self.assertLessEqual(away.max(), 1, name)

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_open_sizes_may_turn_out_one_in_either_operand(self):
        text = """<ir_version: 8, opset_import: ["": 13]>
            sum (uint8[a,2,b,4] x, uint8[c,2,d,4] z) => (uint8[e,2,f,4] y)
            <float s = {0.5}, uint8 o = {3}>
            { p = DequantizeLinear(x, s, o)  q = DequantizeLinear(z, s, o)
              r = Add(p, q)  y = QuantizeLinear(r, s, o) }"""
        model = onnx.parser.parse_model(text)
        session = engine.plugin(model.SerializeToString(), islands="all")
        codes = np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4)
        for feeds in ({"x": codes, "z": codes[:, :, :1]}, {"x": codes[:, :, 1:2], "z": codes}):
            wrong = judge.judge(model, feeds, judge.run(session, feeds))
            self.assertFalse(wrong, wrong)

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_products_of_three_dimensions_are_one_island(self):
        """MatMul and Add of rows, which ONNX Runtime makes Reshape, Gemm and Reshape of."""
        for shape in ((1, 9, 24), (3, 5, 24), (15, 24)):
            with self.subTest(shape=shape), tempfile.TemporaryDirectory() as folder:
                report = pathlib.Path(folder, "report.json")
                model, feeds = products_in_a_row(shape)
                session = engine.plugin(
                    model.SerializeToString(),
                    level=engine.Level.ORT_ENABLE_ALL,
                    islands="all",
                    report=report,
                )
                said = json.loads(report.read_text(encoding="utf-8"))
                self.assertEqual((len(said["islands"]), said["refused"]), (1, []))
                wrong = judge.judge(model, feeds, judge.run(session, feeds))
                self.assertFalse(wrong, wrong)

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_normalizations_of_codes_are_taken_with_all_around_them(self):
        text = """<ir_version: 10, opset_import: ["": %d, "com.microsoft": 1]>
            normal (uint8[%s] x) => (uint8[%s] y)
            <float s = {0.05}, uint8 o = {120}, float t = {0.02}, float[8] k = {%s}>
            { p = DequantizeLinear(x, s, o)  q = %s  y = QuantizeLinear(q, t, o) }"""
        factors = ", ".join(map(str, np.linspace(-1, 2, 8)))
        forms = {
            "Softmax(p)": 13,
            "Softmax <axis = 1> (p)": 13,
            "Softmax <axis = -1> (p)": 12,
            "LayerNormalization(p, k, k)": 17,
            "LayerNormalization <axis = -1, epsilon = 0.1> (p, k)": 17,
            "SimplifiedLayerNormalization(p, k)": 17,
            "RMSNormalization(p, k)": 23,
        }
        for (form, opset), shape in itertools.product(forms.items(), ("6,8", "3,5,8", "2,3,4,8")):
            if opset > engine.newest_opset():
                continue
            with self.subTest(form=form, shape=shape):
                model = onnx.parser.parse_model(text % (opset, shape, shape, factors, form))
                sizes = [int(n) for n in shape.split(",")]
                codes = np.random.default_rng(4).integers(0, 256, sizes, np.uint8)
                session = engine.plugin(model.SerializeToString(), alone=True, islands="all")
                wrong = judge.judge(model, {"x": codes}, judge.run(session, {"x": codes}))
                self.assertFalse(wrong, wrong)

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_rows_of_one_image_do_not_become_several(self):
        text = """<ir_version: 8, opset_import: ["": 13]>
            part (uint8[6,4] x) => (uint8[2,3,4] y)
            <float s = {0.5}, uint8 o = {3}, int64[3] shape = {2, 3, 4}>
            { p = DequantizeLinear(x, s, o)  r = Relu(p)  q = QuantizeLinear(r, s, o)
              d = DequantizeLinear(q, s, o)  t = Reshape(d, shape)  y = QuantizeLinear(t, s, o) }"""
        model = onnx.parser.parse_model(text)
        feeds = {"x": np.arange(24, dtype=np.uint8).reshape(6, 4)}
        wrong = judge.judge(
            model, feeds, judge.run(engine.plugin(model.SerializeToString(), islands="all"), feeds)
        )
        self.assertFalse(wrong, wrong)

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

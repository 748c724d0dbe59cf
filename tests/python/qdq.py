#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quernel.onnx.quantize: that what it writes means what it says, on networks drawn here; that it
says what is wrong with what it is given."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile
import unittest
from typing import Any

import front
import numpy as np

try:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as problem:
    print(f"skipped: quernel.onnx: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import quernel
from quernel.calibrate import sqnr
from quernel.onnx import edges, quantize
from quernel.onnx.model import captured

N = helper.make_node
SHAPE = (1, 4, 12, 10)


def drawn(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32) * np.float32(0.3)


def model(nodes, constants=None, shape=SHAPE, opset=13, outputs=("y",), dtype=TensorProto.FLOAT):
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def batches(count=4, shape=SHAPE, seed=3):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for _ in range(count)]


def run(given, x, level="ORT_DISABLE_ALL"):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.log_severity_level = 4
    source = given if isinstance(given, str) else given.SerializeToString()
    made = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return made.run(None, {made.get_inputs()[0].name: x})


class Case(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)

    def quantize(self, given, data=None, policies=("plain",), **how):
        """(report, the model that was written)."""
        path, out = self.folder / "float.onnx", self.folder / "int8.onnx"
        onnx.save(given, path)
        report = quantize(path, batches() if data is None else data, out, policies=policies, **how)
        written = onnx.load(out)
        self.assertEqual(unread(written), [])
        return report, written


def unread(written):
    """What a model computes or holds for nobody."""
    graph = written.graph
    read = {value for node in graph.node for value in [*node.input, *captured(node)]}
    read.update(output.name for output in graph.output)
    made = [*(node.output[0] for node in graph.node), *(w.name for w in graph.initializer)]
    return [name for name in made if name not in read]


def pairs(written):
    """Names of the operators on both sides of each pair: (makes the value, reads it)."""
    made = {value: node for node in written.graph.node for value in node.output}
    found = set()
    for node in written.graph.node:
        for value in node.input:
            dq = made.get(value)
            if dq is not None and dq.op_type == "DequantizeLinear" and dq.input[0] in made:
                source = made.get(made[dq.input[0]].input[0])
                found.add((source.op_type if source else "input", node.op_type))
    return found


CONV = {"w": drawn(1, 6, 4, 3, 3), "b": drawn(2, 6), "v": drawn(4, 5, 6, 1, 1)}
PAD: dict[str, Any] = {"pads": [1, 1, 1, 1]}


class Places(Case):
    """Where pairs stand."""

    def between(self, nodes, constants, **how):
        return pairs(self.quantize(model(nodes, {**CONV, **constants}, **how))[1])

    def test_none_stands_before_an_activation(self):
        half, one, root = (np.float32(v) for v in (0.5, 1, 2**0.5))
        three, six, zero = (np.float32(v) for v in (3, 6, 0))
        spelled = {
            "Relu": [N("Relu", ["1"], ["2"])],
            "Clip": [N("Clip", ["1", "zero", "six"], ["2"])],
            "LeakyRelu": [N("LeakyRelu", ["1"], ["2"], alpha=0.1)],
            "PRelu": [N("PRelu", ["1", "slopes"], ["2"])],
            "Mul": [N("Sigmoid", ["1"], ["s"]), N("Mul", ["1", "s"], ["2"])],
            "Mul ": [N("HardSigmoid", ["1"], ["s"]), N("Mul", ["s", "1"], ["2"])],
            "Div": [
                N("Add", ["1", "three"], ["p"]),
                N("Clip", ["p", "zero", "six"], ["q"]),
                N("Mul", ["1", "q"], ["r"]),
                N("Div", ["r", "six"], ["2"]),
            ],
            "Mul  ": [
                N("Div", ["1", "root"], ["p"]),
                N("Erf", ["p"], ["q"]),
                N("Add", ["q", "one"], ["r"]),
                N("Mul", ["1", "r"], ["t"]),
                N("Mul", ["t", "half"], ["2"]),
            ],
        }
        constants = {
            "half": half, "one": one, "root": root, "three": three, "six": six, "zero": zero,
            "slopes": np.abs(drawn(5, 6, 1, 1)),
        }  # fmt: skip
        for last, nodes in spelled.items():
            with self.subTest([node.op_type for node in nodes]):
                first = N("Conv", ["x", "w", "b"], ["1"], "first", **PAD)
                used = {k: v for k, v in constants.items() if any(k in n.input for n in nodes)}
                found = self.between([first, *nodes, N("Conv", ["2", "v"], ["y"])], used)
                self.assertEqual(found, {("input", "Conv"), (last.strip(), "Conv")})

    def test_a_sum_reads_one_side_as_float(self):
        nodes = [
            N("Conv", ["x", "w", "b"], ["1"], **PAD),
            N("Relu", ["1"], ["2"]),
            N("Conv", ["2", "u"], ["3"], **PAD),
            N("Add", ["3", "2"], ["4"]),
            N("Relu", ["4"], ["5"]),
            N("Conv", ["5", "v"], ["y"]),
        ]
        found = self.between(nodes, {"u": drawn(7, 6, 6, 3, 3)})
        wanted = {("input", "Conv"), ("Relu", "Conv"), ("Relu", "Add")}
        self.assertEqual(found, wanted)

    def test_what_moves_numbers_has_one_coding_on_both_sides(self):
        scales = np.array([1, 1, 2, 2], np.float32)
        nodes = [
            N("Conv", ["x", "w", "b"], ["1"], **PAD),
            N("MaxPool", ["1"], ["2"], kernel_shape=[2, 2], strides=[2, 2]),
            N("Resize", ["2", "", "scales"], ["3"], mode="nearest"),
            N("Concat", ["3", "1"], ["4"], axis=1),
            N("Transpose", ["4"], ["5"], perm=[0, 1, 3, 2]),
            N("Conv", ["5", "u"], ["y"]),
        ]
        _, written = self.quantize(
            model(nodes, {**CONV, "scales": scales, "u": drawn(8, 3, 12, 1, 1)})
        )
        constants = {t.name: numpy_helper.to_array(t) for t in written.graph.initializer}
        scale = {
            float(constants[node.input[1]])
            for node in written.graph.node
            if node.op_type == "QuantizeLinear" and node.input[0] != "x"
        }
        self.assertEqual(len(scale), 1)
        read = {reader for _, reader in pairs(written)}
        self.assertEqual(read, {"Conv", "MaxPool", "Resize", "Concat", "Transpose"})

    def test_excitation_is_int8_and_the_edges_are_float(self):
        nodes = [
            N("Conv", ["x", "w", "b"], ["1"], **PAD),
            N("GlobalAveragePool", ["1"], ["2"]),
            N("Conv", ["2", "u"], ["3"]),
            N("HardSigmoid", ["3"], ["4"]),
            N("Mul", ["1", "4"], ["5"]),
            N("Conv", ["5", "v"], ["6"]),
            N("Sigmoid", ["6"], ["y"]),
        ]
        report, written = self.quantize(model(nodes, {**CONV, "u": drawn(9, 6, 6, 1, 1)}))
        wanted = {
            ("input", "Conv"), ("Conv", "GlobalAveragePool"), ("GlobalAveragePool", "Conv"),
            ("Conv", "Mul"), ("HardSigmoid", "Mul"), ("Mul", "Conv"),
        }  # fmt: skip
        self.assertEqual(pairs(written), wanted)
        self.assertEqual(report.int8_share, 1)
        self.assertEqual(written.graph.node[-1].op_type, "Sigmoid")

    def test_attention_stays_float_between_its_products(self):
        nodes = [
            N("MatMul", ["x", "w"], ["1"]),
            N("Add", ["1", "b"], ["2"]),
            N("Transpose", ["2"], ["3"], perm=[0, 1, 3, 2]),
            N("MatMul", ["2", "3"], ["4"], "scores"),
            N("Softmax", ["4"], ["5"], axis=3),
            N("MatMul", ["5", "2"], ["6"], "mixed"),
            N("MatMul", ["6", "v"], ["y"], "last"),
        ]
        constants = {"w": drawn(1, 10, 8), "b": drawn(2, 8), "v": drawn(3, 8, 5)}
        report, written = self.quantize(model(nodes, constants))
        # ONNX Runtime makes a Gemm and two Reshapes of a product with a bias
        wanted = {("input", "Reshape"), ("Reshape", "Gemm"), ("MatMul", "MatMul")}
        self.assertEqual(pairs(written), wanted)
        reasons = {row.name: row.how for row in report.rows if not row.int8}
        self.assertEqual(set(reasons), {"scores", "mixed"})
        self.assertIn("not constant", reasons["scores"])


LAYERS = {
    "Conv, groups": (
        N("Conv", ["x", "w", "b"], ["1"], group=2),
        {"w": drawn(1, 6, 2, 3, 3), "b": drawn(2, 6)},
    ),
    "Conv, depthwise": (
        N("Conv", ["x", "w"], ["1"], group=4, auto_pad="SAME_UPPER"),
        {"w": drawn(1, 4, 1, 3, 3)},
    ),
    "ConvTranspose": (
        N("ConvTranspose", ["x", "w", "b"], ["1"], strides=[2, 2]),
        {"w": drawn(1, 4, 6, 2, 2), "b": drawn(2, 6)},
    ),
    "ConvTranspose, groups": (
        N("ConvTranspose", ["x", "w", "b"], ["1"], strides=[2, 2], group=2),
        {"w": drawn(1, 4, 3, 2, 2), "b": drawn(2, 6)},
    ),
    "MatMul": (N("MatMul", ["x", "w"], ["1"]), {"w": drawn(1, 10, 7)}),
}


class Meaning(Case):
    """That the file is the network."""

    def near(self, given, data, least, **how):
        report, written = self.quantize(given, data, **how)
        onnx.checker.check_model(written, full_check=True)
        x = batches(1, data[0].shape, 77)[0]
        wanted = run(given, x)
        self.assertGreater(sqnr(wanted, run(written, x)), least)
        return report, written

    def test_each_kind_of_layer(self):
        for name, (node, constants) in LAYERS.items():
            with self.subTest(name):
                nodes = [node, N("Relu", ["1"], ["y"])]
                report, written = self.near(model(nodes, constants), batches(), 28)
                self.assertTrue(all(row.int8 for row in report.rows))
                kinds = {t.name: t.data_type for t in written.graph.initializer}
                self.assertIn(TensorProto.INT8, kinds.values())
                self.assertNotIn("w", kinds)

    def test_gemm_of_every_form(self):
        for transposed in (0, 1):
            for alpha, beta in ((1.0, 1.0), (0.5, 2.0)):
                with self.subTest(transB=transposed, alpha=alpha):
                    w = drawn(1, 8, 16) if transposed else drawn(1, 16, 8)
                    gemm = N(
                        "Gemm", ["x", "w", "c"], ["y"], transB=transposed, alpha=alpha, beta=beta
                    )
                    given = model([gemm], {"w": w, "c": drawn(2, 8)}, (None, 16))
                    self.near(given, batches(4, (3, 16)), 30)

    def test_one_dimension(self):
        node = N("Conv", ["x", "w", "b"], ["y"], pads=[2, 0], dilations=[2])
        given = model([node], {"w": drawn(1, 6, 4, 3), "b": drawn(2, 6)}, (1, 4, 50))
        report, _ = self.near(given, batches(4, (1, 4, 50)), 30)
        self.assertTrue(report.rows[0].int8)

    def test_old_files_constant_nodes_and_norms(self):
        def constant(name, array):
            return N("Constant", [], [name], value=numpy_helper.from_array(array, name))

        norm = [constant(k, np.abs(drawn(i, 6)) + 1) for i, k in enumerate("gbmv")]
        trials: tuple[tuple[str, tuple, dict[str, Any]], ...] = (
            ("Conv", (6, 4, 3, 3), {}),
            ("ConvTranspose", (4, 6, 2, 2), {"strides": [2, 2]}),
        )
        for op, shape, size in trials:
            nodes = [
                constant("w", drawn(1, *shape)),
                *norm,
                N(op, ["x", "w"], ["1"], **size),
                N("BatchNormalization", ["1", *"gbmv"], ["2"]),
                N("Relu", ["2"], ["y"]),
            ]
            with self.subTest(op):
                _, written = self.near(model(nodes, opset=11), batches(), 28)
                self.assertEqual(written.opset_import[0].version, 13)
                self.assertNotIn("BatchNormalization", [n.op_type for n in written.graph.node])

    def test_a_norm_behind_a_product_of_three_axes_is_not_folded(self):
        """Its channels are the second axis, those of the product the last one."""
        norm = {k: np.zeros(8, np.float32) for k in "bm"}  # a MatMul has no place for a shift
        norm |= {"g": np.float32(4) ** np.arange(8, dtype=np.float32), "v": np.ones(8, np.float32)}
        nodes = [N("MatMul", ["x", "w"], ["1"]), N("BatchNormalization", ["1", *"gbmv"], ["y"])]
        given = model(nodes, {"w": drawn(9, 8, 8), **norm}, (2, 8, 8))
        self.near(given, batches(4, (2, 8, 8)), 20)

    def test_a_slope_along_the_width_is_not_one_per_channel(self):
        nodes = [N("Conv", ["x", "w"], ["1"]), N("PRelu", ["1", "s"], ["y"])]
        given = model(nodes, {"w": drawn(1, 10, 4, 1, 1), "s": np.abs(drawn(2, 10))})
        self.near(given, batches(), 28)

    def test_inputs_that_are_defaults_and_shapes_that_change(self):
        given = model([N("Conv", ["x", "w", "b"], ["y"])], CONV, ("n", 4, "h", "w"))
        given.graph.input.append(
            helper.make_tensor_value_info("w", TensorProto.FLOAT, (6, 4, 3, 3))
        )
        data = [*batches(2, (1, 4, 9, 9)), *batches(2, (3, 4, 8, 14))]
        _, written = self.near(given, data, 30)
        self.assertEqual([value.name for value in written.graph.input], ["x"])

    def test_weights_beside_the_file(self):
        path = self.folder / "outside.onnx"
        given = model([N("Conv", ["x", "w", "b"], ["y"])], CONV)
        onnx.save(
            given, path, save_as_external_data=True, location="outside.data", size_threshold=0
        )
        quantize(path, batches(), self.folder / "int8.onnx", policies=("plain",))
        x = batches(1)[0]
        made = run(str(self.folder / "int8.onnx"), x)
        self.assertGreater(sqnr(run(model([N("Conv", ["x", "w", "b"], ["y"])], CONV), x), made), 28)

    def test_channels_without_weights_and_great_biases(self):
        w, b = drawn(1, 6, 4, 3, 3), drawn(2, 6)
        w[1], w[2], b[1], b[3] = 0, 0, 0.7, 1e6
        w[4] *= 1e-6
        given = model([N("Conv", ["x", "w", "b"], ["y"])], {"w": w, "b": b})
        _, written = self.quantize(given)
        x = batches(1)[0]
        for channel in range(6):
            wanted, made = (run(m, x)[0][:, channel] for m in (given, written))
            if channel == 1:  # its bias alone
                np.testing.assert_allclose(made, wanted, rtol=1e-6)
            elif channel != 4:
                np.testing.assert_allclose(made, wanted, atol=0.05, rtol=1e-6)

    def test_a_branch_reads_what_it_read(self):
        """Values that graphs inside a node capture keep their names; layers in them stay float."""
        kind = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
        inner = [
            helper.make_graph([N("Conv", ["1", "w"], ["z"], "inner", **PAD)], "then", [], [kind]),
            helper.make_graph([N("Neg", ["1"], ["z"])], "else", [], [kind]),
        ]
        nodes = [
            N("Conv", ["x", "w"], ["1"], **PAD),
            N("Conv", ["1", "w"], ["2"], **PAD),
            N("ReduceSum", ["x"], ["s"], keepdims=0),
            N("Greater", ["s", "zero"], ["c"]),
            N("If", ["c"], ["3"], "choice", then_branch=inner[0], else_branch=inner[1]),
            N("Add", ["2", "3"], ["y"]),
        ]
        constants = {"w": drawn(1, 4, 4, 3, 3), "zero": np.float32(0)}
        report, _ = self.near(model(nodes, constants), batches(), 26)
        self.assertEqual({row.name: row.int8 for row in report.rows}.pop("inner"), False)
        self.assertIn("inside choice (If)", str(report))

    def test_the_same_layer_twice_and_outputs_that_layers_read(self):
        nodes = [
            N("Conv", ["x", "w"], ["mid"], **PAD),
            N("Relu", ["mid"], ["1"]),
            N("Conv", ["1", "w"], ["y"], **PAD),
        ]
        given = model(nodes, {"w": drawn(1, 4, 4, 3, 3)}, outputs=("y", "mid"))
        _, written = self.near(given, batches(), 26)
        self.assertEqual([value.name for value in written.graph.output], ["y", "mid"])

    def test_uneven_channels_are_smoothed_in_every_way_of_writing_it(self):
        """Into the layer before, by a product of its own, and back where a sum reads the value."""
        sizes = np.exp(np.random.default_rng(1).normal(0, 2.5, 6)).astype(np.float32)
        w = drawn(1, 6, 4, 3, 3) * sizes.reshape(-1, 1, 1, 1)
        v = drawn(2, 6, 6, 3, 3) / sizes.reshape(1, -1, 1, 1)
        first, last = N("Conv", ["x", "w"], ["1"], **PAD), N("Conv", ["2", "v"], ["y"], **PAD)
        summed = [
            N("Relu", ["1"], ["2"]),
            N("Conv", ["2", "v"], ["3"], **PAD),
            N("Add", ["3", "2"], ["4"]),
            N("Conv", ["4", "v"], ["y"], **PAD),
        ]
        moved = [*summed[:2], N("MaxPool", ["2"], ["m"], kernel_shape=[1, 1])]
        moved += [N("Add", ["3", "m"], ["4"]), summed[3]]  # which alone reads what was moved
        for name, nodes, multiplied in (
            ("moved", moved, False),
            ("folded", [N("Relu", ["1"], ["2"]), last], False),
            ("Mul", [N("Sigmoid", ["1"], ["s"]), N("Mul", ["1", "s"], ["2"]), last], True),
            ("sum", summed, False),
        ):
            with self.subTest(name):
                given = model([first, *nodes], {"w": w, "v": v})
                plain = self.near(given, batches(8), 0)[0]
                report, written = self.near(
                    given, batches(8), plain.sqnr, policies=("plain", "smoothed by 0.5"), trials=4
                )
                self.assertGreater(report.sqnr, report.plain + 8)
                wide = [n.op_type for n in written.graph.node if "2/wide" in n.input]
                self.assertEqual(wide, ["Add"] if name == "sum" else [])
                factors = [n for n in written.graph.node if "2/factors" in n.input]
                self.assertEqual(bool(factors), multiplied)
                optimized = run(written, batches(1)[0], "ORT_ENABLE_ALL")
                self.assertGreater(sqnr(run(given, batches(1)[0]), optimized), report.plain + 2)


class Search(Case):
    def network(self):
        sizes = np.exp(np.random.default_rng(2).normal(0, 1.5, 8)).astype(np.float32)
        nodes = [
            N("Conv", ["x", "a"], ["1"], **PAD),
            N("Relu", ["1"], ["2"]),
            N("Conv", ["2", "b"], ["3"], **PAD),
            N("Relu", ["3"], ["4"]),
            N("Conv", ["4", "c"], ["y"], **PAD),
        ]
        a = drawn(1, 8, 4, 3, 3) * sizes.reshape(-1, 1, 1, 1)
        b = drawn(2, 8, 8, 3, 3) / sizes.reshape(1, -1, 1, 1)
        return model(nodes, {"a": a, "b": b, "c": drawn(3, 4, 8, 3, 3)})

    def test_what_is_found_is_not_below_plain_and_told(self):
        seen = []
        report, _ = self.quantize(
            self.network(),
            batches(8),
            ("plain", "clipped", "smoothed by 0.5", "searched"),
            trials=20,
            progress=lambda share, left, text: seen.append((share, left, text)),
        )
        self.assertGreaterEqual(report.sqnr, report.plain)
        self.assertIn("searched", report.held_out)
        self.assertEqual(seen[-1][0], 1.0)
        shares = [share for share, _, _ in seen]
        self.assertEqual(shares, sorted(shares))
        text, data = str(report), json.loads(report.to_json())
        self.assertIn("100.0 % of the multiply-adds", text)
        self.assertEqual([row["op"] for row in data["rows"]], ["Conv"] * 3)
        self.assertEqual(data["rows"][0]["macs"], 12 * 10 * 8 * 4 * 9)
        self.assertEqual(data["int8_share"], 1)

    def test_twice_the_same(self):
        made = [
            self.quantize(self.network(), policies=("plain", "searched"), trials=6)[1] for _ in "ab"
        ]
        self.assertEqual(*(m.SerializeToString(deterministic=True) for m in made))

    def test_silent_channels_are_not_smoothed(self):
        data = [np.abs(x) for x in batches(6)]
        for x in data:
            x[:, 2] = 0
        report, _ = self.quantize(self.network(), data, ("plain", "smoothed by 0.5"), trials=4)
        self.assertTrue(any("x: not smoothed: 1 channels are silent" in n for n in report.notes))
        self.assertIn("not smoothed", report.rows[0].how)

    def test_a_little_memory_shows_the_same(self):
        made = [self.quantize(self.network(), memory=size)[1] for size in (1, 1 << 30)]
        self.assertEqual(*(m.SerializeToString(deterministic=True) for m in made))

    def test_values_stay_float_where_they_gain_enough(self):
        worth = {"a": 3.0, "b": 0.02, "c": 1.0, "d": 0.0}
        tried = []

        def measure(floats):
            tried.append(floats)
            return 30 + sum(worth[value] for value in floats)

        a_hundredth = dict.fromkeys("abcd", 0.01)  # 0.3 dB
        self.assertEqual(edges.choose(a_hundredth, measure), {"a", "c"})
        self.assertEqual(edges.choose({"b": 0.01, "d": 0.01}, measure), frozenset())
        self.assertEqual(edges.choose({}, measure), frozenset())
        little = {"a": 0.01, "b": 1e-4, "c": 0.5, "d": 1e-4}
        self.assertEqual(edges.choose(little, measure), {"a", "b"})  # c costs more than it gains

    def test_no_time_is_worth_more_than_a_bound(self):
        measure = lambda floats: 30.0 + len(floats)
        self.assertEqual(len(edges.choose(dict.fromkeys("abcd", 0.5), measure)), 3)

    def test_without_time_small_values_stay_float_first(self):
        measure = lambda floats: 30.0 + len(floats & {"a", "c"})
        sizes = {"a": 0.001, "b": 0.03, "c": 0.002, "d": 0.004}
        self.assertEqual(edges.choose(sizes, measure, lambda: True), {"a", "c"})


class Refusals(Case):
    """One line that names what is wrong."""

    def given(self):
        return model([N("Conv", ["x", "w", "b"], ["y"])], CONV)

    def refuses(self, text, *arguments, **how):
        with self.assertRaisesRegex(quernel.QuernelError, text) as caught:
            quantize(*arguments, **how)
        self.assertNotIn("\n", str(caught.exception))

    def test_batches(self):
        path, out = self.folder / "float.onnx", self.folder / "int8.onnx"
        onnx.save(self.given(), path)
        good = batches(2)
        nan, inf = good[0].copy(), good[0].copy()
        nan[0, 1, 2, 3], inf[0, 0, 0, 0] = np.nan, np.inf
        for text, data in (
            ("batches: 0: must be 1 or more", []),
            ("batches: str: must be an iterable", "pictures"),
            ("batches: int: must be an iterable", 3),
            (r"batch 1: x: nan at \(0, 1, 2, 3\): must be finite", [good[0], nan]),
            (r"batch 0: x: inf at \(0, 0, 0, 0\)", [inf]),
            ("batch 0: z: is no input; those are x", [{"z": good[0]}]),
            ("batch 0: x: is missing", [{}]),
            (r"batch 0: 2 arrays: must be 1 \(x\)", [(good[0], good[0])]),
            ("batch 0: x: float64: must be float32", [good[0].astype(float)]),
            ("batch 0: x: list: must be an array", [([1.0],)]),
            (r"batch 0: x: shape \(4, 12, 10\): must have 4 dimensions", [good[0][0]]),
            (r"batch 0: x: shape \(1, 4, 12, 9\): must be 1x4x12x10", [good[0][..., 1:]]),
        ):
            with self.subTest(text):
                self.refuses(text, path, data, out)
                self.assertFalse(out.exists())

    def test_files(self):
        path, out = self.folder / "float.onnx", self.folder / "int8.onnx"
        whole = self.given().SerializeToString()
        for name, data, text in (
            ("missing", None, r"float.onnx.*No such file"),
            ("truncated", whole[: len(whole) // 2], r"path: .*float.onnx"),
            ("noise", os.urandom(200), r"path: .*float.onnx"),
            ("empty", b"", r"path: .*float.onnx.*holds no node"),
            (
                "two ops",
                model([N("Nonsense", ["x"], ["y"])]).SerializeToString(),
                "ONNX Runtime refuses",
            ),
            ("no layer", model([N("Relu", ["x"], ["y"])]).SerializeToString(), "no layer"),
        ):
            with self.subTest(name):
                if data is not None:
                    path.write_bytes(data)
                self.refuses(text, path, batches(2), out)
                self.assertFalse(out.exists())

    def test_outputs(self):
        path = self.folder / "float.onnx"
        onnx.save(self.given(), path)
        for out in (self.folder, self.folder / "none" / "int8.onnx"):
            self.refuses(f"out: {out}", path, batches(2), out, policies=("plain",))
        self.assertEqual(os.listdir(self.folder), ["float.onnx"])

    def test_policies(self):
        path = self.folder / "float.onnx"
        onnx.save(self.given(), path)
        self.refuses("policies: fast", path, batches(2), self.folder / "y", policies=("fast",))

    def test_one_layer_that_int8_cannot_do_stays_float(self):
        odd = N("Conv", ["e", "w2"], ["y"], "odd")
        bad = drawn(1, 6, 6, 3, 3)
        bad[2, 0, 0, 0] = np.inf
        cubes = N("Conv", ["r", "w3"], ["y"], "odd")
        shape = N("Unsqueeze", ["1", "axes"], ["r"])
        for text, nodes, constants in (
            ("dimensions", [shape, cubes], {"w3": drawn(1, 2, 6, 1, 1, 1), "axes": np.array([2])}),
            ("must be finite", [N("Conv", ["1", "w2"], ["y"], "odd", **PAD)], {"w2": bad}),
            (
                "not finite in the calibration set",
                [N("Mul", ["1", "big"], ["2"]), N("Exp", ["2"], ["e"]), odd],
                {"big": np.float32(1e3), "w2": drawn(1, 6, 6, 3, 3)},
            ),
        ):
            with self.subTest(text):
                first = N("Conv", ["x", "w", "b"], ["1"], "good", **PAD)
                used = {k: CONV[k] for k in "wb"}
                report, _ = self.quantize(model([first, *nodes], {**used, **constants}))
                how = {row.name: (row.int8, row.how) for row in report.rows}
                self.assertTrue(how["good"][0])
                self.assertFalse(how["odd"][0])
                self.assertIn(text, how["odd"][1])
                self.assertLess(report.int8_share, 1)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

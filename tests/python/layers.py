#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layers, graphs and calibration on NumPy alone: int8 against the float layer, and what bad input
gets."""

import dataclasses
import sys
import threading
import unittest

import front
import numpy as np
from quernel import calibrate, fold
from quernel import operators as ops
from quernel.glue import GLUE
from quernel.graph import LAYER, Graph, Node, QuantGraph
from quernel.layer import Activation, Coded, Coding, Layer, QuantLayer

RNG = np.random.default_rng(11)
KINDS = [
    Activation(kind)
    for kind in ("none", "relu", "hswish", "hsigmoid", "silu", "gelu", "sigmoid", "tanh")
] + [
    Activation("clamp", 0.0, 0.5),
    Activation("leaky", slope=0.2),
    Activation("prelu", slopes=np.float32(RNG.random(6))),
]


def window(kind="conv2d", inputs=4, outputs=6, kernel=(3, 3), **more):
    groups = more.get("groups", 1)
    shape = (outputs, inputs // groups) if kind == "conv2d" else (inputs, outputs // groups)
    w = RNG.normal(size=(*shape, *kernel)).astype(np.float32) * np.float32((inputs * 9) ** -0.5)
    return Layer(
        "made", kind, w, RNG.normal(size=outputs).astype(np.float32) * np.float32(0.1), **more
    )


def exact_coding(x):
    """A coding that loses little: 255 steps over the range of x."""
    least, greatest = min(0.0, float(x.min())), max(0.0, float(x.max()))
    scale = (greatest - least) / 255
    return Coding(scale, round(-least / scale))


class OneLayer(unittest.TestCase):
    def follows(self, layer, x, within=0.03):
        wanted = layer(x)
        made = QuantLayer(layer, exact_coding(x))(x)
        self.assertEqual(made.shape, wanted.shape)
        self.assertLess(np.abs(made - wanted).max(), within * np.abs(wanted).max())

    def test_int8_follows_float(self):
        x = RNG.normal(size=(2, 4, 9, 8)).astype(np.float32)
        for layer in (
            window(pad=(1, 1, 1, 1)),
            window(pad=(0, 1, 2, 0), stride=(2, 1)),
            window(kernel=(1, 3)),
            window(dilation=(2, 2), pad=(2, 2, 2, 2)),
            window(groups=2),
            window(outputs=4, groups=4, pad=(1,) * 4),
            window("deconv2d", kernel=(2, 2), stride=(2, 2)),
            window("deconv2d", kernel=(4, 4), stride=(2, 2), pad=(3, 3, 3, 3)),
            window("deconv2d", kernel=(3, 3), stride=(2, 2), pad=(1, 1, 1, 1), output_pad=(1, 1)),
        ):
            with self.subTest(
                layer.kind, weights=layer.weights.shape, stride=layer.stride, pad=layer.pad
            ):
                self.follows(layer, x)

    def test_activations_follow_float(self):
        x = RNG.normal(size=(1, 4, 6, 6)).astype(np.float32)
        for activation in KINDS:
            with self.subTest(activation.kind):
                self.follows(dataclasses.replace(window(), activation=activation), x, 0.05)

    def test_strides_are_read_in_place(self):
        layer, x = window(pad=(1, 1, 1, 1)), RNG.normal(size=(2, 9, 10, 8)).astype(np.float32)
        run = QuantLayer(layer, exact_coding(x))
        wide = x.transpose(0, 3, 1, 2)  # [2, 8, 9, 10], channels innermost
        for view in (
            wide[:, 2:6],
            wide[:, :4, ::2],
            np.broadcast_to(wide[:1, :4], (2, 4, 9, 10)),
            wide[:, :4, ::-1],
            np.ascontiguousarray(wide)[:, 1:5, 2:, 1:-1],
        ):
            with self.subTest(view.strides):
                np.testing.assert_array_equal(run(view), run(np.ascontiguousarray(view)))

    def test_a_shape_that_changes_between_calls(self):
        layer = window(pad=(1, 1, 1, 1))
        run = QuantLayer(layer, Coding(0.02, 128))
        for size in range(3, 3 + 2 * QuantLayer.SHAPES_KEPT):
            x = RNG.normal(size=(1, 4, size, 5)).astype(np.float32)
            self.assertEqual(run(x).shape, (1, 6, size, 5))
        self.assertEqual(len(run.explain()), QuantLayer.SHAPES_KEPT)

    def test_without_a_coding_each_run_finds_its_own(self):
        layer = window(pad=(1, 1, 1, 1))
        x = RNG.normal(size=(1, 4, 6, 6)).astype(np.float32)
        y = QuantLayer(layer, Coding())(x)
        np.testing.assert_allclose(
            QuantLayer(layer, Coding())(64 * x) - layer.bias.reshape(-1, 1, 1),
            64 * (y - layer.bias.reshape(-1, 1, 1)),
            rtol=0,
            atol=1e-4,
        )

    def test_bad_input_is_named(self):
        run = QuantLayer(window(), Coding(0.02))
        for x, error, text in (
            (np.zeros((1, 4, 5, 5)), TypeError, "float64: must be float32"),
            (np.zeros((4, 5, 5), np.float32), ValueError, "3 dimensions"),
            (np.zeros((1, 5, 5, 5), np.float32), ValueError, "5 channels: must be 4"),
            (np.zeros((1, 4, 2, 5), np.float32), ValueError, "leaves nothing of the output"),
        ):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                run(x)


class Numbers(unittest.TestCase):
    """docs/numerics.md, written again in NumPy."""

    def setUp(self):
        self.s = np.float32(np.exp(RNG.normal(size=8)))
        self.x = (RNG.normal(size=(1, 8, 40, 50)) * 3).astype(np.float32)
        self.coding = Coding(np.float32(0.037), 101, smooth=self.s)

    def codes(self):
        m = (np.float32(1) / (self.s * self.coding.scale)).reshape(-1, 1, 1)
        return np.rint(np.clip(self.x * m, -101, 154))

    def test_codes_are_those_of_the_law_and_of_division_but_for_ties(self):
        y = np.empty(self.x.shape, np.int32)
        one = ops.Weights(np.eye(8, dtype=np.int8).reshape(8, 8, 1, 1), smooth=self.s)
        ops.conv2d(one, self.x, y, quant=self.coding.quant("conv2d"))(self.x, y)
        np.testing.assert_array_equal(y, self.codes())
        divided = (self.x / self.s.reshape(-1, 1, 1)) / self.coding.scale
        other = np.abs(np.rint(np.clip(divided, -101, 154)) - y)
        self.assertLessEqual(other.max(), 1)
        ties = np.abs(np.abs(divided - np.floor(divided)) - np.float32(0.5))
        self.assertTrue((ties[other == 1] <= 2 * np.spacing(np.abs(divided[other == 1]))).all())

    def test_outputs_are_those_integers_scaled(self):
        w = RNG.normal(size=(5, 8, 1, 1)).astype(np.float32)
        layer = Layer("numbers", "conv2d", w, RNG.normal(size=5).astype(np.float32))
        smoothed = w[..., 0, 0] * self.s
        step = np.abs(smoothed).max(axis=1) / np.float32(127)
        acc = np.einsum(
            "nchw,oc->nohw", self.codes(), np.rint(smoothed / step[:, None]).astype(np.float64)
        )
        scaled = acc * np.float64(self.coding.scale * step).reshape(-1, 1, 1)
        bias = np.float64(layer.bias).reshape(-1, 1, 1)
        made = QuantLayer(layer, self.coding)(self.x)
        self.assertTrue(
            (np.abs(made - (scaled + bias)) <= 2.0**-22 * (np.abs(scaled) + np.abs(bias))).all()
        )


def two_layers():
    """x → conv, batch norm, relu → conv; the first value has three readers' worth of channels."""
    first, second = window(pad=(1, 1, 1, 1)), window(inputs=6, outputs=5, pad=(1, 1, 1, 1))
    nodes = [
        Node(LAYER, "a", ["x"], ["1"], layer=dataclasses.replace(first, name="a")),
        Node("BatchNormalization", "n", ["1", "g", "b", "m", "v"], ["2"], {"epsilon": 1e-3}),
        Node("Relu", "r", ["2"], ["3"]),
        Node(LAYER, "c", ["3"], ["y"], layer=dataclasses.replace(second, name="c")),
    ]
    numbers = {name: RNG.random(6).astype(np.float32) + 0.5 for name in "gbmv"}
    return Graph("two", nodes, ["x"], ["y"], numbers)


class Graphs(unittest.TestCase):
    def test_folding_changes_nothing_and_leaves_the_layers(self):
        x, whole = RNG.normal(size=(1, 4, 7, 6)).astype(np.float32), two_layers()
        wanted, folded = whole(x)[0], fold.fold(whole)
        self.assertEqual([node.op for node in folded.nodes], [LAYER, LAYER])
        np.testing.assert_allclose(folded(x)[0], wanted, atol=1e-5)

    def test_silu_and_hswish_are_recognized(self):
        def spelled(*steps):
            nodes = [Node(LAYER, "a", ["x"], ["1"], layer=window()), *steps]
            return Graph(
                "gate",
                nodes,
                ["x"],
                ["y"],
                {"three": np.float32(3), "lo": np.float32(0), "six": np.float32(6)},
            )

        silu = spelled(Node("Sigmoid", "s", ["1"], ["2"]), Node("Mul", "m", ["1", "2"], ["y"]))
        hswish = spelled(
            Node("Add", "p", ["1", "three"], ["2"]),
            Node("Clip", "c", ["2", "lo", "six"], ["3"]),
            Node("Mul", "m", ["1", "3"], ["4"]),
            Node("Div", "d", ["4", "six"], ["y"]),
        )
        x = RNG.normal(size=(1, 4, 5, 5)).astype(np.float32)
        for graph, kind in ((silu, "silu"), (hswish, "hswish")):
            wanted, folded = graph(x)[0], fold.fold(graph)
            self.assertEqual([node.layer.activation.kind for node in folded.nodes], [kind])
            np.testing.assert_allclose(folded(x)[0], wanted, atol=1e-5)

    def test_sums_behind_layers_are_folded_where_the_shapes_are_the_same(self):
        x = RNG.normal(size=(1, 4, 7, 6)).astype(np.float32)
        for first, second in (
            (Activation("relu"), Activation()),
            (Activation(), Activation("relu")),
        ):
            conv = dataclasses.replace(window(outputs=4, pad=(1,) * 4), activation=first)
            nodes = [
                Node(LAYER, "a", ["x"], ["1"], layer=window(outputs=4, pad=(1,) * 4)),
                Node(LAYER, "b", ["1"], ["2"], layer=conv),
                Node("Add", "s", ["1", "2"], ["3"]),
                Node("Relu" if second.kind == "relu" else "Identity", "r", ["3"], ["y"]),
            ]
            whole = Graph("sum", nodes, ["x"], ["y"])
            wanted, folded = whole(x)[0], fold.fold(whole)
            last = next(node for node in folded.nodes if node.name == "b")
            self.assertEqual(
                (last.inputs, last.layer.residual_after), (["1", "1"], first.kind == "relu")
            )
            # what the search rates
            self.assertEqual(folded.layers_alone()["b"].activation, first)
            self.assertEqual(len(folded.nodes), 2 if second.kind == "relu" else 3)
            np.testing.assert_array_equal(folded(x)[0], wanted)
        for other in (
            window(outputs=4, kernel=(7, 6)),
            window(outputs=4, pad=(1,) * 4, stride=(2, 2)),
            window(outputs=1, kernel=(1, 1)),
        ):
            nodes = [
                Node(LAYER, "a", ["x"], ["1"], layer=window(outputs=4, pad=(1,) * 4)),
                Node(LAYER, "b", ["x"], ["2"], layer=other),
                Node("Add", "s", ["1", "2"], ["y"]),
            ]
            self.assertEqual(
                [node.op for node in fold.fold(Graph("sum", nodes, ["x"], ["y"])).nodes],
                [LAYER, LAYER, "Add"],
            )

    def test_a_network_has_the_bits_of_its_layers_run_one_by_one(self):
        """a and b are concatenated, c adds a float value, d reads what c made, which is wanted
        outside as well; a deconvolution follows glue."""
        layers = {
            "a": window(pad=(1,) * 4, activation=Activation("relu")),
            "b": window(outputs=3, kernel=(1, 1)),
            "c": window(
                inputs=9,
                outputs=4,
                pad=(1,) * 4,
                activation=Activation("leaky", slope=0.2),
                residual_after=True,
            ),
            "d": window(outputs=5, pad=(1,) * 4, stride=(2, 2)),
            "e": window("deconv2d", inputs=5, outputs=4, kernel=(2, 2), stride=(2, 2)),
        }
        order = {
            "a": (["x"], "1"),
            "b": (["x"], "2"),
            "c": (["12", "x"], "3"),
            "d": (["3"], "4"),
            "e": (["5"], "y"),
        }
        nodes = [
            Node(LAYER, name, list(reads), [made], layer=layers[name])
            for name, (reads, made) in order.items()
        ]
        nodes[2:2] = [Node("Concat", "j", ["1", "2"], ["12"], {"axis": 1})]
        nodes[5:5] = [Node("Sigmoid", "g", ["4"], ["5"])]
        graph = Graph("all", nodes, ["x"], ["y", "3"])
        codings = {
            "x": Coding(0.03, 120),
            "12": Coding(0.02, 40, smooth=np.float32(RNG.random(9) + 0.5)),
            "3": Coding(0.05, 99),
            "5": Coding(1 / 255),
        }
        quantized = QuantGraph(graph, codings)
        first, second = dict.fromkeys(quantized.networks.values())
        self.assertEqual(
            (first.outputs, first.int8, second.outputs, second.int8),
            (["3", "4"], {"12"}, ["y"], set()),
        )
        for shape in ((2, 4, 8, 6), (1, 4, 5, 9)):
            x = RNG.normal(size=shape).astype(np.float32)
            run = {
                name: QuantLayer(layer, codings[order[name][0][0]])
                for name, layer in layers.items()
            }
            joined = Coded((shape[0], 9, *shape[2:]), codings["12"], (1, 1))
            joined.chain.memory[:] = codings["12"].zero  # for the border
            for name, part in (("a", slice(0, 6)), ("b", slice(6, 9))):
                coding = dataclasses.replace(codings["12"], smooth=codings["12"].smooth[part])
                joined.chain.numpy()[..., part] = run[name](x, coding).chain.numpy()
            third = run["c"](joined) + x
            wanted = run["e"](GLUE["Sigmoid"]({}, run["d"](third)))
            for made, right in zip(quantized(x), (wanted, third)):
                np.testing.assert_array_equal(made, right)
        self.assertEqual(quantized.int8_share(x), 1.0)
        self.assertEqual(len(quantized.explain("a")), 2)

    def test_a_quantized_graph_takes_any_strides_threads_and_callers(self):
        graph = fold.fold(two_layers())
        codings = {"x": Coding(0.03, 120), "3": Coding(0.02)}
        quantized, wide = (
            QuantGraph(graph, codings),
            RNG.normal(size=(2, 9, 10, 8)).astype(np.float32).transpose(0, 3, 1, 2),
        )
        views = [
            wide[:, 2:6],
            wide[:, :4, ::2],
            wide[:, :4, ::-1],
            np.ascontiguousarray(wide)[:, 1:5, 2:, 1:-1],
            wide[1:, :4],
        ]
        wanted, made = (
            [quantized(np.ascontiguousarray(view))[0] for view in views],
            [[] for _ in views],
        )
        for view, right in zip(views, wanted):
            np.testing.assert_array_equal(quantized(view)[0], right)
            np.testing.assert_array_equal(QuantGraph(graph, codings, threads=2)(view)[0], right)
        threads = [
            threading.Thread(
                target=lambda at=at: made[at].extend(quantized(views[at])[0] for _ in range(20))
            )
            for at in range(len(views))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for all_of, right in zip(made, wanted):
            self.assertEqual(len(all_of), 20)
            self.assertTrue(all(np.array_equal(y, right) for y in all_of))
        for x, error, text in (
            (np.zeros((1, 4, 5, 5)), TypeError, "x: float64: must be float32"),
            (np.zeros((1, 3, 5, 5), np.float32), ValueError, "3 channels: must be 4"),
        ):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                quantized(x)

    def test_columns_are_smoothed_on_float_values(self):
        graph, x = fold.fold(two_layers()), RNG.normal(size=(1, 4, 7, 6)).astype(np.float32)
        codings = {
            "x": exact_coding(x),
            "3": Coding(0.02, smooth=np.float32(RNG.random((6, 3, 3)) + 0.5)),
        }
        made, (first, second) = QuantGraph(graph, codings), (node.layer for node in graph.nodes)
        np.testing.assert_array_equal(
            made(x)[0], QuantLayer(second, codings["3"])(QuantLayer(first, codings["x"])(x))
        )


class Calibration(unittest.TestCase):
    def calibrate(self, batches, graph=None):
        return calibrate.quantize_graph(
            graph or fold.fold(two_layers()), batches, policies=("plain", "smoothed by 0.5")
        )

    def test_an_empty_set_and_non_finite_values_are_refused(self):
        with self.assertRaisesRegex(ValueError, "batches: 0: must be 1 or more"):
            self.calibrate([])
        x = np.ones((1, 4, 6, 6), np.float32)
        x[0, 2, 3, 1] = np.nan
        with self.assertRaisesRegex(ValueError, r"x: nan at \(0, 2, 3, 1\): must be finite"):
            self.calibrate([x])

    def test_constant_tensors_and_silent_channels_stay_finite(self):
        silent = np.abs(RNG.normal(size=(1, 4, 6, 6))).astype(np.float32)
        silent[:, 1] = 0
        for x in (np.zeros((1, 4, 6, 6), np.float32), np.full((1, 4, 6, 6), 7, np.float32), silent):
            graph = fold.fold(two_layers())
            graph.nodes[0].layer.weights[2] = 0
            graph.nodes[0].layer.weights[:, 3] = 0
            quantized, calibrated = self.calibrate([x, x], graph)
            self.assertTrue(np.isfinite(quantized(x)[0]).all())
        self.assertEqual(calibrated.silent["x"], [1])

    def test_smoothing_is_kept_where_channels_are_uneven(self):
        sizes = np.exp(RNG.normal(0, 2, (1, 4, 1, 1))).astype(np.float32)
        graph = fold.fold(two_layers())
        graph.nodes[0].layer.weights[:] /= sizes
        batches = [
            np.abs(RNG.normal(size=(1, 4, 12, 12))).astype(np.float32) * sizes for _ in range(4)
        ]
        self.assertIsNotNone(self.calibrate(batches, graph)[1].choices["x"].alpha)

    def test_smoothing_is_refused_where_calibration_leaves_channels_silent(self):
        graph = fold.fold(two_layers())
        graph.nodes[0].layer.weights[:, 1] *= 0.05
        batches = [np.abs(RNG.normal(size=(1, 4, 12, 12))).astype(np.float32) for _ in range(4)]
        for x in batches[0::2]:  # what is put aside is not silent there
            x[:, 1] = 0
        for x in batches[1::2]:
            x[:, 1] *= 20
        calibrated = self.calibrate(batches, graph)[1]
        self.assertTrue(all(choice.alpha is None for choice in calibrated.choices.values()))


if __name__ == "__main__":
    sys.exit(front.main(__name__))

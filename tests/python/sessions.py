#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quernel.ort: which hosts it takes, what it tells the plugin, what coverage makes of the plugin's
report; hosts and plugin are stood in for, the models run by ONNX Runtime.

PYTHONPATH holds python/ and the repository's root; QUERNEL_LIBRARY names the library. Closes with N
passed, N failed, N skipped."""

import pathlib
import sys
import tempfile
import unittest
from typing import Any
from unittest import mock

import front
import numpy as np

try:
    import fake_host
    import onnxruntime
    from fake_host import standing_in
    from onnx import TensorProto, helper, numpy_helper
    from quernel import model_layers, ort
except ImportError as problem:
    print(f"skipped: quernel.ort: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

N = helper.make_node


def model(size=(1, 3, 8, 6)):
    """Two convolutions, 5·3·9 and 2·5·1 multiply-adds a pixel, the second without a
    name, and a product."""
    rng = np.random.default_rng(3)
    draw = lambda name, *shape: numpy_helper.from_array(
        np.asarray(rng.normal(size=shape), "f4"), name
    )
    graph = helper.make_graph(
        [
            N("Conv", ["x", "a"], ["1"], "first", pads=[1, 1, 1, 1]),
            N("Relu", ["1"], ["2"], "relu"),
            N("Conv", ["2", "b"], ["3"]),
            N("GlobalAveragePool", ["3"], ["4"], "pool"),
            N("Flatten", ["4"], ["5"], "flat"),
            N("MatMul", ["5", "c"], ["y"], "product"),
        ],
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["m", 7])],
        [draw("a", 5, 3, 3, 3), draw("b", 2, 5, 1, 1), draw("c", 2, 7)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


REPORT = {
    "islands": [{"nodes": ["first", "relu"], "macs": 1}],
    "refused": [
        {"node": "3", "op": "Conv", "reason": "is not quantized"},
        {"node": "product", "op": "MatMul", "reason": "is not quantized"},
    ],
}


class WithLibrary(unittest.TestCase):
    """Somewhere is a file that may be the plugin."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, ort.LIBRARY)
        self.path.touch()
        patch = mock.patch.dict("os.environ", {"QUERNEL_ORT_LIBRARY": str(self.path)})
        patch.start()
        self.addCleanup(patch.stop)


class Hosts(WithLibrary):
    def test_what_cannot_be_used_is_refused_in_a_line(self):
        for stand_in, text in (
            (None, r"^onnxruntime: .*: onnxruntime>=1\.23\.1 is needed$"),
            (fake_host.host("1.22.1"), r"^onnxruntime: 1\.22\.1: takes no plugins: .* is needed$"),
            (fake_host.host("1.23.0"), r"^onnxruntime: 1\.23\.0: fails on sessions of two"),
            (fake_host.host("new"), r"^onnxruntime: new: takes no plugins"),
            (fake_host.host(refuses="no\nsuch"), r"^plugin: .*onnxruntime\.so: no such$"),
        ):
            with standing_in(stand_in), self.assertRaisesRegex(ort.Unavailable, text):
                ort.session(model())

    def test_what_can_be_used_is_used(self):
        for version in ("1.23.1", "1.23.2", "1.24.0.dev20260101", "1.32.0", "2.0.0"):
            with standing_in(fake_host.host(version, REPORT)):
                ort.session(model())

    def test_the_library_is_registered_once(self):
        with standing_in(fake_host.host()) as host:
            ort.session(model())
            ort.session(model())
        self.assertEqual(host.registered, [(ort.EP_NAME, str(self.path))])
        with standing_in(fake_host.host(devices=ort.get_ep_names())) as host:
            ort.session(model())
        self.assertEqual(host.registered, [])

    def test_the_library_is_where_it_is_said_to_be(self):
        self.assertEqual(ort.get_library_path(), str(self.path))
        self.path.unlink()
        with self.assertRaisesRegex(ort.Unavailable, r"QUERNEL_ORT_LIBRARY: .*: is no file"):
            ort.get_library_path()
        built = self.path.parent / ort.IN_BUILD
        built.parent.mkdir(parents=True)
        built.touch()
        beside = {"QUERNEL_ORT_LIBRARY": "", "QUERNEL_LIBRARY": str(self.path.parent / "lib.so")}
        with mock.patch.dict("os.environ", beside):
            self.assertEqual(ort.get_library_path(), str(built))


class Sessions(WithLibrary):
    def told(self, *arguments, **options):
        with standing_in(fake_host.host()) as host:
            ort.session(model(), *arguments, **options)
        return host.told[-1]

    def test_options_go_to_the_plugin_as_text(self):
        settings, name, told = self.told(
            3, isa="avx2", table=pathlib.Path("t.qtn"), verbose=True, other=7
        )
        self.assertEqual(name, "QuernelExecutionProvider")
        self.assertIn("report", told)
        told.pop("report")
        self.assertEqual(
            told, {"threads": "3", "isa": "avx2", "table": "t.qtn", "verbose": "1", "other": "7"}
        )
        self.assertEqual((settings.intra_op_num_threads, settings.inter_op_num_threads), (3, 1))
        self.assertEqual(settings.log_severity_level, 2)
        self.assertEqual(self.told()[0].log_severity_level, 3)
        self.assertEqual(set(self.told()[2]), {"threads", "verbose", "report"})

    def test_entries_of_the_session(self):
        entry = lambda settings, key: settings.get_session_config_entry(key)
        settings = self.told(disable_fallback=True, context="c.onnx")[0]
        self.assertEqual(entry(settings, "session.disable_cpu_ep_fallback"), "1")
        self.assertEqual(entry(settings, "ep.context_enable"), "1")
        self.assertEqual(entry(settings, "ep.context_file_path"), "c.onnx")

    def test_wrong_arguments_are_named(self):
        wrong: tuple[Any, ...] = (0, -1, True, 1.5, "2")
        for threads in wrong:
            with standing_in(fake_host.host()), self.assertRaisesRegex(ValueError, "threads: "):
                ort.session(model(), threads)
        with standing_in(fake_host.host()):
            with self.assertRaisesRegex(Exception, "[Pp]rotobuf|INVALID"):
                ort.session(b"no model")
            taken = onnxruntime.SessionOptions()
            taken.add_provider("CPUExecutionProvider", {})
            with self.assertRaisesRegex(ValueError, "session_options: they have providers"):
                ort.session(model(), session_options=taken)


class Coverages(WithLibrary):
    def covered(self, made, report=REPORT, version="1.23.2", **more):
        with standing_in(fake_host.host(version, report)):
            return ort.coverage(ort.session(made), **more)

    def test_multiply_adds_are_counted_by_hand(self):
        first, second, product = 48 * 5 * 27, 48 * 2 * 5, 14
        found = self.covered(model())
        self.assertEqual((found.covered, found.macs), (first, first + second + product))
        self.assertEqual(found.share, first / (first + second + product))
        everything = {"islands": [{"nodes": ["first", "3", "product/MatMulAddFusion"]}]}
        self.assertEqual(self.covered(model(), everything).share, 1.0)
        self.assertEqual(self.covered(model(), {}).share, 0.0)

    def test_a_sum_in_a_product_without_a_name_is_one(self):
        made = model()
        made.graph.node[-1].name, made.graph.node[-1].output[0] = "", "6"
        made.graph.node.append(N("Add", ["6", "d"], ["y"]))
        made.graph.initializer.append(numpy_helper.from_array(np.ones(7, "f4"), "d"))
        island = {"nodes": ["/MatMulAddFusion"], "outputs": ["y"]}
        self.assertEqual(self.covered(made, {"islands": [island]}).covered, 14)

    def test_a_model_will_do(self):
        with standing_in(fake_host.host(report=REPORT)):
            self.assertEqual(ort.coverage(model().SerializeToString()).islands, 1)

    def test_reasons_are_told(self):
        text = str(self.covered(model()))
        self.assertIn("Quernel runs: 92.9 % of the multiply-adds, in 1 islands", text)
        self.assertIn("not taken: Conv: is not quantized: 3\n", text)

    def test_what_is_not_known_is_said(self):
        open_shape = model(("n", 3, "h", 6))
        found = self.covered(open_shape)
        self.assertIsNone(found.share)
        self.assertIn("the model leaves it open", found.notes[0])
        found = self.covered(open_shape, shapes={"x": (1, 3, 8, 6)})
        self.assertEqual(found.share, self.covered(model()).share)
        self.assertIn("wrote no report", str(self.covered(model(), None)))

    def test_two_accounts_are_compared(self):
        odd = self.covered(model(), version="1.32.0").notes
        if hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"):
            self.assertEqual(odd, ("note: the plugin says 2 nodes, ONNX Runtime 0",))

    def test_sessions_of_others_are_refused(self):
        other = onnxruntime.InferenceSession(
            model().SerializeToString(), providers=["CPUExecutionProvider"]
        )
        with self.assertRaisesRegex(ValueError, "was not made by quernel"):
            ort.coverage(other)


class Layers(unittest.TestCase):
    def test_a_context_file_shows_no_layers(self):
        made = model()
        made.graph.node.append(N("EPContext", ["y"], ["z"], domain="com.microsoft"))
        with self.assertRaisesRegex(model_layers.Unknown, "a context file does not show"):
            model_layers.layers(made)

    def test_refusals_say_why(self):
        for wrong, shapes, text in (
            (b"no model", {}, "cannot be read"),
            (model(("n", 3, 8, 6)).SerializeToString(), {}, "leaves it open"),
            (model().SerializeToString(), {"z": (1,)}, "z: is no input; the model has x"),
            (model().SerializeToString(), {"x": (1, 3, 9, 6)}, "1x3x9x6: does not fit"),
            (model(("n", 3, 8, 6)).SerializeToString(), {"x": (3, 8, 6)}, "3x8x6: does not fit"),
        ):
            with self.subTest(text), self.assertRaisesRegex(model_layers.Unknown, text):
                model_layers.layers(model_layers.load(wrong), shapes)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

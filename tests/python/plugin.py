#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quernel.ort and `python -m quernel` with the plugin itself, on a small network that
quernel.onnx.quantize has made.

PYTHONPATH holds python/ and the repository's root; QUERNEL_LIBRARY names the library, the plugin is
in the same build. Closes with N passed, N failed, N skipped."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

import front
import numpy as np

try:
    import quernel.onnx
    from onnx import TensorProto, helper, numpy_helper
    from quernel import cli, ort

    ort.get_library_path()
except ImportError as problem:
    print(f"skipped: the plugin: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

SIZE, CHANNELS = 20, 16


def model():
    """Three convolutions with ReLU."""
    rng, nodes, weights, value = np.random.default_rng(3), [], [], "x"
    for at, inputs in enumerate((3, CHANNELS, CHANNELS)):
        w = rng.normal(size=(CHANNELS, inputs, 3, 3)) / np.sqrt(9 * inputs)
        weights.append(numpy_helper.from_array(w.astype(np.float32), f"w{at}"))
        nodes.append(helper.make_node("Conv", [value, f"w{at}"], [f"c{at}"], f"conv{at}"))
        value = "y" if at == 2 else f"r{at}"
        nodes.append(helper.make_node("Relu", [f"c{at}"], [value], f"relu{at}"))
    shaped = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    ends = [shaped("x", [1, 3, SIZE, SIZE])], [shaped("y", [1, CHANNELS, SIZE - 6, SIZE - 6])]
    graph = helper.make_graph(nodes, "small", *ends, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


class Plugin(unittest.TestCase):
    folder: pathlib.Path
    float: str
    int8: str
    x: list

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="quernel-plugin-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.float, cls.int8 = (str(cls.folder / name) for name in ("float.onnx", "int8.onnx"))
        pathlib.Path(cls.float).write_bytes(model().SerializeToString())
        rng = np.random.default_rng(5)
        cls.x = [rng.normal(size=(1, 3, SIZE, SIZE)).astype(np.float32) for _ in range(4)]
        quernel.onnx.quantize(cls.float, cls.x, cls.int8, policies=("plain",))
        np.savez(cls.folder / "x.npz", x=np.concatenate(cls.x))

    def outputs(self, session):
        return [session.run(None, {"x": x})[0] for x in self.x]

    def whole(self, threads=1, **options):
        """A session that takes all, though so small a network gains nothing by it."""
        return ort.session(self.int8, threads, islands="all", **options)

    def test_all_of_it_is_taken_and_is_right(self):
        session = self.whole()
        found = ort.coverage(session)
        self.assertEqual((found.share, found.notes), (1.0, ()), found)
        wanted, made = self.outputs(ort.stock(self.float)), self.outputs(session)
        noise = sum(np.square(w - m).sum() for w, m in zip(wanted, made))
        self.assertLess(noise, 1e-2 * sum(np.square(w).sum() for w in wanted))
        self.assertGreater(noise, 0)

    def test_bits_are_those_of_one_thread_and_of_ref(self):
        wanted = self.outputs(self.whole())
        for session in (self.whole(2), self.whole(isa="ref")):
            for one, other in zip(wanted, self.outputs(session)):
                np.testing.assert_array_equal(one, other)

    def test_a_context_file_is_the_same_network(self):
        path = self.folder / "context.onnx"
        wanted = self.outputs(self.whole(context=path))
        again = ort.session(path)
        for one, other in zip(wanted, self.outputs(again)):
            np.testing.assert_array_equal(one, other)
        self.assertIsNone(ort.coverage(again).share)

    def test_what_is_wrong_is_named(self):
        for options, text in (
            ({"isa": "mmx"}, "isa.*mmx"),
            ({"table": "/nowhere.qtn"}, "table.*nowhere"),
            ({"speed": 3}, "speed.*unknown"),
        ):
            with self.subTest(text), self.assertRaisesRegex(Exception, text):
                ort.session(self.int8, **options)
        with self.assertRaisesRegex(Exception, "fallback|assigned to the default CPU"):
            ort.session(self.float, disable_fallback=True)

    def test_a_float_model_is_left_alone_with_reasons(self):
        found = ort.coverage(self.float)
        self.assertEqual((found.share, found.islands), (0.0, 0))
        self.assertEqual({one.op for one in found.refused}, {"Conv", "Relu"})
        self.assertTrue(all(one.reason for one in found.refused))

    def command(self, *arguments):
        said, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
            code = cli.main(list(map(str, arguments)))
        self.assertEqual(code, 0, errors.getvalue())
        return said.getvalue()

    def test_from_the_shell(self):
        data, made = self.folder / "x.npz", self.folder / "made.onnx"
        given = ["--data", data, "--budget", "20s"]
        said = self.command("quantize", self.float, *given, "--out", made)
        self.assertIn("3 of 3 layers", said)
        said = self.command("run", made, "--data", data)
        self.assertIn(f"y: 4x{CHANNELS}x14x14 float32\n", said)
        given = ["--float", self.float, "--data", data, "--rounds", 2, "--json", "-"]
        said = self.command("compare", made, *given)
        ours = next(one for one in json.loads(said)["contenders"] if one["name"] == "Quernel")
        # so small a network may be left to ONNX Runtime, whose sums saturate on AVX2
        self.assertGreater(min(ours["sqnr"]["y"]), 10)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

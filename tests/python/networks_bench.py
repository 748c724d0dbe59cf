#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison of whole networks, as far as it needs neither the other engines nor the packages
with networks: models of one shape, PyTorch's old files, a race of small models, the table.

PYTHONPATH holds python/ and the repository's root; QUERNEL_LIBRARY names the library. Closes with N
passed, N failed, N skipped."""

import collections
import io
import os
import pathlib
import pickle
import struct
import sys
import tempfile
import types
import unittest
from typing import Any
from unittest import mock

import front
import numpy as np

try:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from quernel.cli import compare

    from bench.networks import __main__ as race
    from bench.networks import drawn, engines, fixed, quantizers, report, torch_file
except ImportError as problem:
    print(f"skipped: bench.networks: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

N = helper.make_node


def old_model():
    """Opset 11, weights in a Constant node, an input of open size."""
    w = numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w")
    nodes = [N("Constant", [], ["w"], value=w), N("Conv", ["x", "w"], ["y"])]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        nodes, "old", [value("x", ["n", 3, "h", "w"])], [value("y", ["n", 2, "h", "w"])]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


class Models(unittest.TestCase):
    def test_a_model_gets_one_shape(self):
        made = fixed.fix(old_model(), {"x": (1, 3, 4, 5)})
        onnx.checker.check_model(made, full_check=True)
        self.assertEqual(made.opset_import[0].version, 13)
        self.assertEqual([t.name for t in made.graph.initializer], ["w"])
        self.assertEqual([node.name for node in made.graph.node], ["Conv_0"])
        shape = [d.dim_value for d in made.graph.output[0].type.tensor_type.shape.dim]
        self.assertEqual(shape, [1, 2, 4, 5])
        run = onnxruntime.InferenceSession(
            made.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        self.assertEqual(run.run(None, {"x": np.ones((1, 3, 4, 5), "f4")})[0].max(), 3)

    def test_a_drawn_residual_network_is_as_it_was_fitted(self):
        small = ((4, 2), (8, 1))
        with mock.patch.object(drawn, "STAGES", small), mock.patch.object(drawn, "CLASSES", 5):
            x = np.random.default_rng(1).normal(size=(1, 3, 32, 32)).astype(np.float32)
            made = drawn.resnet50(x)
        run = onnxruntime.InferenceSession(
            made.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        self.assertEqual(run.run(None, {"x": x})[0].shape, (1, 5))
        kinds = collections.Counter(node.op_type for node in made.graph.node)
        self.assertEqual((kinds["Conv"], kinds["Add"], kinds["Relu"]), (1 + 9 + 2, 3, 1 + 9))


class Storage:
    """Pickled as PyTorch refers to a storage."""

    def __init__(self, key, count):
        self.key, self.count = key, count


def legacy_file(arrays):
    """A file of torch.save before 1.6."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, what):
            if isinstance(what, Storage):
                return ("storage", torch.FloatStorage, what.key, "cpu", what.count, None)
            return None

    torch: Any = types.ModuleType("torch")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    utils: Any = types.ModuleType("torch._utils")

    class Tensor:
        def __init__(self, *arguments):
            self.arguments = arguments

        def __reduce__(self):
            return utils._rebuild_tensor_v2, self.arguments

    def rebuild(*_):
        raise AssertionError

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    rebuild.__name__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    out = io.BytesIO()
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        for head in (torch_file.MAGIC, 1001, {"little_endian": True}):
            pickle.dump(head, out, 2)
        made = collections.OrderedDict()
        for key, (name, array) in enumerate(arrays.items()):
            steps = tuple(step // 4 for step in array.strides)
            storage = Storage(str(key), array.size)
            made[name] = Tensor(storage, 0, array.shape, steps, False, collections.OrderedDict())
        Pickler(out, 2).dump(made)
        pickle.dump([str(key) for key in range(len(arrays))], out, 2)
    for array in arrays.values():
        out.write(struct.pack("<q", array.size) + array.tobytes("A"))
    return out.getvalue()


class TorchFile(unittest.TestCase):
    def read(self, data):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "net.pth")
            path.write_bytes(data)
            return torch_file.read(path)

    def test_arrays_come_back(self):
        a = np.arange(12, dtype=np.float32).reshape(3, 4)
        for name, array in (("plain", a), ("turned", a.T)):
            np.testing.assert_array_equal(self.read(legacy_file({name: array}))[name], array)

    def test_it_runs_nothing_that_a_file_asks_for(self):
        class Evil:
            def __reduce__(self):
                return os.system, ("false",)

        with self.assertRaisesRegex(pickle.UnpicklingError, "system is not known"):
            self.read(pickle.dumps(Evil(), 2))
        with self.assertRaisesRegex(pickle.UnpicklingError, "no file of that form"):
            self.read(b"".join(pickle.dumps(n, 2) for n in (1, 2, 3)))


def start(path, threads):
    """A contender of the race below."""
    return compare.start(compare.STOCK, path, threads)


class Race(unittest.TestCase):
    def test_rows_of_a_small_network(self):
        network = types.SimpleNamespace(
            model=lambda: (fixed.fix(old_model(), {"x": (1, 3, 4, 5)}), "x"),
            input=lambda index: np.full((1, 3, 4, 5), index, np.float32),
            note="small",
            task=lambda index, y: (float(y.max() > 3.1 * index), 1),
        )
        contenders = {
            "ort float": (start, "float", False),
            engines.OURS: (start, "other", True),
            "ort int8": (start, "ort", True),
        }

        calls = []

        def twice(source, name, arrays, out, seconds):
            calls.append(len(arrays))
            made = onnx.load(source)
            made.graph.initializer[0].CopyFrom(
                numpy_helper.from_array(np.full((2, 3, 1, 1), 1.1, "f4"), "w")
            )
            onnx.save(made, out)

        def fails(*_):
            raise RuntimeError("no\nway")

        options = race.parse(["--threads", "1", "--rounds", "3", "--loads", "1", "--inputs", "2"])
        options.contenders = list(contenders)
        made_by = {"other": (twice, "other.onnx"), "ort": (fails, "ort.onnx")}
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.object(engines, "CONTENDERS", contenders),
            mock.patch.object(quantizers, "QUANTIZERS", made_by),
        ):
            files, failed, name = quantizers.files(folder, "net", network, 1, lambda _: None)
            version = dict(onnxruntime="1", quernel="2")
            rows = race.Race(options, "net", network, 1).run(files, failed, name, version)
            again = quantizers.files(folder, "net", network, 1, lambda _: None)[0]
        self.assertEqual((again, set(files)), (files, {"float", "other"}))
        self.assertEqual(calls, [quantizers.CALIBRATION])
        found = {row["contender"]: row for row in rows}
        self.assertEqual(found["ort int8"]["reason"], "RuntimeError: no way")
        ours = found[engines.OURS]
        self.assertEqual((ours["ratio"], ours["lo"], ours["version"]), (1, 1, "2"))
        self.assertAlmostEqual(ours["sqnr_db"], 20.0, places=3)  # a tenth too large
        self.assertIsNone(found["ort float"]["sqnr_db"])
        self.assertEqual((ours["task"], found["ort float"]["task"]), (1.0, 0.0))
        self.assertTrue(0 < ours["memory_mb"] < 4096 and ours["ms"] > 0 and ours["load_ms"] > 0)


class Tables(unittest.TestCase):
    def rows(self):
        for network, theirs, ours in (("a", 2.0, 1.0), ("b", 1.0, 2.0), ("c", 3.0, 3.0)):
            for name, ms in (("ort int8", theirs), ("openvino int8", 9.0), (engines.OURS, ours)):
                figures = dict(ms=ms, ratio=ms / ours, lo=ms / ours - 0.1, hi=ms / ours + 0.1)
                yield report.row(
                    network, 1, name, **figures, sqnr_db=ms, layers_ms=ours / 2, status="ok"
                )
            same = dict(ms=ours / 2, ratio=0.5, lo=0.4, hi=0.6, status="ok")
            yield report.row(network, 1, engines.OURS_ON_ORT, **same)
        yield report.row("d", 1, "ort int8", status="skipped", reason="no way")

    def test_losses_come_first(self):
        lines = report.table(list(self.rows())).splitlines()
        self.assertEqual([line[0] for line in lines[1:4]], ["b", "c", "a"])
        self.assertRegex(lines[1], r"0\.50 +\[0\.40, 0\.60\] LOSS +\+1\.0 dB  2\.00 of its layers")
        self.assertRegex(lines[2], r"1\.00 +\[0\.90, 1\.10\] tie ")
        self.assertRegex(lines[3], r"2\.00 +\[1\.90, 2\.10\]  ")
        self.assertIn("geometric mean, threads 1: 1.00", lines[4])
        self.assertIn("on the same file: 2.00", lines[5])
        self.assertIn("skipped: no way", lines[-1])


if __name__ == "__main__":
    sys.exit(front.main(__name__))

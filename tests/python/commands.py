#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`python -m quernel run` and `shapes`: results, and bad input in one line. The plugin is stood in
for; pipes and help are those of a process.

PYTHONPATH holds python/ and the repository's root; QUERNEL_LIBRARY names the library. Closes with N
passed, N failed, N skipped."""

import csv
import io
import json
import pathlib
import subprocess
import sys
import unittest

import front
import numpy as np

try:
    from commands_front import WithFolder, command, save
    from onnx import TensorProto, helper, numpy_helper
    from PIL import Image
    from sessions import model
except ImportError as problem:
    print(f"skipped: python -m quernel: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

N = helper.make_node


class Run(WithFolder):
    def setUp(self):
        super().setUp()
        self.model = save(model(("n", 3, 8, 6)), self.folder / "m.onnx")
        self.x = np.random.default_rng(1).normal(size=(4, 3, 8, 6)).astype(np.float32)
        self.data = self.folder / "x.npz"
        np.savez(self.data, x=self.x)

    def test_it_tells_what_was_made(self):
        out = self.folder / "y.npz"
        code, said, errors = command(
            "run", self.model, "--data", self.data, "--out", out, "--threads", 2
        )
        self.assertEqual(code, 0, errors)
        self.assertIn("y: 4x7 float32\n", said)
        self.assertIn("92.9 % of the multiply-adds", said)
        self.assertIn("100 %, about 0 s left: batches run\n", errors)
        self.assertTrue(said.endswith(f"{out}\n"))
        np.testing.assert_allclose(np.load(out)["y"], self.session(self.x), rtol=1e-5)

    def session(self, x):
        import onnxruntime

        made = onnxruntime.InferenceSession(self.model, providers=["CPUExecutionProvider"])
        return made.run(None, {"x": x})[0]

    def test_a_report_is_json(self):
        code, said, _ = command("run", self.model, "--data", self.data, "--json", "-")
        report = json.loads(said)
        self.assertEqual((code, report["schema"], report["runs"]), (0, "quernel-run-1", 4))
        self.assertEqual(report["outputs"], {"y": {"shape": [4, 7], "type": "float32"}})
        self.assertAlmostEqual(report["coverage"]["share"], 0.929, places=3)

    def test_noise_where_there_is_no_data(self):
        code, said, _ = command("run", self.model, "--shape", "x=2x3x8x6")
        self.assertEqual(code, 0)
        self.assertIn("y: 2x7 float32\n", said)

    def test_files_of_all_kinds_are_the_same(self):
        wanted, folder = self.session(self.x), self.folder / "many"
        folder.mkdir()
        for at, x in enumerate(self.x):
            np.save(folder / f"{at}.npy", x[None].astype(np.float64))
        np.save(self.folder / "x.npy", self.x)
        np.savez(self.folder / "batches.npz", x=self.x[:, None])
        for data in (folder, self.folder / "x.npy", self.folder / "batches.npz"):
            out = self.folder / "y.npz"
            self.assertEqual(command("run", self.model, "--data", data, "--out", out)[0], 0)
            np.testing.assert_allclose(np.load(out)["y"], wanted, rtol=1e-5)

    def test_pictures_are_scaled_and_turned(self):
        folder, out = self.folder / "pictures", self.folder / "y.npz"
        folder.mkdir()
        pixels = np.random.default_rng(2).integers(0, 256, (8, 6, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "a.png")
        given = ["--mean", "0.5,0.25,0", "--std", "2", "--layout", "nchw", "--colours", "bgr"]
        common = ["run", self.model, "--data", folder, "--shape", "x=1x3x8x6", "--out", out]
        self.assertEqual(command(*common, *given)[0], 0)
        x = (pixels[..., ::-1].astype(np.float32) / 255 - np.array([0.5, 0.25, 0], np.float32)) / 2
        np.testing.assert_allclose(
            np.load(out)["y"], self.session(x.transpose(2, 0, 1)[None]), rtol=1e-4, atol=1e-5
        )
        for missing in ("--mean", "--std", "--layout"):
            at = given.index(missing)
            code, _, errors = command(*common, *given[:at], *given[at + 2 :])
            self.assertEqual(
                (code, errors), (2, f"quernel: run: {missing}: is missing: pictures need it\n")
            )
        (folder / "a.png").write_bytes(b"no picture")
        self.refused(common + given, "--data: .*a.png: cannot be read")

    def refused(self, arguments, text, code=2):
        made, said, errors = command(*arguments)
        self.assertEqual((made, said), (code, ""), errors)
        self.assertRegex(errors, rf"^quernel: run: {text}[^\n]*\n\Z")

    def test_bad_input_is_one_line(self):
        run, data = ["run", self.model], self.folder / "bad.npz"
        self.refused(["run", "nowhere.onnx"], "model: nowhere.onnx: is no file")
        (self.folder / "broken.onnx").write_bytes(pathlib.Path(self.model).read_bytes()[:100])
        self.refused(["run", self.folder / "broken.onnx"], "model: ONNX Runtime: ")
        self.refused([*run, "--data", "nowhere"], "--data: nowhere: must be a folder, or")
        self.refused(run, "shape: x: the model leaves it open")
        self.refused([*run, "--shape", "x=3"], "shape: x: 3: does not fit")
        self.refused([*run, "--shape", "x"], "--shape: x: must be as name=1x3")
        self.refused([*run, "--threads", "0"], "--threads: 0: must be a number of 1 or more")
        self.assertEqual(
            command(*run, "--unknown"), (2, "", "quernel: unrecognized arguments: --unknown\n")
        )
        (self.folder / "empty").mkdir()
        self.refused([*run, "--data", self.folder / "empty"], "--data: .*: holds neither")
        data.write_bytes(b"PK")
        self.refused([*run, "--data", data], "--data: .*bad.npz: cannot be read")
        for arrays, text in (
            ({}, "x: is missing"),
            ({"x": self.x, "z": self.x}, "z: is no input of the model"),
            ({"x": self.x[:0]}, "x: 0 items: must be some"),
            ({"x": self.x[:, :2]}, "x: 1x2x8x6: must be nx3x8x6"),
            ({"x": self.x[0, 0]}, "x: 8x6: must be nx3x8x6"),
            ({"x": self.x.astype(complex)}, "x: complex128: must be float32"),
            ({"x": np.full_like(self.x, np.nan)}, r"x\[0, 0, 0, 0\]: nan: must be finite"),
            ({"x": np.array([None])}, "cannot be read: Object arrays"),
        ):
            np.savez(data, **arrays)
            with self.subTest(text):
                self.refused([*run, "--data", data], f"--data: .*bad.npz: {text}")

    def test_what_cannot_be_written_is_wrong(self):
        self.refused(
            ["run", self.model, "--data", self.data, "--out", self.folder / "no" / "y.npz"],
            "--out: .*: no file can be written there",
        )
        if pathlib.Path("/dev/full").exists():
            with open("/dev/full", "w") as full:
                done = subprocess.run(
                    [sys.executable, "-m", "quernel", "--version"],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    check=False,
                )
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)

    def test_a_missing_package_is_named(self):
        code, _, errors = command("run", self.model, host=None)
        self.assertEqual(code, 3)
        self.assertRegex(errors, r"^quernel: run: .*missing packages: onnxruntime>=1.23.1\n\Z")


class Shapes(WithFolder):
    def rows(self, nodes, arrays, size, *arguments):
        graph = helper.make_graph(
            nodes,
            "made",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, size)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.ones(s, np.float32), n) for n, s in arrays.items()],
        )
        opset = [helper.make_opsetid("", 17)]
        path = save(
            helper.make_model(graph, opset_imports=opset, ir_version=9), self.folder / "net.onnx"
        )
        code, said, errors = command("shapes", path, *arguments)
        self.assertEqual(code, 0, errors)
        return list(csv.DictReader(io.StringIO(said))), errors

    def row(self, node, arrays, size, *after):
        rows, _ = self.rows([node, *after], arrays, size)
        self.assertEqual(len(rows), 1)
        return rows[0]

    def check(self, row, **wanted):
        self.assertEqual(
            {name: row[name] for name in wanted}, {k: str(v) for k, v in wanted.items()}
        )

    def test_windows(self):
        node = N("Conv", ["x", "w"], ["y"], "a,b", pads=[1, 2, 1, 2], strides=[2, 1])
        row = self.row(node, {"w": (5, 4, 3, 5)}, (2, 4, 9, 8))
        self.check(row, model="net", layer="a_b", op="conv", c_in=4, h=9, w=8, c_out=5, kernel=3)
        self.check(row, kernel_w=5, stride=2, stride_w=1, pad=1, pad_w=2, batch=2, repeat=1)
        self.check(row, gemm_m=2 * 5 * 8, gemm_n=5, gemm_k=60, mmac_each="0.0", activation="none")
        node = N("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER", strides=[2, 2], group=4)
        row = self.row(node, {"w": (4, 1, 3, 3)}, (1, 4, 8, 7))
        self.check(row, op="depthwise", groups=4, pad=1, pad_w=1, layer="y")
        node = N("Conv", ["x", "w"], ["y"], "\u00e9" * 200 + "end")
        row = self.row(node, {"w": (4, 4, 1, 1)}, (1, 4, 8, 7))
        self.check(row, layer="_" * 108 + "end")  # as much as the lists take
        node = N("Conv", ["x", "w"], ["1"], dilations=[2, 2], group=2)
        row = self.row(node, {"w": (6, 2, 3, 3)}, (1, 4, 9, 9), N("Relu", ["1"], ["y"]))
        self.check(row, op="conv", groups=2, dilation=2, activation="relu", gemm_n=3, gemm_k=18)
        node = N(
            "ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], output_padding=[1, 1], pads=[1] * 4
        )
        row = self.row(node, {"w": (4, 3, 3, 3)}, (1, 4, 5, 5))
        self.check(
            row, op="deconv", c_in=4, c_out=3, stride=2, pad=1, out_pad=1, gemm_n=27, gemm_k=4
        )

    def test_activations(self):
        for nodes, word in (
            ([N("LeakyRelu", ["1"], ["y"])], "leaky"),
            ([N("Clip", ["1"], ["y"])], "relu6"),
            ([N("Sigmoid", ["1"], ["2"]), N("Mul", ["1", "2"], ["y"])], "silu"),
            ([N("HardSigmoid", ["1"], ["2"]), N("Mul", ["1", "2"], ["y"])], "hswish"),
            ([N("Sigmoid", ["1"], ["y"])], "none"),
        ):
            node = N("Conv", ["x", "w"], ["1"])
            self.check(self.row(node, {"w": (4, 4, 1, 1)}, (1, 4, 5, 5), *nodes), activation=word)

    def test_equal_layers_are_one_row(self):
        nodes = [N("Conv", ["x", "w"], ["1"]), N("Conv", ["1", "w"], ["y"])]
        rows, _ = self.rows(nodes, {"w": (4, 4, 1, 1)}, (1, 4, 5, 5))
        self.assertEqual([row["repeat"] for row in rows], ["2"])

    def test_products_and_what_is_left_out(self):
        nodes = [
            N("Gemm", ["x", "w"], ["1"], "g", transB=1),
            N("MatMul", ["1", "1"], ["y"], "square"),
        ]
        rows, errors = self.rows(nodes, {"w": (6, 8)}, (6, 8), "--gemm")
        self.assertEqual(
            rows[0], {"kind": "onnx", "m": "6", "n": "6", "k": "8", "layer": "g", "repeat": "1"}
        )
        rows, errors = self.rows(nodes, {"w": (6, 8)}, (6, 8))
        self.assertEqual((rows, errors), ([], "2 products: with --gemm\n"))
        line = N("Conv", ["x", "w"], ["y"], "line")
        rows, errors = self.rows([line], {"w": (4, 4, 3)}, (1, 4, 9))
        self.assertEqual((rows, errors[:28]), ([], "left out: line (Conv): 1 dim"))


class Help(unittest.TestCase):
    def test_every_command_has_one(self):
        for name in ("quantize", "run", "compare", "shapes"):
            code, said, _ = command(name, "--help")
            self.assertEqual(code, 0)
            self.assertIn("example", said, name)

    def test_usage(self):
        for arguments, text in (
            ([], r"quernel: command: is missing: must be among quantize, run, compare, shapes\n"),
            (["fly"], r"quernel: COMMAND: invalid choice: 'fly'.*\n"),
            (["shapes"], r"quernel: shapes: the following arguments are required: model\n"),
        ):
            code, said, errors = command(*arguments)
            self.assertEqual((code, said), (2, ""))
            self.assertRegex(errors, rf"^{text}\Z")


if __name__ == "__main__":
    sys.exit(front.main(__name__))

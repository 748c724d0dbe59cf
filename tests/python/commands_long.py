#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`python -m quernel compare` and `quantize`: what they tell, and bad input in one line. The
contenders are ONNX Runtime's sessions in processes of their own; one of them stands for Quernel.

PYTHONPATH holds python/ and the repository's root; QUERNEL_LIBRARY names the library. Closes with N
passed, N failed, N skipped."""

import argparse
import io
import json
import sys
import unittest
from unittest import mock

import front
import numpy as np

try:
    import onnxruntime
    from commands_front import WithFolder, command, save
    from onnx import numpy_helper
    from quernel import ort
    from quernel.cli import compare, options, progress, rounds
    from sessions import model
except ImportError as problem:
    print(f"skipped: python -m quernel: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def stand_in(kind, path, threads, isa):
    """Instead of compare.start: what stands for Quernel may be wrong, as its isa says."""
    if isa == "dies" and kind == compare.QUERNEL:
        raise ValueError("weights: cannot be packed")
    session = ort.stock(path, threads)
    names = [one.name for one in session.get_outputs()]
    wrong = {"wrong": lambda y: y + 9, "broken": lambda y: y * np.nan, "short": lambda y: y[:, 1:]}
    change = wrong.get(isa, lambda y: y) if kind == compare.QUERNEL else lambda y: y
    return lambda: (lambda feed: [change(y) for y in session.run(names, feed)], names)


def blurred(made, step):
    """Its weights rounded."""
    for tensor in made.graph.initializer:
        w = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.float32(np.round(w / step) * step), tensor.name))
    return made


class Compare(WithFolder):
    def setUp(self):
        super().setUp()
        patch = mock.patch.object(compare, "start", stand_in)
        patch.start()
        self.addCleanup(patch.stop)
        self.float = save(model(), self.folder / "float.onnx")
        self.int8 = save(blurred(model(), 1 / 16), self.folder / "int8.onnx")

    def compared(self, *more):
        return command("compare", self.int8, "--rounds", "3", *more, host=onnxruntime)

    def test_a_report_by_hand(self):
        x = np.random.default_rng(5).normal(size=(2, 3, 8, 6)).astype(np.float32)
        np.savez(self.folder / "x.npz", x=x)
        code, said, errors = self.compared(
            "--float", self.float, "--data", self.folder / "x.npz", "--json", "-"
        )
        self.assertEqual(code, 0, errors)
        report = json.loads(said)
        wanted, made = (
            [ort.stock(path).run(None, {"x": one[None]})[0] for one in x]
            for path in (self.float, self.int8)
        )
        far = [10 * np.log10(np.sum(w**2) / np.sum((w - m) ** 2)) for w, m in zip(wanted, made)]
        lines = {line["name"]: line for line in report["contenders"]}
        self.assertEqual(set(lines), {"Quernel", "ONNX Runtime", "float"})
        for name in ("Quernel", "ONNX Runtime"):
            np.testing.assert_allclose(lines[name]["sqnr"]["y"], far, rtol=1e-4)
        self.assertEqual((lines["float"]["sqnr"], report["reference"]), ({}, "float"))
        self.assertEqual(lines["Quernel"]["times"], [1, 1, 1])
        self.assertTrue(all(ms > 0 for line in lines.values() for ms in line["ms"]))

    def test_a_table(self):
        code, said, errors = self.compared()
        self.assertEqual(code, 0, errors)
        self.assertRegex(said, r"(?m)^ONNX Runtime +reference +[0-9.]+ +\[")
        self.assertRegex(said, r"(?m)^Quernel +inf +inf +[0-9.]+ +\[")
        self.assertIn("100 %, about 0 s left: rounds timed\n", errors)

    def test_wrong_results_are_told(self):
        for isa, more, text in (
            ("wrong", ("--float", self.float), r"output y: -?[0-9.]+ dB, where ONNX Runtime has"),
            ("broken", (), "output y: is of another shape, or not finite"),
            ("short", (), "output y: is of another shape, or not finite"),
        ):
            code, said, errors = self.compared("--isa", isa, *more)
            self.assertEqual(code, 1, errors)
            self.assertRegex(errors.splitlines()[-1], rf"^quernel: compare: {text}")
            self.assertIn("SQNR", said)

    def refused(self, text, *more):
        code, said, errors = self.compared(*more)
        self.assertEqual((code, said), (2, ""), errors)
        self.assertRegex(errors.splitlines()[-1], rf"^quernel: compare: {text}")

    def test_bad_input_is_one_line(self):
        other = model()
        other.graph.node[-1].output[0] = other.graph.output[0].name = "z"
        other = save(other, self.folder / "other.onnx")
        self.refused("--float: nowhere: is no file", "--float", "nowhere")
        self.refused("--float: .*other.onnx: its outputs are z", "--float", other)
        self.refused("Quernel: weights: cannot be packed", "--isa", "dies")
        self.refused("--rounds: 0: must be a number", "--rounds", "0")
        self.refused("--json: .*: no file can be", "--json", self.folder / "no" / "r.json")
        (self.folder / "other.onnx").write_bytes(b"no model")
        self.refused("float: model: ONNX Runtime: ", "--float", other)


class Figures(unittest.TestCase):
    def test_interval_and_sqnr(self):
        self.assertEqual(rounds.interval(np.arange(1.0, 32.0)), (16.0, 11.0, 22.0))
        one = np.ones((2, 2), np.float32)
        self.assertAlmostEqual(rounds.sqnr(one, one * 1.1), 20.0, places=4)
        self.assertEqual(rounds.sqnr(one, one), np.inf)
        self.assertTrue(np.isnan(rounds.sqnr(one, one[:1])))
        self.assertTrue(np.isnan(rounds.sqnr(one, one * np.inf)))

    def test_seconds(self):
        self.assertEqual(
            [options.seconds(t) for t in ("60", "1.5s", "2m", "1h")], [60, 1.5, 120, 3600]
        )
        for wrong in ("", "s", "0", "-1s", "nan", "inf", "1d"):
            with self.assertRaises(argparse.ArgumentTypeError, msg=wrong):
                options.seconds(wrong)


class Quantize(WithFolder):
    """What reaches quernel.onnx.quantize and what becomes of its report."""

    def setUp(self):
        super().setUp()
        self.model = save(model(), self.folder / "float.onnx")
        self.data = self.folder / "x.npz"
        np.savez(self.data, x=np.ones((3, 3, 8, 6)))
        self.asked = []

    def quantized(self, *more, out="int8.onnx", fails=None):
        def stand_in(path, batches, out, **given):
            self.asked.append((path, batches, out, given))
            given["progress"](0.5, 9.0, "tried")
            given["progress"](1.0, 0.0, "written")
            if fails:
                raise fails
            return mock.Mock(as_dict=lambda: {"rows": 1}, __str__=lambda _: "the report")

        with mock.patch("quernel.onnx.quantize", stand_in, create=True):
            return command(
                "quantize", self.model, "--out", self.folder / out, *more, host=onnxruntime
            )

    def test_what_it_hands_on(self):
        code, said, errors = self.quantized("--data", self.data, "--threads", "2", "--budget", "1m")
        self.assertEqual((code, said), (0, f"the report\n{self.folder / 'int8.onnx'}\n"), errors)
        self.assertEqual(errors, "100 %, about 0 s left: written\n")
        ((path, batches, out, given),) = self.asked
        self.assertEqual((path, out), (self.model, str(self.folder / "int8.onnx")))
        self.assertEqual(
            [(b["x"].shape, b["x"].dtype) for b in batches], [((1, 3, 8, 6), "f4")] * 3
        )
        self.assertEqual((given["threads"], given["seconds"]), (2, 60))
        report = self.folder / "r.json"
        self.quantized("--data", self.data, "--json", report)
        self.assertEqual(
            json.loads(report.read_text()), {"schema": "quernel-quantize-1", "rows": 1}
        )
        self.assertNotIn("seconds", self.asked[-1][3])

    def test_bad_input_is_one_line(self):
        for more, out, text in (
            ((), "o.onnx", "the following arguments are required: --data"),
            (("--data", "nowhere"), "o.onnx", "--data: nowhere: must be a folder"),
            (("--data", self.data), "float.onnx", "--out: .*: is the model itself"),
            (("--data", self.data), "no/o.onnx", "--out: .*: no file can be written there"),
            (("--data", self.data, "--budget", "soon"), "o.onnx", "--budget: soon: must be as 60s"),
        ):
            code, said, errors = self.quantized(*more, out=out)
            self.assertEqual((code, said), (2, ""), errors)
            self.assertRegex(errors, rf"^quernel: quantize: {text}[^\n]*\n\Z")
        code, _, errors = self.quantized("--data", self.data, fails=ValueError("batch 1: no"))
        self.assertEqual((code, errors.splitlines()[-1]), (2, "quernel: quantize: batch 1: no"))
        code, _, errors = self.quantized("--data", self.data, fails=KeyboardInterrupt())
        self.assertEqual((code, errors.splitlines()[-1]), (130, "quernel: quantize: interrupted"))

    def test_progress_on_a_terminal_stays_on_its_line(self):
        terminal = Terminal()
        with mock.patch("time.monotonic", iter([0.0, 10.0, 10.5, 20.0, 40.0, 50.0, 50.0]).__next__):
            told = progress.Progress(terminal)
            for share, left in ((0.25, 30), (0.3, 20), (1.0, 0)):
                told(share, left, "tried")
            again = progress.Progress(terminal)
            again.step(1, 4, "tried")
        lines = terminal.getvalue().split("\r\x1b[K")
        self.assertEqual(
            lines,
            [
                "",
                " 25 %, about 30 s left: tried",
                "100 %, about 0 s left: tried\n",
                " 25 %, about 30 s left: tried",
            ],
        )


if __name__ == "__main__":
    sys.exit(front.main(__name__))

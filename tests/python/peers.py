#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison with other libraries, as far as it needs none of them: its rows, its figures,
Quernel's own side.

PYTHONPATH holds python/ and the repository's root; QUERNEL_LIBRARY names the library. Closes with N
passed, N failed, N skipped."""

import pathlib
import sys
import unittest

import numpy as np

from bench import rows as lists
from bench.peers import problems, quernel_peer, report

SHAPES = pathlib.Path(__file__).resolve().parents[2] / "bench" / "shapes"
SMALL = (
    problems.Layer(
        "conv",
        8,
        16,
        9,
        11,
        kernel=3,
        kernel_w=3,
        stride=2,
        stride_w=2,
        pad=1,
        pad_w=1,
        activation="relu",
    ),
    problems.Layer(
        "depthwise", 8, 8, 6, 5, kernel=3, kernel_w=3, pad=1, pad_w=1, groups=8, activation="relu6"
    ),
    problems.Layer("deconv", 8, 6, 5, 4, kernel=2, kernel_w=2, stride=2, stride_w=2),
    problems.Layer("gemm", 40, 24, 7),
)


def run(problem):
    make = (
        quernel_peer.make_network
        if isinstance(problem, problems.NetworkProblem)
        else quernel_peer.make
    )
    work, read, _ = make(problem)
    work()
    return read()


def exact(problem):
    """The layer in NumPy, [n, c, h, w] in real numbers, before any output is quantized."""
    layer, (n, x) = problem.layer, problem.draw()
    if problem.boundary == problems.INT8:
        x = x.astype(np.float64) * n.x_scale
        x = x if layer.op == "gemm" else x.transpose(0, 3, 1, 2)
    if layer.op == "gemm":
        return x @ (n.weights.T * n.w_scale.astype(np.float64)) + n.bias
    if layer.op == "deconv":
        w = n.weights * n.w_scale.astype(np.float64)[:, None, None]
        y = np.einsum("nchw,cors->nohrws", x, w).reshape(1, layer.c_out, *layer.size)
    else:
        w = n.weights * n.w_scale.astype(np.float64)[:, None, None, None]
        padded = np.pad(x, ((0, 0), (0, 0), (layer.pad,) * 2, (layer.pad_w,) * 2))
        windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], (2, 3))
        windows = windows[:, :, :: layer.stride, :: layer.stride_w]
        each = "nchwrs,cprs->nchw" if layer.op == "depthwise" else "nchwrs,ocrs->nohw"
        y = np.einsum(each, windows, w)
    y = y + n.bias[:, None, None]
    return {"none": y, "relu": np.maximum(y, 0), "relu6": np.clip(y, 0, 6)}[layer.activation]


class Peers(unittest.TestCase):
    def test_rows_have_the_products_that_the_lists_say(self):
        for given in lists.read_rows(SHAPES / "layers.csv"):
            layer = problems.layer_of(given)
            self.assertEqual(f"{layer.macs / 1e6:.1f}", given["mmac_each"], given["layer"])
        for given in lists.read_rows(SHAPES / "gemm.csv"):
            self.assertEqual(
                problems.layer_of(given).macs, int(given["m"]) * int(given["n"]) * int(given["k"])
            )

    def test_rows_have_as_many_fields_as_the_header(self):
        for text, line in (("m,n\n1,2\n3\n", 3), ("m,n\n1,2,3\n", 2)):
            with self.assertRaisesRegex(ValueError, f"line {line}: must have 2 fields"):
                lists.rows_of(text)

    def test_networks_hang_together(self):
        rows = lists.read_rows(SHAPES / "networks.csv")
        for model in ("pointpillars", "centerpoint"):
            network = problems.network_of(rows, model)
            for layer, source, _ in network[1:]:
                before = network[source][0]
                self.assertEqual(
                    (layer.c_in, layer.h, layer.w), (before.c_out, *before.size), model
                )
            written = sorted(
                (start, layer.c_out) for layer, _, start in network if start is not None
            )
            self.assertEqual(
                [start for start, _ in written], list(np.cumsum([0] + [c for _, c in written[:-1]]))
            )

    def test_quernel_s_side_computes_the_layer(self):
        for layer in SMALL:
            for boundary in (problems.INT8, problems.F32):
                problem = problems.Problem(layer, boundary)
                wanted, y = exact(problem), run(problem)
                if boundary == problems.INT8:
                    n = problem.draw()[0]
                    wanted = np.clip(np.rint(wanted / n.y_scale) + n.y_zero, 0, 255)
                    wanted = wanted if layer.op == "gemm" else wanted.transpose(0, 2, 3, 1)
                self.assertEqual(
                    problem.wrong(wanted, y, steps=0.01 if boundary == problems.F32 else 1),
                    0.0,
                    layer,
                )
                self.assertGreater(
                    problem.wrong(
                        wanted + 40 * (1 if boundary == problems.INT8 else layer.y_scale), y
                    ),
                    0.9,
                )

    def test_a_network_is_its_layers(self):
        first = problems.Layer(
            "conv", 4, 8, 8, 6, kernel=3, kernel_w=3, pad=1, pad_w=1, activation="relu"
        )
        up = problems.Layer("deconv", 8, 5, 8, 6, activation="relu")
        rows = ((first, -1, None), (up, 0, 0), (up, 0, 5))
        codes, floats = (
            run(problems.NetworkProblem(rows, b)) for b in (problems.INT8, problems.F32)
        )
        scale = problems.NetworkProblem(rows).draw()[0][-1].y_scale
        self.assertEqual(codes.shape, (1, 8, 6, 10))
        near = np.clip(np.rint(floats.transpose(0, 2, 3, 1) / scale), 0, 255)
        self.assertLessEqual(np.abs(near - codes.astype(np.float32)).max(), 1)
        self.assertGreater(len(np.unique(codes)), 20)

    def test_figures(self):
        middle, lo, hi = report.median(np.arange(1.0, 32.0))
        self.assertEqual((middle, lo, hi), (16.0, 11.0, 22.0))
        common = dict(
            isa="avx2",
            boundary="int8",
            peer="x",
            status="ok",
            peer_exact=False,
            peer_wrong_share=0.25,
            quernel_ms=2.0,
            peer_ms=1.0,
            ratio=0.5,
            lo=0.4,
            hi=0.6,
        )
        text = report.line(report.row({"kind": "llm", "m": "1", "n": "2", "k": "3"}, **common))
        self.assertIn("LOSS", text)
        self.assertIn("wrong in 25 %", text)
        self.assertIn(
            "no kernel",
            report.line(
                report.row(
                    {"m": "1", "n": "2", "k": "3", "kind": "a"},
                    **dict(common, status="skipped", reason="no kernel"),
                )
            ),
        )


def main():
    result = unittest.TextTestRunner(sys.stderr, verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Peers)
    )
    failed = len(result.failures) + len(result.errors)
    print(
        f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, "
        f"{len(result.skipped)} skipped"
    )
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())

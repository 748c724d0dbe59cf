#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quernel.torch: modules in the place of PyTorch's, and quantize() on whole models."""

import copy
import dataclasses
import io
import sys
import threading
import types
import unittest
from typing import Any
from unittest import mock

import front
import numpy as np

try:
    import quernel.torch as qt
    import torch
    from torch import nn
except ImportError as problem:
    print(f"skipped: quernel.torch: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from quernel import calibrate
from quernel.layer import Coding

torch.manual_seed(5)


class Backbone(nn.Module):
    """The structure of a detector's backbone_2d: blocks that begin with padding and a stride, and a
    way up from each."""

    def __init__(self, width=8):
        super().__init__()

        def unit(inputs, stride):
            return [
                nn.Conv2d(inputs, width, 3, stride, 1 - (stride > 1), bias=False),
                nn.BatchNorm2d(width, eps=1e-3),
                nn.ReLU(),
            ]

        self.blocks = nn.ModuleList(
            [
                nn.Sequential(nn.ZeroPad2d(1), *unit(4, 2), *unit(width, 1)),
                nn.Sequential(nn.ZeroPad2d(1), *unit(width, 2), *unit(width, 1)),
            ]
        )
        self.deblocks = nn.ModuleList(
            [
                nn.Sequential(
                    nn.ConvTranspose2d(width, 6, s, s, bias=False),
                    nn.BatchNorm2d(6, eps=1e-3),
                    nn.ReLU(),
                )
                for s in (1, 2)
            ]
        )

    def forward(self, x):
        ups = []
        for block, deblock in zip(self.blocks, self.deblocks):
            x = block(x)
            ups.append(deblock(x))
        return torch.cat(ups, 1)


class Detector(nn.Module):
    """A backbone whose part takes and returns a dictionary, and a head; torch.fx cannot trace it as
    a whole."""

    def __init__(self):
        super().__init__()
        self.backbone_2d, self.head = Backbone(), nn.Conv2d(12, 3, 1)

    def forward(self, data):
        data["map"] = self.head(self.backbone_2d(data["points"]))
        return data


def with_norm_statistics(model):
    """Running statistics and factors as training leaves them."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.5, 1.5)
            for tensor in (module.running_mean, module.bias.data):
                tensor.uniform_(-0.3, 0.3)
    return model.eval()


def batches(count=4):
    return [torch.rand(2, 4, 16, 12) for _ in range(count)]


def relative(a, b):
    return float((a - b).norm() / b.norm())


class Modules(unittest.TestCase):
    PAIRS = (
        (nn.Conv2d(4, 6, 3, 2, 1), qt.QuantConv2d, (2, 4, 9, 8)),
        (nn.Conv2d(4, 6, (3, 2), padding="same", dilation=2), qt.QuantConv2d, (2, 4, 9, 8)),
        (nn.Conv2d(4, 8, 3, groups=4), qt.QuantConv2d, (2, 4, 9, 8)),
        (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1), qt.QuantConvTranspose2d, (2, 4, 9, 8)),
        (nn.Linear(16, 5), qt.QuantLinear, (2, 3, 16)),
    )

    def test_they_follow_the_float_modules(self):
        for module, kind, shape in self.PAIRS:
            with self.subTest(module):
                x = torch.rand(shape)
                self.assertLess(relative(kind(module)(x), module(x)), 0.02)

    def test_odd_strides(self):
        module = nn.Conv2d(4, 6, 3, padding=1)
        quantized, x = qt.QuantConv2d(module, Coding(1 / 255)), torch.rand(3, 8, 9, 10)
        for view in (
            x[:, 2:6],
            x[:, ::2],
            x[1:, :4, 1:, 2:],
            x[:, :4].to(memory_format=torch.channels_last),
            x[:, :4].transpose(2, 3),
            x[:1, :4].expand(3, 4, 9, 10),
        ):
            with self.subTest(view.stride()):
                self.assertTrue(torch.equal(quantized(view), quantized(view.contiguous())))
        self.assertTrue(
            quantized(x[:, :4].to(memory_format=torch.channels_last)).is_contiguous(
                memory_format=torch.channels_last
            )
        )

    def test_state_copies_and_files(self):
        rounded = dataclasses.replace(
            qt.layer(nn.Conv2d(4, 6, 3)), scale=np.full(6, 0.01, np.float32)
        )
        x, quantized = (
            torch.rand(1, 4, 6, 6),
            qt.QuantConv2d(rounded, Coding(1 / 255, smooth=np.array([1, 2, 1, 0.5], np.float32))),
        )
        wanted, file = quantized(x), io.BytesIO()
        torch.save(quantized, file)
        file.seek(0)
        other = qt.QuantConv2d(nn.Conv2d(4, 6, 3))
        other.load_state_dict(quantized.state_dict())
        for made in (copy.deepcopy(quantized), torch.load(file, weights_only=False), other):
            self.assertTrue(torch.equal(made(x), wanted))

    def test_threads_share_a_module(self):
        quantized, x = (
            qt.QuantConv2d(nn.Conv2d(4, 6, 3), Coding(1 / 255)),
            [torch.rand(1, 4, 30, 20 + i) for i in range(6)],
        )
        wanted = [quantized(t) for t in x]
        made: list[Any] = [None] * len(x)

        def run(i):
            for _ in range(20):
                made[i] = quantized(x[i])

        threads = [threading.Thread(target=run, args=(i,)) for i in range(len(x))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(all(torch.equal(a, b) for a, b in zip(made, wanted)))

    def test_bad_input_is_named(self):
        quantized = qt.QuantConv2d(nn.Conv2d(4, 6, 3))
        for x, error, text in (
            (torch.zeros(1, 4, 5, 5).double(), TypeError, "torch.float64: must be torch.float32"),
            (torch.zeros(1, 4, 5, 5, device="meta"), ValueError, "device meta: must be cpu"),
            (np.zeros((1, 4, 5, 5)), TypeError, "ndarray: must be a tensor"),
            (torch.zeros(1, 3, 5, 5), ValueError, "3 channels: must be 4"),
        ):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                quantized(x)
        with self.assertRaisesRegex(TypeError, "Conv1d: is not supported"):
            qt.QuantConv2d(nn.Conv1d(4, 6, 3))


class Quantize(unittest.TestCase):
    def test_a_backbone_becomes_one_int8_chain(self):
        model = with_norm_statistics(Backbone())
        data, reference = batches(), copy.deepcopy(model)
        report = qt.quantize(model, data)
        x = torch.rand(1, 4, 20, 16)
        self.assertLess(relative(model(x), reference(x)), 0.03)
        self.assertEqual([row.chained for row in report.rows], [True] * 4 + [False] * 2)
        self.assertFalse(
            any(
                isinstance(module, (nn.BatchNorm2d, nn.ReLU, nn.ZeroPad2d))
                for module in model.modules()
            )
        )
        self.assertTrue(torch.equal(copy.deepcopy(model)(x), model(x)))

    def test_a_concatenation_that_only_layers_read_stays_int8(self):
        class Whole(nn.Module):
            def __init__(self):
                super().__init__()
                self.backbone, self.head = Backbone(), nn.Conv2d(12, 3, 3, padding=1)

            def forward(self, x):
                return self.head(self.backbone(x))

        model = with_norm_statistics(Whole())
        reference, seen = copy.deepcopy(model), []
        with mock.patch.dict(
            calibrate.POLICIES, {"plain": lambda group, stats: calibrate.Choice(0.5)}
        ):
            report = qt.quantize(model, batches(), policies=("plain",))
        self.assertEqual([row.chained for row in report.rows], [True] * 6 + [False])
        model.head.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
        x = torch.rand(2, 4, 16, 12)
        self.assertLess(relative(model(x), reference(x)), 0.05)
        (joined,) = seen  # with the border that the padding of the head needs
        self.assertEqual((joined.dtype, joined.shape), (torch.uint8, (2, 12, 10, 8)))
        self.assertTrue(joined.is_contiguous(memory_format=torch.channels_last))
        use, inner = model.head.use, joined[..., 1:-1, 1:-1].numpy().astype(np.int32)
        border = joined.clone()
        border[..., 1:-1, 1:-1] = use.zero
        self.assertTrue(bool((border == use.zero).all()))
        for block in model.backbone.deblocks:
            block[0].use = block[0].use._replace(y_scale=None)
        parts, smooth = model.backbone(x).numpy(), model.head.smooth.numpy().reshape(-1, 1, 1)
        wanted = np.clip(np.rint(parts / (smooth * use.scale)) + use.zero, 0, 255)
        self.assertLessEqual(np.abs(inner - wanted).max(), 1)
        self.assertGreater((inner == wanted).mean(), 0.99)

    def test_include_names_a_part_of_what_cannot_be_traced(self):
        model = with_norm_statistics(Detector())
        reference = copy.deepcopy(model)
        report = qt.quantize(model, [{"points": x} for x in batches()], include="backbone_2d")
        self.assertEqual({row.name.split(".")[0] for row in report.rows}, {"backbone_2d"})
        self.assertIsInstance(model.head, nn.Conv2d)
        x = torch.rand(1, 4, 16, 12)
        self.assertLess(
            relative(model({"points": x})["map"], reference({"points": x})["map"]), 0.05
        )

    def test_what_cannot_be_quantized_stays_float_and_is_said(self):
        model = nn.Sequential(
            nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"),
            nn.ReLU(),
            nn.Conv2d(6, 4, 3),
            nn.Flatten(2),
            nn.Conv1d(4, 2, 1),
        )
        report = qt.quantize(model, batches())
        self.assertEqual([row.int8 for row in report.rows], [False, True, False])
        for text in ("padding_mode circular: must be zeros", "Conv1d: is not supported"):
            self.assertIn(text, str(report))
        broken = nn.Conv2d(4, 3, 1)
        broken.weight.data[1, 2] = float("inf")
        self.assertEqual(qt.unfit(broken), "weight: must be finite")

    def test_constant_data_and_silent_channels_stay_finite(self):
        silent = torch.rand(2, 4, 16, 12)
        silent[:, 1] = 0
        for data in (torch.zeros(2, 4, 16, 12), torch.full((2, 4, 16, 12), 7.0), silent):
            model = with_norm_statistics(Backbone())
            model.blocks[0][1].weight.data[2] = 0
            model.blocks[0][4].weight.data[:, 3] = 0
            qt.quantize(model, [data, data])
            for x in (data, torch.rand(2, 4, 16, 12)):
                self.assertTrue(bool(torch.isfinite(model(x)).all()))

    def test_a_quantized_model_is_copied_saved_shared_and_the_same_in_any_batch(self):
        model, other = with_norm_statistics(Backbone()), Backbone().eval()
        qt.quantize(model, batches(), policies=("plain",))
        qt.quantize(other, batches(), policies=("plain",))
        other.load_state_dict(model.state_dict())
        file, x = io.BytesIO(), torch.rand(3, 4, 16, 12)
        torch.save(model, file)
        file.seek(0)
        wanted = model(x)
        for made in (copy.deepcopy(model), torch.load(file, weights_only=False), other):
            self.assertTrue(torch.equal(made(x), wanted))
            self.assertTrue(made.blocks[0][1].chained)
        self.assertTrue(torch.equal(torch.cat([model(image[None]) for image in x]), wanted))
        found = [[] for _ in range(4)]
        threads = [
            threading.Thread(target=lambda some=some: some.extend(model(x) for _ in range(10)))
            for some in found
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(
            all(len(some) == 10 and all(torch.equal(y, wanted) for y in some) for some in found)
        )

    def test_activations_by_function_and_shared_modules_are_folded(self):
        class Functional(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(5))
                self.relu = nn.ReLU(inplace=True)

            def forward(self, x):
                a, b, c, d, e = self.layers
                x = self.relu(b(nn.functional.relu(a(x))))
                return e(nn.functional.silu(d(torch.clamp(self.relu(c(x)), max=0.5))))

        model = Functional().eval()
        reference, x = copy.deepcopy(model), torch.rand(1, 4, 8, 8)
        report = qt.quantize(model, batches())
        # c: relu and clamp
        self.assertEqual([row.chained for row in report.rows], [True, True, False, False, False])
        self.assertLess(relative(model(x), reference(x)), 0.05)

    def test_the_share_of_multiply_adds_in_int8(self):
        model = nn.Sequential(
            nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), nn.ConvTranspose2d(6, 4, 2, 2)
        )
        report = qt.quantize(model, batches())  # 9·4·6 products a pixel, and 4·6·4
        self.assertAlmostEqual(report.int8_share, 96 / (216 + 96))
        self.assertIn("int8: 30.8 % of the multiply-adds", str(report))

    def test_a_value_with_another_reader_stays_float(self):
        class Skip(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

            def forward(self, x):
                y = self.a(x)
                return y + self.b(y)

        model = Skip().eval()
        reference, x = copy.deepcopy(model), torch.rand(2, 4, 8, 8)
        report = qt.quantize(model, batches())
        self.assertFalse(any(row.chained for row in report.rows))
        self.assertLess(relative(model(x), reference(x)), 0.03)

    def test_silent_channels_are_not_smoothed_and_dead_ones_do_not_count(self):
        def two(dead):
            torch.manual_seed(6)
            model: Any = nn.Sequential(
                nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3)
            ).eval()
            model[0].weight.data[3] *= 0 if dead else 1
            model[0].bias.data[3] = -100 if not dead else -1
            model[0].weight.data[:3] *= 30
            return model

        for dead in (False, True):
            with self.subTest(dead):
                report = qt.quantize(two(dead), batches(8))
                self.assertEqual(
                    any("not smoothed: 1 channels are silent" in note for note in report.notes),
                    not dead,
                )
                if not dead:
                    self.assertIn("not smoothed", report.rows[1].how)

    def test_bad_calibration_is_refused_and_the_model_unchanged(self):
        model = with_norm_statistics(Backbone())
        x, wrong = torch.rand(1, 4, 16, 12), torch.rand(1, 4, 16, 12)
        wrong[0, 1, 2, 3] = float("nan")
        wanted = model(x)
        for data, text in (([], "batches: 0"), ([wrong], "nan at")):
            with self.subTest(text), self.assertRaisesRegex(ValueError, text):
                qt.quantize(model, data)
        with self.assertRaisesRegex(ValueError, "fits no layer"):
            qt.quantize(model, [x], include="neck")
        self.assertTrue(torch.equal(model(x), wanted))


class Onnx2Torch(unittest.TestCase):
    """A network that onnx2torch has read: a graph of modules, batch norm and bias spelled out as
    PaddlePaddle does."""

    def setUp(self):
        try:
            from onnx import TensorProto, helper, numpy_helper

            # onnx2torch imports it, and uses nothing of it here
            for name in ("torchvision", "torchvision.ops"):
                stand_in: Any = types.SimpleNamespace(roi_align=None)
                sys.modules.setdefault(name, stand_in)
            import onnx2torch
        except ImportError as problem:
            self.skipTest(f"onnx2torch: {problem}")
        rng, node = np.random.default_rng(3), helper.make_node
        sizes = {
            "w1": (8, 4, 3, 3),
            "w2": (8, 1, 3, 3),
            "w3": (6, 8, 1, 1),
            "w4": (6, 8, 3, 3),
            "w5": (12, 5, 2, 2),
            "f": (1, 8, 1, 1),
            "b": (1, 8, 1, 1),
            "o": (1, 6, 1, 1),
        }
        weights = [
            numpy_helper.from_array(np.float32(rng.normal(size=size) * 0.3), name)
            for name, size in sizes.items()
        ]
        nodes = [
            node("Conv", ["x", "w1"], ["1"], pads=[1] * 4, strides=[2, 2]),
            node("Mul", ["f", "1"], ["2"]),
            node("Add", ["2", "b"], ["3"]),
            node("HardSwish", ["3"], ["4"]),
            node("Conv", ["4", "w2"], ["5"], pads=[1] * 4, group=8),
            node("Identity", ["5"], ["6"]),
            node("Relu", ["6"], ["7"]),
            node("Conv", ["7", "w3"], ["8"]),
            node("Add", ["8", "o"], ["9"]),
            node("Conv", ["7", "w4"], ["10"], pads=[1] * 4),
            node("Relu", ["10"], ["11"]),
            node("Add", ["9", "11"], ["12"]),
            node("Concat", ["12", "11"], ["13"], axis=1),
            node("ConvTranspose", ["13", "w5"], ["y"], strides=[2, 2]),
        ]
        graph = helper.make_graph(
            nodes,
            "made",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 4, 16, 12))],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 5, 16, 12))],
            weights,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
        self.model = onnx2torch.convert(made).eval()

    def test_it_runs_in_int8_with_everything_folded(self):
        reference = copy.deepcopy(self.model)
        report = qt.quantize(self.model, [torch.rand(1, 4, 16, 12) for _ in range(4)])
        print(report)
        self.assertEqual(report.int8_share, 1)
        self.assertEqual([row.chained for row in report.rows], [True, True, False, False, False])
        left = {type(module).__name__ for module in self.model.modules()}
        self.assertFalse(
            left & {"Conv2d", "ConvTranspose2d", "Hardswish", "ReLU", "OnnxCopyIdentity"}
        )
        x = torch.rand(1, 4, 16, 12)
        with torch.no_grad():
            self.assertGreater(calibrate.sqnr([reference(x).numpy()], [self.model(x).numpy()]), 33)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quernel.torch.quantize on models as people write them: what is folded, whose weights are taken,
what hooks see."""

import sys
import warnings
from typing import Any

import front
from torch.nn.utils import prune
from torch_case import Case, calibrate, images, qt, quantized, sqnr, torch, uneven, whole

F, nn = torch.nn.functional, torch.nn


class Folds(Case):
    """Rank and axis say what is folded, whatever the sizes are."""

    def followed(self, model, data, least=25.0):
        reference, made, report, _ = quantized(model, data)
        self.assertGreater(sqnr(reference, made, data[0]), least)
        self.assertTrue(report.rows[0].int8)
        return report

    def test_over_the_second_axis_of_a_linear_layer_s_rows(self):
        for time in (6, 5):  # as many as there are channels, and not
            for after in (uneven(nn.BatchNorm1d(time)), nn.PReLU(time)):
                if isinstance(after, nn.PReLU):
                    after.weight.data.uniform_(-2, 2)
                with self.subTest(after):
                    self.followed(nn.Sequential(nn.Linear(16, 6), after), images(3, time, 16))

    def test_over_a_linear_layer_s_channels(self):
        for after in (uneven(nn.BatchNorm1d(6)), nn.PReLU(6)):
            model = nn.Sequential(nn.Linear(16, 6), after)
            self.followed(model, images(20, 16))
            self.assertNotIsInstance(model[1], type(after))
            with self.assertRaisesRegex(ValueError, "3 dimensions: must be 2"):
                model(torch.rand(2, 6, 16))

    def test_constants_that_add_an_axis(self):
        class Times(nn.Module):
            def __init__(self, constant):
                super().__init__()
                self.register_buffer("constant", constant)

            def forward(self, x):
                return x * self.constant

        for layer, constant, x in (
            (nn.Linear(16, 6), torch.rand(1, 1, 6) + 1, (4, 16)),
            (nn.Linear(16, 6), torch.rand(1, 1, 1) + 1, (4, 16)),
            (nn.Linear(16, 6), torch.rand(6).double() + 1, (4, 16)),
            (nn.Conv2d(4, 6, 3), torch.rand(1, 1, 6, 1, 1) + 1, (2, 4, 8, 8)),
            (nn.Conv2d(4, 6, 3), torch.rand(6) + 1, (2, 4, 8, 8)),
        ):
            with self.subTest(constant=tuple(constant.shape), of=layer):
                model = whole(nn.Sequential(layer, Times(constant)))
                reference, made, _, _ = quantized(model, images(*x))
                data = torch.rand(x)
                self.assertEqual(made(data).shape, reference(data).shape)
                self.assertEqual(made(data).dtype, reference(data).dtype)
                self.assertGreater(sqnr(reference, made, data), 25)

    def test_a_norm_that_has_its_own_code_or_takes_the_batch_s_statistics_stays(self):
        class Doubled(nn.BatchNorm2d):
            def forward(self, x):
                return 2 * super().forward(x)

        class InTraining(nn.Sequential):
            def train(self, mode=True):
                super().train(mode)
                self[1].train()
                return self

        doubled = nn.Sequential(nn.Conv2d(4, 6, 3), uneven(Doubled(6)))
        for model in (
            whole(doubled),
            InTraining(nn.Conv2d(4, 6, 3), uneven(nn.BatchNorm2d(6, momentum=0.0))),
            nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, track_running_stats=False)),
        ):
            with self.subTest(type(model)):
                self.followed(model, images(2, 4, 8, 8))

    def test_a_concatenation_over_lines_is_no_chain(self):
        class Lines(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
                self.c = nn.Conv2d(6, 3, 3, padding=1)

            def forward(self, x):
                return self.c(torch.cat([self.a(x), self.b(x)], 1))

        self.followed(Lines(), images(4, 9, 8))


class Weights(Case):
    """Those of the moment of use, however they come to be."""

    @staticmethod
    def reloaded(prepared):
        """A model whose parts were prepared, and then got the state of another."""
        model, other = prepared(), prepared()
        with torch.no_grad():
            model(torch.rand(1, 4, 8, 8)), other(torch.rand(1, 4, 8, 8))
            for tensor in other.state_dict().values():
                tensor.copy_(torch.randn(tensor.shape) if tensor.is_floating_point() else tensor)
        model.load_state_dict(other.state_dict())
        return model

    def test_after_load_state_dict(self):
        def body():
            return nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3))

        def by(prepare):
            def prepared():
                model = body()
                prepare(model[0]), prepare(model[2])
                return model

            return prepared

        for name, prepare in {
            "weight_norm": nn.utils.weight_norm,
            "spectral_norm": nn.utils.spectral_norm,
            "pruned": lambda layer: prune.random_unstructured(layer, "weight", 0.5),
            "parametrized": nn.utils.parametrizations.weight_norm,
        }.items():
            with self.subTest(name), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reference = self.reloaded(by(prepare))
                float_, made, report, _ = quantized(reference, images(2, 4, 8, 8))
                self.assertEqual([row.int8 for row in report.rows], [True, True], report)
                self.assertGreater(sqnr(float_, made, torch.rand(2, 4, 8, 8)), 25)

    def test_of_a_module_of_two_names(self):
        class Tied(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Conv2d(4, 4, 3, padding=1)
                self.b, self.norm = self.a, uneven(nn.BatchNorm2d(4))

            def forward(self, x):
                return self.b(self.norm(self.a(x)))

        reference, made, report, _ = quantized(Tied(), images(2, 4, 8, 8))
        self.assertIs(made.a, made.b)
        self.assertTrue(report.rows[0].int8)
        self.assertGreater(sqnr(reference, made, torch.rand(2, 4, 8, 8)), 25)

    def test_of_modules_that_two_untraced_parts_share(self):
        class Part(nn.Module):
            def __init__(self, act, shared, before):
                super().__init__()
                self.conv, self.act, self.shared = nn.Conv2d(4, 4, 3, padding=1), act, shared
                self.before = before

            def forward(self, x):
                if not self.before:
                    return self.shared(self.act(self.conv(x)))
                y = self.act(x)
                return self.shared(self.conv(y)) + y

        class Two(nn.Module):
            def __init__(self):
                super().__init__()
                act, shared = nn.ReLU6(), nn.Conv2d(4, 4, 1)
                self.one, self.two = Part(act, shared, False), Part(act, shared, True)
                self.norm = uneven(nn.BatchNorm2d(4))

            def forward(self, x):
                return self.two(self.norm(self.one(x))) if float(x.sum()) else x

        reference, made, report, _ = quantized(Two(), images(2, 4, 8, 8))
        self.assertTrue(all(row.int8 for row in report.rows))
        self.assertFalse(any(type(module) is nn.Conv2d for module in made.modules()))
        self.assertGreater(sqnr(reference, made, torch.rand(2, 4, 8, 8)), 25)

    def test_of_a_module_by_itself(self):
        for prepare in (nn.utils.weight_norm, nn.utils.spectral_norm):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                layer = self.reloaded(lambda prepare=prepare: prepare(nn.Conv2d(4, 6, 3).eval()))
            made, x = qt.QuantConv2d(layer), torch.rand(2, 4, 8, 8)
            self.assertGreater(sqnr(layer, made, x), 25)

    def test_that_a_parent_reads_are_the_model_s_own(self):
        class Tied(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc, self.norm = nn.Linear(8, 8), uneven(nn.BatchNorm1d(8))

            def forward(self, x):
                return self.norm(self.fc(x)) + F.linear(x, self.fc.weight.t())

        reference, made, report, _ = quantized(Tied(), images(20, 8))
        self.assertTrue(report.rows[0].int8)
        self.assertTrue(torch.equal(made.fc.weight, reference.fc.weight))
        self.assertGreater(sqnr(reference, made, torch.rand(20, 8)), 25)

    def test_a_layer_that_is_never_called_is_not_int8(self):
        class Attended(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
                self.head, self.unused = nn.Linear(16, 4), nn.Linear(16, 4)

            def forward(self, x):
                return self.head(self.layer(x))

        reference, made, report, told = quantized(Attended(), images(2, 5, 16))
        rows = {row.name: row for row in report.rows}
        self.assertEqual([name for name, row in rows.items() if row.int8], ["head"])
        for name in ("layer.linear1", "layer.linear2", "unused"):
            self.assertIn("never call it", rows[name].how)
            self.assertTrue(any(name in text for text in told), told)
        self.assertLess(report.int8_share, 1.01)
        self.assertGreater(sqnr(reference, made, torch.rand(2, 5, 16)), 25)

    def test_a_layer_that_is_called_in_float_alone(self):
        class Choosy(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc, self.head = nn.Linear(8, 8), nn.Linear(8, 3)

            def forward(self, x):
                return self.head(self.fc(x) if isinstance(self.fc, nn.Linear) else x)

        reference, made, report, told = quantized(Choosy(), images(20, 8))
        self.assertEqual([row.int8 for row in report.rows], [False, True])
        self.assertTrue(any("fc: the model never calls it" in text for text in told), told)
        self.assertGreater(sqnr(reference, made, torch.rand(20, 8)), 25)

    def test_multi_head_attention(self):
        class Attended(nn.Module):
            def __init__(self):
                super().__init__()
                self.key, self.attention = (
                    nn.Linear(16, 16),
                    nn.MultiheadAttention(16, 2, batch_first=True),
                )

            def forward(self, x):
                return self.attention(x, self.key(x), x)[0]

        reference, made, report, _ = quantized(Attended(), images(2, 5, 16))
        self.assertEqual([row.name for row in report.rows if row.int8], ["key"])
        self.assertGreater(sqnr(reference, made, torch.rand(2, 5, 16)), 25)


class Hooks(Case):
    """Hooks see what they saw before."""

    def watched(self, model, path, name=None):
        """What a hook on a module saw in the float model, and sees in the other."""
        seen: list[Any] = []
        data = images(2, 4, 8, 8)
        module = model.eval().get_submodule(path)
        module.register_forward_hook(lambda module, arguments, made: seen.append((arguments, made)))
        with torch.no_grad():
            model(data[0])
        (before,) = seen
        report = qt.quantize(model, data)
        seen.clear()
        with torch.no_grad():
            model(data[0])
        self.assertEqual(len(seen), 1)
        for a, b in zip((before[0][0], before[1]), (seen[0][0][0], seen[0][1])):
            self.assertEqual(b.dtype, torch.float32)
            self.assertEqual(a.shape, b.shape)
            self.assertLess(float((a - b).norm() / a.norm()), 0.05)
        return report

    @staticmethod
    def body():
        return nn.Sequential(
            nn.Sequential(nn.Conv2d(4, 6, 3), uneven(nn.BatchNorm2d(6)), nn.ReLU()),
            nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.ReLU()),
            nn.Conv2d(6, 3, 1),
        )

    def test_on_a_layer(self):
        report = self.watched(self.body(), "1.0")
        self.assertEqual([row.int8 for row in report.rows if row.kind != "x"], [True, False, True])
        self.assertIn("hook", report.rows[1].how)

    def test_on_what_would_be_folded(self):
        for path in ("0.1", "0.2", "1.1"):
            with self.subTest(path):
                self.watched(self.body(), path)

    def test_on_what_holds_layers(self):
        for path in ("0", "1"):
            with self.subTest(path):
                report = self.watched(self.body(), path)
                self.assertEqual(report.int8_share, 1)

    def test_a_forward_of_its_own(self):
        model: Any = self.body()
        own, part = model[0][0].forward, model[1]
        model[0][0].forward = lambda x: 3 * own(x)
        part.forward = lambda x: part[1](-part[0](x))
        data = images(2, 4, 8, 8)
        with torch.no_grad():
            before = model.eval()(data[0])
        report = qt.quantize(model, data)
        self.assertEqual([row.int8 for row in report.rows], [False, True, True])
        self.assertIn("forward", report.rows[0].how)
        with torch.no_grad():
            self.assertGreater(calibrate.sqnr([before.numpy()], [model(data[0]).numpy()]), 20)


if __name__ == "__main__":
    sys.exit(front.main(__name__))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quernel.torch.quantize where a layer cannot be int8, where the outcome is hardly right, and on
what PyTorch's modules take and models do around them."""

import copy
import sys

import front
import numpy as np
from torch_case import Case, calibrate, images, qt, quantized, sqnr, torch, uneven

F, nn = torch.nn.functional, torch.nn


class Layers(Case):
    """One layer that int8 cannot do costs that layer alone."""

    def kept(self, model, data, at, text, **options):
        reference, made, report, _ = quantized(model, data, **options)
        self.assertFalse(report.rows[at].int8)
        self.assertRegex(report.rows[at].how, text)
        self.assertTrue(any(row.int8 for row in report.rows), report)
        self.assertGreater(sqnr(reference, made, data[0]), 20)

    def test_a_geometry_that_the_library_refuses(self):
        model = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ConvTranspose2d(4, 4, 3, 2, dilation=2))
        self.kept(model, images(2, 4, 8, 8), 1, "dilation")

    def test_a_layer_of_very_many_inputs(self):
        model = nn.Sequential(nn.Linear(8, 8), nn.Flatten(0), nn.Linear(524288, 2))
        self.kept(model, images(65536, 8, count=2), 1, "can reach", policies=("plain",))

    def test_values_near_the_ends_of_float(self):
        class Scaled(nn.Module):
            def __init__(self, factor):
                super().__init__()
                self.first, self.layer, self.factor = nn.Linear(8, 8), nn.Linear(8, 8), factor

            def forward(self, x):
                return self.layer(self.first(x) * self.factor)

        for factor in (1e-30, 1e-38, 1e33, 1e37):
            with self.subTest(factor):
                reference, made, report, _ = quantized(Scaled(factor), images(20, 8))
                self.assertTrue(report.rows[0].int8)
                x = torch.rand(20, 8)
                self.assertGreater(sqnr(reference, made, x), 20, report)

    def test_values_that_are_not_finite_inside(self):
        class Masked(nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.layer = nn.Linear(8, 8), nn.Linear(8, 8)

            def forward(self, x):
                mask = torch.zeros(8)
                mask[2] = -torch.inf
                return self.first(x) + torch.nan_to_num(self.layer(x + mask), 0, 0, 0)

        self.kept(Masked(), images(20, 8), 1, "-inf at .*: must be finite")

    def test_all_of_them(self):
        model = nn.Sequential(nn.ConvTranspose2d(4, 4, 3, 2, dilation=2))
        _, _, report, told = quantized(model, images(2, 4, 8, 8))
        self.assertEqual(report.int8_share, 0)
        self.assertTrue(any("no layer" in text for text in told), told)


class Outcomes(Case):
    """What is hardly right is said."""

    def test_a_layer_that_int8_spoils(self):
        class Spoiled(nn.Module):
            def __init__(self):
                super().__init__()
                self.fine, self.spoiled = nn.Linear(8, 8), nn.Linear(8, 8, bias=False)
                self.spoiled.weight.data[:, 0] = 0
                self.spoiled.weight.data[:, 1:] *= 1e-3

            def forward(self, x):
                y = self.fine(x)
                y[:, 0] = 1e5
                return self.spoiled(y)

        _, _, report, told = quantized(Spoiled(), images(20, 8), policies=("plain",))
        row = next(row for row in report.rows if row.name == "spoiled")
        self.assertLess(row.sqnr, 5)
        for texts in (told, report.notes):
            self.assertTrue(any("spoiled: " in text and " dB" in text for text in texts), texts)

    def test_an_outcome_that_nothing_changes(self):
        class Unread(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(8, 8)

            def forward(self, x):
                self.layer(x)
                return 2 * x

        _, _, report, told = quantized(Unread(), images(20, 8))
        for texts in (told, report.notes):
            self.assertTrue(any("inf dB" in text for text in texts), texts)

    def test_a_good_one_is_not_warned_of(self):
        model = nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3))
        self.assertEqual(quantized(model, images(2, 4, 8, 8))[3], [])


class Calls(Case):
    """What PyTorch's modules take, and what a model may do around its layers."""

    def test_empty_batches_and_single_images(self):
        model = nn.Sequential(
            nn.Conv2d(4, 6, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(6, 5, 3, padding=1),
            nn.ConvTranspose2d(5, 4, 2, 2),
        )
        reference, made, report, _ = quantized(model, images(2, 4, 8, 8))
        self.assertEqual([row.chained for row in report.rows], [True, True, False])
        for shape in ((0, 4, 8, 8), (4, 8, 8), (4, 8, 1), (1, 4, 1, 8)):
            x = torch.rand(shape)
            with self.subTest(shape):
                self.assertEqual(made(x).shape, reference(x).shape)
                if x.numel():
                    self.assertTrue(
                        torch.equal(
                            made(x), made(x.reshape(-1, *shape[-3:])).reshape(made(x).shape)
                        )
                    )
        linear = qt.QuantLinear(nn.Linear(8, 3))
        for before in ((0,), (2, 0), (), (2, 3, 4)):
            self.assertEqual(linear(torch.rand(*before, 8)).shape, (*before, 3))
        with self.assertRaisesRegex(ValueError, "leaves nothing of the output"):
            qt.QuantConv2d(nn.Conv2d(4, 6, 3))(torch.rand(0, 4, 2, 2))
        with self.assertRaisesRegex(ValueError, "5 dimensions: must be 4 or 3"):
            qt.QuantConv2d(nn.Conv2d(4, 6, 3))(torch.rand(1, 1, 4, 4, 4))

    def test_calibration_with_single_images_and_empty_batches(self):
        model = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 5, 3))
        for data in (images(4, 8, 8), [*images(2, 4, 8, 8), torch.rand(0, 4, 8, 8)]):
            reference, made, report, _ = quantized(copy.deepcopy(model), data)
            self.assertTrue(all(row.int8 for row in report.rows))
            self.assertGreater(sqnr(reference, made, torch.rand(4, 8, 8)), 25)

    def test_arguments_by_name_and_output_sizes(self):
        class Named(nn.Module):
            def __init__(self):
                super().__init__()
                self.down, self.up = nn.Conv2d(4, 6, 3, 2, 1), nn.ConvTranspose2d(6, 4, 3, 2, 1)

            def forward(self, x):
                return self.up(self.down(input=x), output_size=x.shape)

        reference, made, report, _ = quantized(Named(), images(2, 4, 8, 9))
        self.assertTrue(all(row.int8 for row in report.rows))
        for size in ((8, 9), (9, 8), (7, 7)):
            x = torch.rand(2, 4, *size)
            self.assertGreater(sqnr(reference, made, x), 25)
        with self.assertRaisesRegex(ValueError, "output_size"):
            made.up(torch.rand(1, 6, 4, 4), output_size=(40, 40))

    def test_outputs_that_are_objects_of_the_model_s_own(self):
        class Boxes:
            def __init__(self, scores):
                self.fields = {"scores": scores}

        class Detector(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(8, 3)

            def forward(self, x):
                return [Boxes(self.layer(x))]

        _, _, report, told = quantized(Detector(), images(20, 8))
        self.assertEqual(told, [])
        self.assertTrue(all(np.isfinite(db) for db in report.held_out.values()), report)

    def test_outputs_of_as_many_rows_as_the_data_say(self):
        class Chosen(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(8, 3)

            def forward(self, x):
                y = self.layer(x)
                return y, y[y[:, 0] > 0.0]

        _, _, report, _ = quantized(Chosen(), images(50, 8))
        self.assertTrue(report.rows[0].int8)

    def test_inputs_that_the_model_changes(self):
        class Normalized(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(8, 3)

            def forward(self, x):
                return self.layer(x["map"].sub_(0.5).mul_(4))

        data = [{"map": torch.rand(20, 8)} for _ in range(4)]
        before = copy.deepcopy(data)
        reference, made, _, _ = quantized(Normalized(), data)
        self.assertTrue(all(torch.equal(a["map"], b["map"]) for a, b in zip(data, before)))
        x = torch.rand(20, 8)
        with torch.no_grad():
            wanted, got = reference({"map": x.clone()}), made({"map": x.clone()})
        self.assertGreater(calibrate.sqnr([wanted.numpy()], [got.numpy()]), 30)

    def test_a_clamp_that_stays_in_the_way_of_codes(self):
        class Clamped(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Conv2d(4, 6, 3), nn.Conv2d(6, 4, 3)

            def forward(self, x):
                return self.b(F.relu6(4 * self.a(x)) if self.training else F.relu6(self.a(x)))

        reference, made, report, _ = quantized(Clamped(), images(2, 4, 8, 8))
        self.assertTrue(all(row.int8 for row in report.rows))
        self.assertGreater(sqnr(reference, made, torch.rand(2, 4, 8, 8)), 25)

    def test_a_parent_that_asks_for_sizes(self):
        class Asking(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Conv2d(4, 6, 3, 2)

            def forward(self, x):
                return self.a(x)[..., : self.a.out_channels, : self.a.kernel_size[0]]

        reference, made, _, _ = quantized(Asking(), images(2, 4, 9, 9))
        self.assertGreater(sqnr(reference, made, torch.rand(2, 4, 9, 9)), 25)

    def test_a_part_at_a_time(self):
        def body():
            return nn.Sequential(nn.Conv2d(4, 6, 3), uneven(nn.BatchNorm2d(6)), nn.ReLU())

        model = nn.Sequential(body(), nn.Conv2d(6, 4, 3), uneven(nn.BatchNorm2d(4)), nn.ReLU())
        reference, made, _, _ = quantized(model, images(2, 4, 9, 9), include="1")
        report = qt.quantize(made, images(2, 4, 9, 9))
        self.assertEqual([row.name for row in report.rows], ["0.0"])
        self.assertFalse(any(isinstance(module, nn.BatchNorm2d) for module in made.modules()))
        with torch.inference_mode():
            x = torch.rand(2, 4, 9, 9)
            self.assertGreater(calibrate.sqnr([reference(x).numpy()], [made(x).numpy()]), 25)

    def test_gradients_are_warned_of(self):
        made = qt.QuantLinear(nn.Linear(8, 3))
        with self.assertWarnsRegex(UserWarning, "quernel::layer: an autograd kernel"):
            made(torch.rand(2, 8, requires_grad=True)).sum().backward()


if __name__ == "__main__":
    sys.exit(front.main(__name__))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The seed's experiment and the real networks' protocol, in small: what does not need a trained
network."""

import itertools
import sys
import unittest

import front
import numpy as np

try:
    import torch
    from torch import nn

    from demo import onnx_graph, pages
    from seed import bev, clicks, digits, experiment, lite0, reading
    from seed.layers import QuantizedConv2d, SeedConv2d, quernel_conv, relative_l1
    from seed.networks import HERE
    from seed.zoo import Protocol
except ImportError as problem:
    print(f"skipped: the seed's experiment: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from quernel import operators as ops

RNG = np.random.default_rng(23)


def uneven():
    torch.manual_seed(2)
    conv = nn.Conv2d(6, 5, 3, padding=1)
    x = np.maximum(RNG.normal(size=(2, 6, 9, 8)), 0).astype(np.float32)
    x[:, 1] *= 30
    return conv, x


class Layers(unittest.TestCase):
    def test_im2col_changes_nothing(self):
        conv, x = uneven()
        conv.bias = None
        with torch.no_grad():
            plain, columns = (
                net(torch.from_numpy(x)).numpy()
                for net in (QuantizedConv2d(conv), SeedConv2d(conv, True, False))
            )
        np.testing.assert_allclose(columns, plain, atol=1e-4)

    def test_quernel_s_parts_follow_float(self):
        conv, x = uneven()
        with torch.no_grad():
            reference = conv(torch.from_numpy(x)).numpy()
        error = {
            name: relative_l1(reference, quernel_conv(conv, x, *part))
            for name, *part in experiment.PARTS
        }
        self.assertLess(max(error.values()), 0.06)
        self.assertLess(error["channel smoothing, unsigned"], 0.7 * error["signed, per tensor"])

    def test_a_scale_of_a_power_of_two_changes_no_code(self):
        conv, x = uneven()
        conv.bias = None
        made = [
            quernel_conv(conv, x * np.float32(factor), ops.U8, ops.DYNAMIC_CALL, None)
            / np.float32(factor)
            for factor in (1, 64)
        ]
        np.testing.assert_array_equal(*made)

    def test_silent_channels_are_nan_in_the_seed_and_not_here(self):
        conv, x = uneven()
        x[:, 2] = 0
        conv.weight.data[:, 2] = 0
        with torch.no_grad():
            self.assertTrue(bool(torch.isnan(SeedConv2d(conv)(torch.from_numpy(x))).any()))
        self.assertTrue(
            np.isfinite(quernel_conv(conv, x, ops.U8, ops.DYNAMIC_CALL, "channel")).all()
        )


class Head(unittest.TestCase):
    """The detector as it is before training, its dead channels killed: the head is where the seed's
    layer gave NaN."""

    def test_it_has_no_nan_and_at_most_twice_the_backbone_s_error(self):
        torch.manual_seed(3)
        model = bev.Detector().eval()
        bev.kill_channels(model)
        rows = experiment.inside(model)
        self.assertTrue(
            any(
                float(row["seed: NaN %"]) > 0
                for row in rows
                if row["layer"].startswith("dense_head")
            )
        )
        self.assertTrue(all(float(row["Quernel: NaN %"]) == 0 for row in rows))
        self.assertLessEqual(experiment.head_ratio(rows), 2)

    def test_the_ratio(self):
        def rows(*head):
            errors = {
                "backbone_2d.a": 0.01,
                "backbone_2d.b": 0.03,
                "backbone_2d.c": 0.02,
                **{f"dense_head.{i}": e for i, e in enumerate(head)},
            }
            return [
                {"layer": name, "Quernel: relative L1": str(error)}
                for name, error in errors.items()
            ]

        self.assertAlmostEqual(experiment.head_ratio(rows(0.01, 0.05)), 2.5)
        self.assertTrue(np.isnan(experiment.head_ratio(rows(0.01, float("nan"), 0.02))))


class Data(unittest.TestCase):
    def test_nothing_is_in_two_protocols(self):
        read = [
            Protocol.read(HERE / f"{name}.json") for name in ("calibration", "evaluation", "fresh")
        ]
        for one, other in itertools.combinations(read, 2):
            for field in ("pages", "worn", "scenes", "clicks"):
                self.assertFalse(set(getattr(one, field)) & set(getattr(other, field)))
            self.assertFalse({crop[1] for crop in one.crops} & {crop[1] for crop in other.crops})
        self.assertGreaterEqual(len(read[1].pages), 16)

    def test_scenes_come_from_their_seed_and_fit_their_objects(self):
        x, heat, objects = bev.scene(7)
        np.testing.assert_array_equal(bev.scene(7)[0], x)
        self.assertTrue((x[0] > 0).any())
        for kind, centre in objects:
            self.assertEqual(heat[kind, int(centre[0]), int(centre[1])], 1)

    def test_reading(self):
        self.assertEqual(
            [
                pages.edits(a, b)
                for a, b in (("abc", "abc"), ("abc", "axc"), ("abc", ""), ("", "ab"))
            ],
            [0, 1, 3, 2],
        )
        scores = np.eye(4, dtype=np.float32)[[0, 1, 1, 0, 1, 3, 3, 2]][None]
        self.assertEqual(pages.text_of(scores, ["", "a", "b", "c"]), "aacb")
        heat = np.zeros((40, 60), np.float32)
        heat[5:12, 5:30] = heat[20:30, 10:50] = 1
        found = pages.boxes(heat)
        self.assertEqual(len(found), 2)
        self.assertLess(found[0][1], 5)
        share, lo, hi = reading.interval(
            np.array([[1, 100], [0, 100], [5, 100]]), np.random.default_rng(1)
        )
        self.assertTrue(lo <= share <= hi and abs(share - 0.02) < 1e-9)

    def test_characters_to_click(self):
        sheet, wanted = clicks.picture(3, np.full((9, 9, 3), 200, np.uint8))
        self.assertEqual(clicks.for_detection(sheet).shape, (1, 3, clicks.SIDE, clicks.SIDE))
        self.assertTrue(
            wanted and all(box[2] <= clicks.COLUMNS and box[3] <= clicks.LINES for box in wanted)
        )
        rows = np.zeros(
            (sum((clicks.SIDE // stride) ** 2 for stride in clicks.STRIDES), 6), np.float32
        )
        rows[5] = 0.5, 0.5, np.log(4), np.log(2), 1, 0.9  # line 0, column 5 of the finest grid
        found, scale = clicks.boxes(rows), clicks.LINES / clicks.SIDE
        np.testing.assert_allclose(found, [np.multiply((28, -4, 60, 12), scale)], rtol=1e-5)
        self.assertEqual(
            (clicks.hits(found, found), clicks.hits(found, [(200, 200, 220, 220)])), (1, 0)
        )

    def test_the_file_of_the_digits_is_the_module(self):
        model, x = digits.network().eval(), digits.rows(0, 3)[0]
        made = onnx_graph.run(onnx_graph.session(digits.exported(model)), x)[0]
        with torch.no_grad():
            np.testing.assert_allclose(made, model(torch.from_numpy(x)).numpy(), atol=1e-5)

    def test_padding_of_the_classifier_is_tensorflow_s(self):
        builder = lite0._Builder({}, 128)
        self.assertEqual(
            [builder._pads(3, 2), builder.size, builder._pads(5, 2), builder._pads(3, 1)],
            [[0, 0, 1, 1], 64, [1, 1, 2, 2], [1, 1, 1, 1]],
        )


if __name__ == "__main__":
    sys.exit(front.main(__name__))

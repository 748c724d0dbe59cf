# SPDX-License-Identifier: Apache-2.0
"""Pictures as a model's input."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..model_inputs import input_shapes
from .errors import Failed

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
MODES = {1: "L", 3: "RGB"}


class Pictures:
    """Files in batches of the model's size. The model has one input, float, of pictures."""

    def __init__(
        self, files: Sequence[pathlib.Path], inputs: Sequence[Any], options: argparse.Namespace
    ) -> None:
        for name in ("mean", "std", "layout"):
            if getattr(options, name) is None:
                raise Failed(2, f"--{name}: is missing: pictures need it")
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            raise Failed(
                2, f"--data: {options.data}: pictures need a model of one float input in 2D"
            )
        self.files, self.nhwc = files, options.layout == "nhwc"
        self.name, self.bgr = inputs[0].name, options.colours == "bgr"
        wanted = dict(options.shape)
        if isinstance(inputs[0].shape[0], str) and self.name not in wanted:
            wanted[self.name] = (1, *inputs[0].shape[1:])
        self.shape = input_shapes(inputs, wanted)[self.name]
        self.channels = self.shape[3 if self.nhwc else 1]
        self.size = self.shape[1:3] if self.nhwc else self.shape[2:]
        if self.channels not in MODES:
            raise Failed(2, f"--layout: {options.layout}: {self.channels} channels: must be 1 or 3")
        self.mean, self.std = (self._each(options, name) for name in ("mean", "std"))
        if not (self.std != 0).all():
            raise Failed(2, f"--std: {options.std}: must not be 0")
        if len(files) < self.shape[0]:
            raise Failed(
                2, f"--data: {options.data}: {len(files)} pictures: a batch has {self.shape[0]}"
            )

    def _each(self, options: argparse.Namespace, name: str) -> np.ndarray:
        values = getattr(options, name)
        if len(values) not in (1, self.channels):
            raise Failed(2, f"--{name}: {len(values)} numbers: must be 1 or {self.channels}")
        return np.array(values, np.float32)

    def __len__(self) -> int:
        return len(self.files) // self.shape[0]

    def _one(self, path: pathlib.Path) -> np.ndarray:
        from PIL import Image

        try:
            with Image.open(path) as image:
                made = image.convert(MODES[self.channels])
                made = made.resize(self.size[::-1], Image.Resampling.BILINEAR)
        except Exception as problem:  # each format has exceptions of its own
            raise Failed(2, f"--data: {path}: cannot be read: {problem}") from problem
        x = np.asarray(made, np.float32).reshape(*self.size, self.channels) / np.float32(255)
        x = (x[..., ::-1] if self.bgr else x) - self.mean
        x = x / self.std
        return x if self.nhwc else x.transpose(2, 0, 1)

    def batch(self, at: int) -> dict[str, np.ndarray]:
        n = self.shape[0]
        made = np.stack([self._one(path) for path in self.files[at * n : (at + 1) * n]])
        return {self.name: np.ascontiguousarray(made, np.float32)}

# SPDX-License-Identifier: Apache-2.0
"""Real photographs from installed packages, as float32 arrays [1, 3, lines, columns] with values
0…1: some to test on, others to calibrate with. No photograph is in both."""

import dataclasses

import numpy as np
from PIL import Image

from . import assets

SIZE = 192
SKIMAGE, SKLEARN = ("skimage", "data"), ("sklearn", "datasets/images")


@dataclasses.dataclass(frozen=True)
class Crop:
    """A square of SIZE pixels out of a photograph."""

    name: str
    package: tuple[str, str]
    file: str
    left: int
    top: int

    def load(self, size=SIZE):
        package, folder = self.package
        with Image.open(assets.in_python_package(package, f"{folder}/{self.file}")) as image:
            square = image.convert("RGB").crop(
                (self.left, self.top, self.left + size, self.top + size)
            )
        return from_picture(np.asarray(square, np.float32) / 255)


TEST = (
    Crop("pagoda", SKLEARN, "china.jpg", 110, 30),
    Crop("cup", SKIMAGE, "coffee.png", 240, 130),
    Crop("cat", SKIMAGE, "chelsea.png", 90, 60),
)
CALIBRATION = (
    Crop("face", SKIMAGE, "astronaut.png", 120, 10),
    Crop("patch", SKIMAGE, "astronaut.png", 90, 250),
    Crop("dahlia", SKLEARN, "flower.jpg", 200, 120),
    Crop("leaf", SKLEARN, "flower.jpg", 0, 0),
    Crop("rocket", SKIMAGE, "rocket.jpg", 230, 110),
    Crop("lights", SKIMAGE, "rocket.jpg", 20, 235),
    Crop("engine", SKIMAGE, "motorcycle_left.png", 250, 180),
    Crop("garage", SKIMAGE, "motorcycle_left.png", 380, 0),
)


def from_picture(pixels):
    """[lines, columns, 3] → [1, 3, lines, columns], contiguous."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def to_picture(tensor):
    """[1, 3, lines, columns] → [lines, columns, 3]."""
    return tensor[0].transpose(1, 2, 0)

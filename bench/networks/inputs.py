# SPDX-License-Identifier: Apache-2.0
"""What the networks are fed with. Each function makes the input of an index; those that calibrate
and those that are judged by share no photograph, page, drawing or turn."""

import numpy as np
from PIL import Image

from demo import assets, lidar, pages
from seed import clicks

# photographs inside packages: to calibrate on, and unseen
SEEN = [
    ("skimage", "data/astronaut.png"),
    ("skimage", "data/rocket.jpg"),
    ("skimage", "data/motorcycle_left.png"),
    ("sklearn", "datasets/images/flower.jpg"),
]
UNSEEN = [
    ("skimage", "data/chelsea.png"),
    ("skimage", "data/coffee.png"),
    ("skimage", "data/hubble_deep_field.jpg"),
    ("sklearn", "datasets/images/china.jpg"),
]
FIRST_UNSEEN = 1000  # indices below calibrate
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
OCCUPIED = 0.3  # of CenterPoint's places behind its sparse layers


def photograph(index, size):
    """uint8 [size, size, 3]: a square of a photograph, at a place drawn from the index."""
    files = UNSEEN if index >= FIRST_UNSEEN else SEEN
    rng = np.random.default_rng(index)
    with Image.open(assets.in_python_package(*files[index % len(files)])) as image:
        left, top = (int(rng.integers(0, most - size + 1)) for most in image.size)
        return np.asarray(image.convert("RGB").crop((left, top, left + size, top + size)))


def _nchw(x):
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None], np.float32)


def picture(index, size):
    """0…1."""
    return _nchw(photograph(index, size) / np.float32(255))


def classified(index, size=224):
    return _nchw((photograph(index, size) / np.float32(255) - MEAN) / DEVIATION)


def lite0(index, size=224):
    return _nchw((photograph(index, size) - np.float32(127)) / np.float32(128))


def drawing(index):
    """Characters over a photograph, and their boxes."""
    return clicks.picture(index, photograph(index, 200))


def clicked(index):
    return clicks.for_detection(drawing(index)[0])


def page(index):
    """Four pages, 640 x 640."""
    four = [pages.for_detection(pages.page(4 * index + at)) for at in range(4)]
    rows = [np.concatenate(four[at : at + 2], axis=3) for at in (0, 2)]
    return np.ascontiguousarray(np.concatenate(rows, axis=2))


def text(index):
    """What the line says."""
    return pages.page(index).lines[0][0]


def line(index, columns=320):
    """The first line of a page, 48 x 320, narrowed or filled up with zeros."""
    sheet = pages.page(index)
    x = pages.for_reading(sheet, sheet.lines[0][1])
    if x.shape[3] > columns:
        size = columns, x.shape[2]
        planes = [Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR) for plane in x[0]]
        x = np.stack([np.asarray(plane) for plane in planes])[None]
    return np.pad(x, ((0, 0), (0, 0), (0, 0), (0, columns - x.shape[3])))


def _pillar_layer():
    return lidar.draw_pillar_layer(lidar.pillars(lidar.load_points(mirrored=True)))


def turn(index):
    """PointPillars' grid: the recorded turn, turned; to calibrate on, mirrored as well."""
    points = lidar.load_points(turned=37.0 * index, mirrored=index < FIRST_UNSEEN)
    return lidar.grid(lidar.pillars(points), *_pillar_layer())


def places(index, channels=256, size=180):
    """CenterPoint's grid, drawn: values of 0 and above at places that lie together."""
    rng = np.random.default_rng(index)
    coarse = rng.random((size // 6, size // 6)).repeat(6, axis=0).repeat(6, axis=1)
    taken = coarse + 0.2 * rng.random((size, size)) < OCCUPIED + 0.1
    level = np.exp(rng.normal(0, 0.5, (channels, 1, 1)))
    x = np.maximum(rng.normal(size=(channels, size, size)), 0) * level * taken
    return np.ascontiguousarray(x[None], np.float32)

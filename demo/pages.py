# SPDX-License-Identifier: Apache-2.0
"""Pages of printed text with known words, rendered from a seed: what the reading networks are
calibrated and evaluated on."""

import dataclasses
import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import assets

WORDS = (
    "scale zero point row column kernel tensor layer channel weight input output batch image "
    "border line page number table stride pad smooth search signal noise error float integer "
    "round clip range sample value memory thread core cache store load panel block strip window "
    "filter network detector sensor point cloud picture letter word"
).split()
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf")
PACKAGE = "fonts-dejavu-core"
SIZE = 320  # lines and columns of a page
LINE_HEIGHT = 48  # of a line as the reader wants it
MEAN, DEVIATION = (
    np.array([0.485, 0.456, 0.406], np.float32),
    np.array([0.229, 0.224, 0.225], np.float32),
)


@dataclasses.dataclass(frozen=True)
class Wear:
    """How hard pages are to read: sizes of their letters, deviation of the noise, how far the ink
    has faded to the paper."""

    sizes: tuple = (15, 27)
    noise: float = 4
    fade: float = 0


CLEAN, WORN = Wear(), Wear((11, 17), 12, 0.5)


@functools.cache
def _font(name, size):
    return ImageFont.truetype(str(assets.in_debian_package(PACKAGE, "/" + name)), size)


def _colours(rng, fade):
    """Paper and ink, light on dark now and then."""
    paper, ink = rng.integers(200, 256, 3), rng.integers(0, 90, 3)
    ink = np.rint(ink + fade * (paper - ink)).astype(int)
    return tuple(map(tuple, (ink, paper) if rng.random() < 0.2 else (paper, ink)))


@dataclasses.dataclass(frozen=True)
class Page:
    """A picture (uint8 [lines, columns, 3]) and its lines: (text, (left, top, right, bottom))."""

    pixels: np.ndarray
    lines: list


def page(seed, wear=CLEAN):
    rng = np.random.default_rng(seed)
    paper, ink = _colours(rng, wear.fade)
    sheet = Image.new("RGB", (SIZE, SIZE), paper)
    draw, lines, top = ImageDraw.Draw(sheet), [], 12
    while top < SIZE - 40:
        font = _font(FONTS[rng.integers(len(FONTS))], int(rng.integers(*wear.sizes)))
        text = " ".join([*rng.choice(WORDS, 2), str(rng.integers(10000))])
        left = int(rng.integers(8, 40))
        box = draw.textbbox((left, top), text, font)
        if box[2] < SIZE - 4:
            draw.text((left, top), text, ink, font)
            lines.append((text, box))
        top = int(box[3]) + int(rng.integers(10, 22))
    noisy = np.asarray(sheet, np.float32) + rng.normal(0, wear.noise, (SIZE, SIZE, 3))
    return Page(np.uint8(np.clip(np.rint(noisy), 0, 255)), lines)


def for_detection(found):
    """float32 [1, 3, SIZE, SIZE] as the detection network wants it."""
    x = (found.pixels[..., ::-1] / np.float32(255) - MEAN) / DEVIATION
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None], np.float32)


def for_reading(found, box, margin=3):
    """One line of a page, float32 [1, 3, LINE_HEIGHT, columns]; the columns are a multiple of 8."""
    left, top, right, bottom = (int(v) for v in box)
    crop = found.pixels[
        max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin
    ]
    columns = -(-LINE_HEIGHT * crop.shape[1] // crop.shape[0] // 8) * 8
    line = Image.fromarray(crop).resize((columns, LINE_HEIGHT), Image.Resampling.BILINEAR)
    x = np.asarray(line, np.float32)[..., ::-1] / np.float32(127.5) - 1
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None], np.float32)


def boxes(heat, threshold=0.3):
    """Boxes of the lines in a heat map [SIZE, SIZE]: connected runs of lines, grown as the
    detector's training shrank them."""
    mask, found = heat > threshold, []
    label = _components(mask)
    for index in range(1, label.max() + 1):
        rows, columns = np.nonzero(label == index)
        if len(rows) < 30:
            continue
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        grow = round(height * width * 1.6 / (2 * (height + width)))
        found.append(
            (columns.min() - grow, rows.min() - grow, columns.max() + grow, rows.max() + grow)
        )
    return sorted(found, key=lambda box: box[1])


def _components(mask):
    """Connected parts of a mask, numbered from 1, by spreading the least number to the
    neighbours."""
    label = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        padded = np.pad(label, 1, constant_values=0)
        spread = np.max(
            [
                padded[1 + r : padded.shape[0] - 1 + r, 1 + s : padded.shape[1] - 1 + s]
                for r in (-1, 0, 1)
                for s in (-1, 0, 1)
            ],
            axis=0,
        )
        spread = np.where(mask, spread, 0)
        if (spread == label).all():
            return np.searchsorted(np.unique(label), label)
        label = spread


def text_of(scores, characters):
    """What the reader's output [1, steps, characters] says: the best character of each step,
    repeats and blanks dropped."""
    best = scores[0].argmax(axis=1)
    kept = best[np.flatnonzero(np.diff(best, prepend=-1))]
    return "".join(characters[i] for i in kept if i > 0)


def edits(wanted, made):
    """Levenshtein's distance."""
    row = list(range(len(made) + 1))
    for i, a in enumerate(wanted, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(made, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]

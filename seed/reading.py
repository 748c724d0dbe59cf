# SPDX-License-Identifier: Apache-2.0
"""Reading pages end to end, clean ones and worn ones: PP-OCRv4 detection, then recognition, in
float, plain int8 and searched int8; characters right, with the intervals of a bootstrap over pages.
Exit 1 where searched int8 loses more than half of what plain int8 loses on either."""

import argparse
import pathlib
import sys

import numpy as np

from demo import ocr, pages

from . import networks
from .zoo import Protocol

SAMPLES = 2000  # of the bootstrap
SLACK = 0.001  # of the characters: less than this is not told apart


def interval(counts, rng):
    """Share of characters that are wrong, and its 95 % interval over pages. counts: [page, (edits,
    characters)]; edits may be the difference of two readers'."""
    picks = counts[rng.integers(len(counts), size=(SAMPLES, len(counts)))].sum(axis=1)
    lo, hi = np.percentile(picks[:, 0] / picks[:, 1], [2.5, 97.5])
    return counts[:, 0].sum() / counts[:, 1].sum(), lo, hi


def run(detect, read, sheets):
    """[page, (edits, characters)] of each contender."""
    alphabet = ocr.characters()
    return [
        np.array([ocr.errors(sheet, ocr.read_page(sheet, *nets, alphabet)) for sheet in sheets])
        for nets in zip(detect, read)
    ]


def tell(kind, exact, plain, searched):
    """Prints what each contender got right, and what int8 lost against float on the same pages.
    Whether the searched one lost too much."""
    rng, lost = np.random.default_rng(1), {}
    for name, counts in (("float", exact), ("plain int8", plain), ("searched int8", searched)):
        wrong, lo, hi = interval(counts, rng)
        print(
            f"{kind}, {name:14} {100 * (1 - wrong):.2f} % of the characters right "
            f"[{100 * (1 - hi):.2f}, {100 * (1 - lo):.2f}], "
            f"{len(counts)} pages"
        )
        lost[name] = interval(np.stack([counts[:, 0] - exact[:, 0], counts[:, 1]], axis=1), rng)
    for name in ("plain int8", "searched int8"):
        print(
            "{}, lost by {}: {:.2f} points [{:.2f}, {:.2f}]".format(
                kind, name, *(100 * share for share in lost[name])
            )
        )
    return lost["searched int8"][0] > max(SLACK, lost["plain int8"][0] / 2)


def main():
    parser = argparse.ArgumentParser(prog="python -m seed.reading", description=__doc__)
    parser.add_argument(
        "--calibration", type=pathlib.Path, default=networks.HERE / "calibration.json"
    )
    parser.add_argument(
        "--evaluation", type=pathlib.Path, default=networks.HERE / "evaluation.json"
    )
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/seed"))
    options = parser.parse_args()
    calibration, failed = Protocol.read(options.calibration), False
    detect, read = (
        networks.search(f"PP-OCRv4 {part}", calibration, options.out)[:3] for part in ("det", "rec")
    )
    evaluation = Protocol.read(options.evaluation)
    for kind, seeds, wear in (
        ("clean", evaluation.pages, pages.CLEAN),
        ("worn", evaluation.worn, pages.WORN),
    ):
        failed |= bool(seeds) and tell(
            kind, *run(detect, read, [pages.page(seed, wear) for seed in seeds])
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

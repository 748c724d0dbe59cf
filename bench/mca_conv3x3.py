#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Multiply-adds a cycle of whole 3x3 layers by NEON's Winograd kernel, transforms counted, by
llvm-mca: a model, with caches and branches perfect.

  python3 bench/mca_conv3x3.py build-aarch64 [--cpu cortex-a72 ...]

The kernel's loops are found in its object by what they hold, and their cycles added up for a tile
of 4x4 outputs. Left out are what both ways have, the epilogue and copies, and the weights'
preparation, once a call. Beside it, in brackets, the inner loop of the product as it is."""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lint"))
import binary

from bench import mca

CPUS = "cortex-a53 cortex-a55 cortex-a72 neoverse-n1 neoverse-v1".split()
CHANNELS = (16, 32, 64, 128, 256)  # of the input, and as many output channels
ROWS, OC, LANES = 24, 16, 8  # of a call of the register tile; 16-bit values of a vector
POINTS, LINES, OUTPUTS = 36, 6, 16
PIXELS = 5  # whose lines are transformed for a tile: of two tiles side by side 10


def count(body, pattern):
    return sum(bool(re.match(pattern, text)) for text in body)


# What each loop holds, and no other one.
ROLES = {
    "products": lambda body: count(body, r"smlal2?\s+v\d+\.4s") >= 16,
    "row terms": lambda body: count(body, r"smlsl2?\s") == 8 and count(body, r"uzp1\s") == 4,
    "weight terms": lambda body: count(body, r"smlsl2?\s") == 8 and not count(body, r"uzp1\s"),
    "down": lambda body: count(body, r"s(?:xtl|shll)\s+v") == LINES and mca.straight(body),
    "along": lambda body: count(body, r"str\s+q") == LINES and count(body, r"shl\s+v") >= 5,
    "outputs": lambda body: count(body, r"mul\s+v\d+\.4s") == OUTPUTS,
    "direct": lambda body: count(body, r"sadalp\s") == 24,
}


def loops(build):
    """{role: body}; of the products also `tile`, what lies around their loop."""
    found = {}
    for isa, path in build.objects():
        if isa != "neon" or not re.search(r"conv3x3_s8s8|gemm_3x16", path.name):
            continue
        for text in binary.functions(build.code(path)).values():
            spans = binary.loop_spans(text)
            for first, last in binary.innermost(spans):
                body = [t for _, t in text[first : last + 1]]
                for role in (name for name, holds in ROLES.items() if holds(body)):
                    found.setdefault(role, body)
                    if role == "products":
                        around = [s for s in spans if s[0] < first and last < s[1]]
                        a, b = min(around, key=lambda span: span[1] - span[0])
                        found["tile"] = [t for _, t in text[a:first] + text[last + 1 : b + 1]]
    return found


def layer(took, channels):
    """Cycles of a tile of 4x4 outputs."""
    quads, panels = channels / 4, channels / OC
    row = took["products"] / 2 + took["row terms"] / 16 + took["weight terms"] / ROWS
    points = POINTS * panels * (quads * row + took["tile"] / 2)
    inputs = channels / LANES * (PIXELS * took["down"] + LINES * took["along"])
    return points + inputs + channels / 4 * took["outputs"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--cpu", nargs="+", default=CPUS)
    options = parser.parse_args()
    found = loops(binary.Build(options.build))
    missing = (ROLES.keys() | {"tile"}) - found.keys()
    if missing:
        print(f"no loop was found of: {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    print(f"| channels | {' | '.join(options.cpu)} |\n|---{'|---' * len(options.cpu)}|")
    took = [dict(zip(found, mca.cycles(cpu, found.values()))) for cpu in options.cpu]
    direct = mca.macs_of(found["direct"])
    for channels in CHANNELS:
        macs = OUTPUTS * 9 * channels * channels
        cells = [f"{macs / layer(t, channels):.1f} ({direct / t['direct']:.1f})" for t in took]
        print(f"| {channels} | {' | '.join(cells)} |")
    for cpu, t in zip(options.cpu, took):
        print(f"{cpu}, cycles of a turn: " + ", ".join(f"{r} {c:.0f}" for r, c in t.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

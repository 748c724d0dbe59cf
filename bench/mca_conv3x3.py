#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Multiply-adds a cycle of whole 3x3 layers by NEON's Winograd kernels, transforms counted, by
llvm-mca: a model, with caches and branches perfect.

  python3 bench/mca_conv3x3.py build-aarch64 [--cpu cortex-a72 ...]

A kernel's loops are found in its object by what they hold, and their cycles added up for a tile of
4x4 outputs. Left out are what both ways have, the epilogue and copies, and the weights'
preparation, once a call. Beside it, in brackets, the inner loop of the product as it is."""

import argparse
import dataclasses
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lint"))
import binary

from bench import mca

CPUS = "cortex-a53 cortex-a55 cortex-a72 neoverse-n1 neoverse-v1".split()
CHANNELS = (16, 32, 64, 128, 256)  # of the input, and as many output channels
OC, LANES = 16, 8  # of a call of the register tile; 16-bit values of a vector
OUTPUTS = 16


@dataclasses.dataclass
class Algorithm:
    """A kernel's, by a line's points."""

    kernel: str
    lines: int
    pixels: float  # whose lines are transformed for a tile: of two tiles side by side twice
    rows: int  # of a call of the register tile

    def roles(self):
        """What each loop holds, and no other one."""
        return {
            "products": lambda body: count(body, r"smlal2?\s+v\d+\.4s") >= 16,
            "row terms": lambda b: count(b, r"smlsl2?\s") == 8 and count(b, r"uzp1\s") == 4,
            "weight terms": lambda b: count(b, r"smlsl2?\s") == 8 and not count(b, r"uzp1\s"),
            "down": lambda b: count(b, r"ldr\s+d") == self.lines and mca.straight(b),
            "along": lambda b: count(b, r"str\s+q") == self.lines and mca.straight(b),
            "outputs": lambda b: count(b, r"mul\s+v\d+\.4s") == OUTPUTS,
        }

    def layer(self, took, channels):
        """Cycles of a tile of 4x4 outputs."""
        quads, panels = channels / 4, channels / OC
        terms = took["row terms"] / 16 / panels + took["weight terms"] / self.rows
        row = took["products"] / 2 + terms
        points = self.lines**2 * panels * (quads * row + took["tile"] / 2)
        inputs = channels / LANES * (self.pixels * took["down"] + self.lines * took["along"])
        return points + inputs + channels / 4 * took["outputs"]


ALGORITHMS = [Algorithm("conv3x3_s8s8", 6, 5, 24), Algorithm("conv3x3s2f4_s8s8", 9, 8.5, 12)]


def count(body, pattern):
    return sum(bool(re.match(pattern, text)) for text in body)


def loops(build, kernel, roles):
    """{role: body} of the kernel's loops; of the products also `tile`, what lies around theirs."""
    found = {}
    for isa, path in build.objects():
        if isa != "neon" or kernel not in path.name:
            continue
        for text in binary.functions(build.code(path)).values():
            spans = binary.loop_spans(text)
            for first, last in binary.innermost(spans):
                body = [t for _, t in text[first : last + 1]]
                for role in (name for name, holds in roles.items() if holds(body)):
                    found.setdefault(role, body)
                    if role == "products":
                        around = [s for s in spans if s[0] < first and last < s[1]]
                        a, b = min(around, key=lambda span: span[1] - span[0])
                        found["tile"] = [t for _, t in text[a:first] + text[last + 1 : b + 1]]
    return found


def show(build, algorithm, cpus, direct):
    """A kernel's table, and the loops it is made of. Returns the roles of which none was found."""
    roles = algorithm.roles()
    found = loops(build, algorithm.kernel, roles)
    missing = (roles.keys() | {"tile"}) - found.keys()
    if missing:
        return missing
    print(f"| {algorithm.kernel}: channels | {' | '.join(cpus)} |\n|---{'|---' * len(cpus)}|")
    took = [dict(zip(found, mca.cycles(cpu, found.values()))) for cpu in cpus]
    for channels in CHANNELS:
        macs = OUTPUTS * 9 * channels * channels
        cells = [
            f"{macs / algorithm.layer(t, channels):.1f} ({plain:.1f})"
            for t, plain in zip(took, direct)
        ]
        print(f"| {channels} | {' | '.join(cells)} |")
    for cpu, t in zip(cpus, took):
        print(f"{cpu}, cycles of a turn: " + ", ".join(f"{r} {c:.0f}" for r, c in t.items()))
    return set()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--cpu", nargs="+", default=CPUS)
    options = parser.parse_args()
    build = binary.Build(options.build)
    plain = loops(build, "gemm_3x16", {"direct": lambda b: count(b, r"sadalp\s") == 24})["direct"]
    direct = [mca.macs_of(plain) / mca.cycles(cpu, [plain])[0] for cpu in options.cpu]
    missing = set().union(*(show(build, one, options.cpu, direct) for one in ALGORITHMS))
    if missing:
        print(f"no loop was found of: {', '.join(sorted(missing))}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

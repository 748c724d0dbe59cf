#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Multiply-adds a cycle of a build's Arm kernels, by llvm-mca: a model, with caches and branches
perfect. Each inner loop that multiplies is cut from the kernel's object, with its loads, counts and
branch; its multiply-adds are counted from the instructions found.

  python3 bench/mca.py build-aarch64 [--kernel gemm] [--cpu neoverse-n1 ...] [--mca llvm-mca-22]"""

import argparse
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "lint"))
import binary

CPUS = "neoverse-n1 neoverse-n2 neoverse-v1 neoverse-v2 cortex-a55".split()
MACS = {"smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}  # of bytes, in a register of 16
MACS |= {"sdot": 16, "sudot": 16, "usdot": 16, "smmla": 32, "usmmla": 32}
TURNS = 200  # enough for the start to count for nothing


def macs_of(body):
    return sum(MACS.get(text.split()[0], 0) for text in body)


def assembly(body):
    """A loop as llvm-mca reads it: no comments, and a label in place of addresses."""
    lines = [re.sub(r"\s*(?://.*|<[^>]*>.*)$", "", text) for text in body]
    lines[-1] = re.sub(r"[0-9a-f]+$", "loop", lines[-1])
    return "\n".join(["loop:", *lines, ""])


def cycles(mca, cpu, text):
    """Cycles of a turn, or None where llvm-mca does not know the CPU."""
    command = [mca, "-mtriple=aarch64", "-mattr=+dotprod,+i8mm", f"-mcpu={cpu}"]
    command.append(f"-iterations={TURNS}")
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    found = re.search(r"^Total Cycles:\s+(\d+)", done.stdout, re.MULTILINE)
    return int(found[1]) / TURNS if found else None


def loops(build, kernel):
    """(kernel and function, body) of the loops that multiply bytes."""
    for isa, path in build.objects():
        if isa in ("", "ref") or not re.search(kernel, path.name):
            continue
        for name, instructions in binary.functions(build.code(path)).items():
            for body in binary.inner_loops(instructions):
                if macs_of(body):
                    yield f"{path.name.removesuffix('.c.o')}: {name}", body


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--kernel", default="")
    parser.add_argument("--cpu", nargs="+", default=CPUS)
    parser.add_argument("--mca", default="llvm-mca")
    options = parser.parse_args()
    for name, body in loops(binary.Build(options.build), options.kernel):
        took = [cycles(options.mca, cpu, assembly(body)) for cpu in options.cpu]
        print(f"{name}: {len(body)} instructions, {macs_of(body)} multiply-adds")
        for cpu, turn in zip(options.cpu, took):
            if turn:
                print(f"  {cpu:12} {turn:7.1f} cycles {macs_of(body) / turn:6.1f} a cycle")


if __name__ == "__main__":
    main()

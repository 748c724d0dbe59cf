#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Multiply-adds a cycle of a build's Arm kernels, by llvm-mca: a model, with caches and branches
perfect. Each inner loop that multiplies and has no other branch is cut from the kernel's object,
with its loads and counts; its multiply-adds are counted from the instructions found.

  python3 bench/mca.py build-aarch64 [--kernel gemm]     prints them
  python3 bench/mca.py build-aarch64 --record            writes bench/results/arm-model.json and the
                                                         table made of it (bench/FIGURES.md)
  python3 bench/mca.py build-aarch64 --check             fails where a loop is not as recorded: has
                                                         less than 0.9 of its figure, or spills more

Another compiler makes other loops, and another llvm-mca knows other processors, so that nothing is
checked by either: exit 77 says that it was skipped."""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lint"))
import binary

from bench.measure import model, tables

RECORD = tables.ROOT / tables.RESULTS / f"{model.NAME}.json"
MCA = "llvm-mca-22"  # the newest that Debian 12 has; older ones take Neoverse cores for others
# Products that each lane of the result gets, by bytes or, where lanes are wider, by what is there.
MULTIPLY = re.compile(r"[su]{1,2}(mull|ml[as]l|dot|mmla)2?\s+v\d+\.(\d+)[hsd]")
A_LANE = {"mull": 1, "mlal": 1, "mlsl": 1, "dot": 4, "mmla": 8}
BRANCH = re.compile(r"(?:b|b\.\w+|cbn?z|tbn?z|bl)\s")
CLONE = re.compile(r"\.(?:isra|constprop|part|cold)(?:\.\d+)*")  # in gcc's names of functions
TURNS = 200  # enough for the start to count for nothing
LEAST = 0.9  # of the recorded figure
SKIPPED = 77


def straight(body):
    """Whether no branch leads past some of it, which the model would not see."""
    return not any(map(BRANCH.match, body[:-1]))


def macs_of(body):
    """Of a turn; 0 where it is not straight."""
    if not straight(body):
        return 0
    found = filter(None, map(MULTIPLY.match, body))
    return sum(A_LANE[one[1]] * int(one[2]) for one in found)


def assembly(number, body):
    """A loop as llvm-mca reads it: no comments, and a label in place of addresses."""
    texts = [re.sub(r"\s*(?://.*|<[^>]*>.*)$", "", text) for text in body]
    lines = [re.sub(r"[0-9a-f]+$", f"loop{number}", t) if BRANCH.match(t) else t for t in texts]
    begin, end = f"# LLVM-MCA-BEGIN {number}", "# LLVM-MCA-END"
    return "\n".join([begin, f"loop{number}:", *lines, end, ""])


def cycles(cpu, bodies):
    """Cycles of a turn of each loop."""
    command = [MCA, "-mtriple=aarch64", "-mattr=+dotprod,+i8mm", f"-mcpu={cpu}"]
    command += [f"-iterations={TURNS}", "-resource-pressure=false", "-instruction-info=false"]
    text = "".join(assembly(number, body) for number, body in enumerate(bodies))
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    found = re.findall(r"^Total Cycles:\s+(\d+)", done.stdout, re.MULTILINE)
    return [int(total) / TURNS for total in found]


def loops(build, kernel=""):
    """{(instruction set, kernel and function, number where it has several): body} of the straight
    loops that multiply."""
    found = {}
    for isa, path in build.objects():
        if isa in ("", "ref") or not re.search(kernel, path.name):
            continue
        file = path.name.removesuffix(".c.o").removeprefix(f"arm_{isa}_")
        seen = collections.Counter()
        for function, instructions in binary.functions(build.code(path)).items():
            name = f"{isa}/{file} {CLONE.sub('', function)}"
            for body in filter(macs_of, binary.inner_loops(instructions)):
                seen[name] += 1
                found[isa, f"{name} {seen[name]}" if seen[name] > 1 else name] = body
    return found


def modelled(found):
    """{loop: [instructions, multiply-adds, spills, multiply-adds a cycle on each core]}; None where
    the core lacks the instruction set."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        turns = list(pool.map(lambda cpu: cycles(cpu, found.values()), model.CORES))
    return {
        name: [len(body), macs_of(body), len(binary.spills(body))]
        + [
            round(macs_of(body) / took[number], 2) if isa in bounds else None
            for took, bounds in zip(turns, model.CORES.values())
        ]
        for number, ((isa, name), body) in enumerate(found.items())
    }


def versions(folder):
    """What made the loops, and what models them."""
    compilers = json.loads((folder / "meson-info" / "intro-compilers.json").read_text())
    c = compilers["host"]["c"]
    said = subprocess.run([MCA, "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "compiler": f"{c['id']} {c['version']}",
        "model": f"llvm-mca {re.search(r'version ([0-9.]+)', said)[1]}",
    }


def bad_loops(known, now):
    """What is not as recorded, of {loop: figures}."""
    for name in sorted(known.keys() ^ now.keys()):
        yield f"{name}: {'is not recorded' if name in now else 'was not found'}"
    for name in sorted(known.keys() & now.keys()):
        (_, _, spills, *least), (_, _, spilled, *reached) = known[name], now[name]
        if spilled > spills:
            yield f"{name}: {spilled} spills, {spills} recorded"
        for core, figure, got in zip(model.CORES, least, reached):
            if figure and (not got or got < LEAST * figure):
                yield f"{name}: {got} multiply-adds a cycle on {core}, {figure} recorded"


def check(made_by, now):
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    for what, version in made_by.items():
        if recorded[what] != version:
            print(f"recorded of {recorded[what]}, this is {version}")
            return SKIPPED
    bad = list(bad_loops(recorded["loops"], now))
    for one in bad:
        print(one)
    if bad:
        print("where that is meant: python3 bench/mca.py BUILD --record")
    failed = len({one.partition(":")[0] for one in bad})
    passed = len(recorded["loops"].keys() | now.keys()) - failed
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if bad else 0


def record(made_by, now):
    found = {"schema": "quernel-arm-model-1", **made_by, "cores": list(model.CORES), "loops": now}
    RECORD.write_text(tables.compact(found), encoding="utf-8")
    tables.write()
    return 0


def show(now):
    for name, (instructions, macs, spills, *reached) in now.items():
        print(f"{name}: {instructions} instructions, {macs} multiply-adds, {spills} spills")
        for core, figure in zip(model.CORES, reached):
            if figure:
                print(f"  {core:12} {macs / figure:7.1f} cycles {figure:6.1f} a cycle")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--kernel", default="", help="only those whose file this expression finds")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not shutil.which(MCA):
        print(f"needs {MCA} (Debian: llvm-22)")
        return SKIPPED
    if options.record or options.check:
        act = record if options.record else check
        return act(versions(options.build), modelled(loops(binary.Build(options.build))))
    show(modelled(loops(binary.Build(options.build), options.kernel)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

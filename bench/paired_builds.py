# SPDX-License-Identifier: Apache-2.0
"""Two builds of the `quernel` program, paired: both run every row of the lists, in rounds of random
order.

    python3 bench/paired_builds.py OLD/tune/quernel NEW/tune/quernel [--layers F] [--gemm F]
                                   [--processes N] [--rounds N] [--filter S]
                                   [--boundary B] [--json OUT]

A round times one run of each build, in a process (`quernel compare --serve`) that has checked its
bits. Where the memory of a process lies is worth some per cent of its speed, for as long as it
lives: so each row has --processes pairs of processes. Printed is old over new, the median of the
pairs' medians, with the least and the greatest of them, slowest first; the exit status is 1 where
even the greatest lies below 1 - TOLERANCE."""

import argparse
import csv
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import rows

TOLERANCE = 0.02
# A demand that changes no plan: the served side is the default one.
NO_CHANGE = "prefetch=16384"
CALLS_NS = 2e6  # a sample lasts at least this long, in whole runs
CALLS_MOST = 64


class Build:
    """A layer of one build, ready to be timed."""

    def __init__(self, program, kind, path, boundary):
        self.command = [program, "compare", kind, path, "--boundary", boundary]
        self.command += ["--config", NO_CHANGE, "--serve"]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.calls = 1
        self.calls = max(1, min(CALLS_MOST, int(CALLS_NS / max(self.sample(), self.sample()))))

    def once(self):
        self.process.stdin.write("0\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("no answer: " + " ".join(map(str, self.command)))
        return float(answer)

    def sample(self):
        return sum(self.once() for _ in range(self.calls)) / self.calls

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def race(old, new, rounds):
    """(ratios of the rounds, old's times, new's times)"""
    times = {old: [], new: []}
    for _ in range(rounds):
        for build in random.sample((old, new), 2):
            times[build].append(build.sample())
    return [a / b for a, b in zip(times[old], times[new])], times[old], times[new]


def named(path, wanted):
    for row in rows.read_rows(path):
        name = " ".join(row.get(key) or "" for key in ("model", "layer", "kind")).strip()
        if "m" in row and "model" not in row:
            name += " " + "x".join(row[key] for key in "mnk")
        if wanted in name:
            yield name, row


def race_processes(options, kind, path):
    """(ratio, old's time, new's time) of a pair of processes, medians of its rounds."""
    builds = [Build(p, kind, path, options.boundary) for p in (options.old, options.new)]
    # As many runs a sample for both.
    builds[0].calls = builds[1].calls = max(build.calls for build in builds)
    try:
        return [statistics.median(values) for values in race(*builds, options.rounds)]
    finally:
        for build in builds:
            build.close()


def compare_row(options, kind, row):
    """That of each pair of processes."""
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "row.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow(row)
        return [race_processes(options, kind, path) for _ in range(options.processes)]


def compare(options):
    for kind, path in (("--layers", options.layers), ("--gemm", options.gemm)):
        for name, row in named(path, options.filter) if path else ():
            ratios, old, new = zip(*compare_row(options, kind, row), strict=True)
            result = {"row": name, "ratio": statistics.median(ratios)}
            result |= {"lo": min(ratios), "hi": max(ratios)}
            result |= {"old_ms": statistics.median(old) / 1e6}
            result |= {"new_ms": statistics.median(new) / 1e6}
            print("{row:48} {ratio:.3f} [{lo:.3f}, {hi:.3f}]".format(**result), file=sys.stderr)
            yield result


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--layers")
    parser.add_argument("--gemm")
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--filter", default="")
    parser.add_argument("--boundary", default="int8")
    parser.add_argument("--json")
    options = parser.parse_args()
    results = sorted(compare(options), key=lambda result: result["ratio"])
    for result in results:
        print(
            "{row:48} {old_ms:9.3f} {new_ms:9.3f} ms  {ratio:.3f} [{lo:.3f}, {hi:.3f}]".format(
                **result
            )
        )
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1), encoding="utf-8")
    slower = [result["row"] for result in results if result["hi"] < 1 - TOLERANCE]
    print(f"{len(results)} rows, {len(slower)} surely slower by more than {TOLERANCE:.0%}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())

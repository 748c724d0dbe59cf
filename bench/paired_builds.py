# SPDX-License-Identifier: Apache-2.0
"""Two builds of the `quernel` program, paired: both run every row of the lists, in rounds of random
order.

    python3 bench/paired_builds.py OLD/tune/quernel NEW/tune/quernel [--layers F] [--gemm F]
                                   [--rounds N] [--filter S] [--boundary B] [--json OUT]

Each row is a process of each build (`quernel compare --serve`) that has checked its bits; a round
times one run of each. Printed is old over new, the median of the paired ratios with its 95 %
interval, slowest first; the exit status is 1 where an interval lies wholly below 1 - TOLERANCE."""

import argparse
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

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


def interval(values):
    """Median and the 95 % interval of its order statistics."""
    values = sorted(values)
    n = len(values)
    reach = int(0.98 * n**0.5 + 0.5)
    low, high = max(0, n // 2 - reach), min(n - 1, (n - 1) // 2 + reach)
    middle = (values[(n - 1) // 2] + values[n // 2]) / 2
    return middle, values[low], values[high]


def race(old, new, rounds):
    """(ratios of the rounds, old's times, new's times)"""
    times = {old: [], new: []}
    for _ in range(rounds):
        for build in random.sample((old, new), 2):
            times[build].append(build.sample())
    return [a / b for a, b in zip(times[old], times[new])], times[old], times[new]


def rows_of(path, wanted):
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            name = " ".join(row.get(key) or "" for key in ("model", "layer", "kind")).strip()
            if "m" in row and "model" not in row:
                name += " " + "x".join(row[key] for key in "mnk")
            if wanted in name:
                yield name, reader.fieldnames, row


def compare_row(options, kind, names, row):
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "row.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerow(row)
        builds = [Build(p, kind, path, options.boundary) for p in (options.old, options.new)]
        # As many runs a sample for both.
        builds[0].calls = builds[1].calls = max(build.calls for build in builds)
        try:
            return race(*builds, options.rounds)
        finally:
            for build in builds:
                build.close()


def compare(options):
    for kind, path in (("--layers", options.layers), ("--gemm", options.gemm)):
        for name, names, row in rows_of(path, options.filter) if path else ():
            ratios, old, new = compare_row(options, kind, names, row)
            ratio, lo, hi = interval(ratios)
            result = {"row": name, "ratio": ratio, "lo": lo, "hi": hi}
            result |= {"old_ms": interval(old)[0] / 1e6, "new_ms": interval(new)[0] / 1e6}
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
    parser.add_argument("--rounds", type=int, default=15)
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

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All tests, in every build they are for: what `./dev test` runs once the tools are there.

Each stage builds what it needs into build-<name>/ and yields an Outcome. stdout gets a line for
each stage with its skips, failures and figures, and as its last line the counts of everything;
stderr the progress."""

import argparse
import sys
import time

import stages_aarch64
import stages_around
import stages_native
import stages_simulated
from builds import Suite
from run import Outcome

STAGES = [
    ("simulated", stages_simulated.simulated),  # first: it says what no CPU has to run any more
    ("gcc", stages_native.gcc),
    ("ceilings", stages_native.ceilings),
    ("CPUID masked", stages_native.masked),
    ("sanitizers", stages_native.sanitized),
    ("threads", stages_native.threads),
    ("clang", stages_native.clang),
    ("aarch64", stages_aarch64.aarch64),
    ("faults", stages_around.faults),
    ("python", stages_around.python),
    ("engines", stages_around.engines),
    ("install", stages_around.installed),
    ("abi", stages_around.abi),
    ("docs", stages_around.docs),
    ("clang-tidy", stages_around.tidy),
    ("lint", stages_around.lint),
]


def parser_of_options():
    parser = argparse.ArgumentParser(description="All tests; ./dev test installs what they need.")
    parser.add_argument("--long", action="store_true", help="more random cases, and libFuzzer")
    parser.add_argument(
        "--stage", action="append", help="only this one: " + ", ".join(name for name, _ in STAGES)
    )
    parser.add_argument(
        "--may-install", action="store_true", help="a missing tool is a failure, not a skip"
    )
    parser.add_argument("--meson", default="meson")
    parser.add_argument("--ninja", default="ninja")
    parser.add_argument("--gcc", default="gcc")
    parser.add_argument("--clang", default="", help="empty: there is none")
    parser.add_argument("--python", default="", help="one that has NumPy; empty: there is none")
    return parser


def parse():
    parser = parser_of_options()
    options = parser.parse_args()
    stages = STAGES + ([("libFuzzer", stages_native.fuzz)] if options.long else [])
    unknown = set(options.stage or ()) - {name for name, _ in stages}
    if unknown:
        parser.error(f"--stage: {', '.join(sorted(unknown))}: no such stage")
    return options, [
        (name, stage) for name, stage in stages if not options.stage or name in options.stage
    ]


def timed(name, stage, suite):
    """Runs a stage and prints its line, its skips and its failures."""
    print(f"== {name}", file=sys.stderr, flush=True)
    start = time.monotonic()
    outcome = stage(suite).without(suite.checked)
    print(
        f"{name}: {outcome} ({time.monotonic() - start:.0f} s)",
        *outcome.lines,
        sep="\n  ",
        flush=True,
    )
    return outcome


def main():
    options, stages = parse()
    suite, total = Suite(options), Outcome()
    for name, stage in stages:
        total.add(timed(name, stage, suite))
    print(total)
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong around the tuner, done to the program: kills, full disks, folders that may not
be written, torn and foreign rows, many tuners at once. faults.py PROGRAM [TEST]...; closes with
"N passed, N failed, N skipped".

Nothing that was published may be lost, nothing may crash, and each trouble is told in one line."""

import pathlib
import subprocess
import sys
import tempfile
import time

from trouble import commands, kills, lists, networks, outputs, tables
from trouble.program import Skip

MODULES = commands, lists, tables, outputs, networks, kills
TESTS = [test for module in MODULES for test in module.TESTS]


def outcome_of(test):
    """(outcome, why) of a test in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="quernel-faults-") as folder:
        try:
            test(pathlib.Path(folder))
        except Skip as reason:
            return "skipped", f": {reason}"
        except (AssertionError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            return "failed", f": {error!r}"
    return "passed", ""


def main():
    counts, only = {"passed": 0, "failed": 0, "skipped": 0}, sys.argv[2:]
    for test in TESTS:
        if only and test.__name__ not in only:
            continue
        start = time.monotonic()
        outcome, why = outcome_of(test)
        counts[outcome] += 1
        print(f"{test.__name__}: {outcome}{why} ({time.monotonic() - start:.1f} s)", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

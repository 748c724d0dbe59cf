#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the test programs of one build folder and adds up their counts.

Every test program ends with a line "N passed, N failed, N skipped" on stdout, and prints each skip
as a line of its own that says "skipped" and, behind the last colon before it, why. Criterion's own
summary is read as well. A program with neither is one test: exit 0 passed, 77 skipped (its last
line is the reason), anything else failed."""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")
CRITERION = re.compile(
    r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SKIP_REASON = re.compile(r"(\[SKIP\]|\bskipped\b).*: \S")
# A skip for want of an instruction set, and of what.
CANNOT_RUN = re.compile(r"\b(quernel_uk_\w+|ceiling \w+): .*\bcannot run it$")
LINES_OF_A_FAILURE = 60


@dataclasses.dataclass
class Outcome:
    """What came of one program or one step."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    # reasons of skips, output of failures, how to replay
    lines: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.lines += other.lines
        return self

    def without(self, checked):
        """Takes out the skips for want of an instruction set whose subject was checked without."""
        found = [(line, CANNOT_RUN.search(line)) for line in self.lines]
        kept = [line for line, subject in found if not subject or subject[1] not in checked]
        covered = len(self.lines) - len(kept)
        self.skipped -= covered
        self.lines = kept
        if covered:
            self.lines.append(f"{covered} that this CPU cannot run: checked by stage simulated")
        return self

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def skip(reason):
    return Outcome(skipped=1, lines=[f"skipped: {reason}"])


def failure(what, output, replay):
    """One failure: its output, shortened at the front, and the command that shows it again."""
    lines = output.rstrip().splitlines()
    if len(lines) > LINES_OF_A_FAILURE:
        lines = [f"... {len(lines) - LINES_OF_A_FAILURE} lines more"] + lines[-LINES_OF_A_FAILURE:]
    return Outcome(
        failed=1,
        lines=[f"FAILED: {what}", *("    " + line for line in lines), f"    replay: {replay}"],
    )


def counts_of(stdout, stderr):
    """The counts a program printed, or None. stdout's last line, or Criterion's summary."""
    last = stdout.rstrip().rsplit("\n", 1)[-1]
    found = COUNTS.match(last)
    if found:
        return tuple(map(int, found.groups()))
    found = CRITERION.search(COLOUR.sub("", stderr)) or CRITERION.search(COLOUR.sub("", stdout))
    if found:
        tested, passing, failing, crashing = map(int, found.groups())
        return passing, failing + crashing, tested - passing - failing - crashing
    return None


def outcome_of(name, code, stdout, stderr, replay):
    """Turns a finished program into an Outcome. A crash or a bad exit counts even where the counts
    look well."""
    counts = counts_of(stdout, stderr)
    reasons = [
        line.strip()
        for line in COLOUR.sub("", stdout + "\n" + stderr).splitlines()
        if SKIP_REASON.search(line)
    ]
    if counts is None:
        if code == 0:
            return Outcome(passed=1)
        if code == 77:
            return skip(f"{name}: {(stdout or stderr).rstrip().rsplit(chr(10), 1)[-1]}")
        return failure(f"{name}: exit {code}", stdout + stderr, replay)
    passed, failed, skipped = counts
    if failed == 0 and code != 0:
        return Outcome(passed, 0, skipped).add(
            failure(f"{name}: exit {code}", stdout + stderr, replay)
        )
    if failed:
        outcome = failure(f"{name}: {failed} failed", stdout + stderr, replay)
        outcome.passed, outcome.failed, outcome.skipped = passed, failed, skipped
        return outcome
    if passed + skipped == 0:
        return failure(f"{name}: it tested nothing", stdout + stderr, replay)
    if skipped and not reasons:
        return Outcome(passed, 0, skipped).add(
            failure(f"{name}: skipped without a reason", stdout + stderr, replay)
        )
    return Outcome(
        passed, 0, skipped, [f"skipped: {name}: {reason}" for reason in reasons[:skipped]]
    )


def text_of(output):
    if isinstance(output, bytes):
        return output.decode(errors="replace")
    return output or ""


def run_program(name, command, env=None, cwd=None, timeout=None):
    env = env or {}
    words = [f"{key}={shlex.quote(value)}" for key, value in sorted(env.items())]
    replay = " ".join(words + [shlex.join(map(str, command))])
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **env},
            cwd=cwd,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        return failure(
            f"{name}: longer than {timeout} s",
            text_of(expired.stdout) + text_of(expired.stderr),
            replay,
        )
    except OSError as error:
        return failure(f"{name}: {error}", "", replay)
    return outcome_of(name, done.returncode, text_of(done.stdout), text_of(done.stderr), replay)


def tests_of(build, suites, names=None):
    with open(pathlib.Path(build) / "meson-info" / "intro-tests.json", encoding="utf-8") as file:
        tests = json.load(file)
    of_suite = [t for t in tests if suites & {s.rsplit(":", 1)[-1] for s in t["suite"]}]
    return [t for t in of_suite if not names or t["name"] in names]


NO_TABLES = {"QUERNEL_TABLE": "none"}  # plans must not depend on what was tuned on this machine


def run_build(
    build, suites=("plain",), names=None, env=None, wrapper=(), jobs=None, slower=1, without=()
):
    """Runs the tests of a build folder, but those in `without`, several at a time. `wrapper` comes
    before each command (an emulator)."""
    tests = [t for t in tests_of(build, set(suites), names) if t["name"] not in without]
    tests.sort(key=lambda test: -test["timeout"])  # the longest first: no core waits for it alone
    missing = set(names or ()) - {t["name"] for t in tests}
    if missing or not tests:
        return failure(
            f"no such test: {', '.join(sorted(missing)) or 'none at all'}", "", f"ninja -C {build}"
        )

    def run(test):
        timeout = test["timeout"] * slower if test["timeout"] > 0 else None
        own = {**NO_TABLES, **test["env"], **(env or {})}
        return run_program(test["name"], [*wrapper, *test["cmd"]], own, test["workdir"], timeout)

    total = Outcome()
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        for test, outcome in zip(tests, pool.map(run, tests)):
            print(f"  {test['name']}: {outcome}", file=sys.stderr)
            total.add(outcome)
    return total


def main():
    parser = argparse.ArgumentParser(description="Runs the test programs of one build folder.")
    parser.add_argument("build", help="a folder that Meson configured and Ninja has built")
    parser.add_argument("names", nargs="*", help="tests to run; all without any")
    parser.add_argument(
        "--suite", action="append", choices=["plain", "criterion"], help="default: plain"
    )
    parser.add_argument(
        "--wrapper", default="", help='comes before each command, e.g. "qemu-aarch64 -cpu max"'
    )
    parser.add_argument("--jobs", type=int, help="programs at a time; default: one for each CPU")
    options = parser.parse_args()
    outcome = run_build(
        options.build,
        options.suite or ["plain"],
        options.names,
        wrapper=shlex.split(options.wrapper),
        jobs=options.jobs,
    )
    print("\n".join(outcome.lines + [str(outcome)]))
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())

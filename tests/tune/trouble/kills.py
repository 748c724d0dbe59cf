# SPDX-License-Identifier: Apache-2.0
"""Tuners that are killed, interrupted, and many at once."""

import itertools
import os
import pathlib
import random
import signal
import subprocess
import time

from trouble.program import (
    BUDGET,
    expect,
    expect_run,
    layers_of,
    problems,
    rows,
    run,
    start,
    table_of,
    tuned,
)

KILLS = int(os.environ.get("QUERNEL_TEST_KILLS", "100"))
KILLS_PER_LAYER = 10
TUNERS = 32
DEADLINE = 100  # seconds that nothing takes but a hang


def shape(n):
    """A product of its own for each n, small enough to be tuned at once."""
    return f"{4 + n % 5}x{16 + 16 * (n % 3)}x{32 + n}"


def wait_until(condition):
    """Speed decides nothing: what is waited for comes, or the program hangs."""
    end = time.monotonic() + DEADLINE
    while not condition():
        expect(time.monotonic() < end, "the tuner hangs")
        time.sleep(0.005)


def kill_one(home, layers, delay, published):
    """Kills a tuner of these layers after `delay` seconds, but not before the table has
    `published` rows."""
    child = start(home, "tune", *layers_of(*layers), *BUDGET)
    time.sleep(delay)
    wait_until(lambda: len(rows(table_of(home))) >= published or child.poll() is not None)
    child.send_signal(signal.SIGKILL)
    child.wait()


def kills(home):
    """The last kill of each layer waits for its row, so that rows are published on any machine;
    the others come at any moment."""
    path, dice, seen = table_of(home), random.Random(7), set()
    for kill in range(KILLS):
        layers = [shape(n) for n in range(kill // KILLS_PER_LAYER + 1)]
        last = kill % KILLS_PER_LAYER == KILLS_PER_LAYER - 1
        kill_one(home, layers, dice.uniform(0, 0.35), len(layers) if last else 0)
        now = set(rows(path))
        expect(seen <= now, f"kill {kill}: a published row is lost")
        seen = now
    count = KILLS // KILLS_PER_LAYER
    expect(len(seen) == count, f"{len(seen)} rows of {count}")
    expect_run(home, "table", "lint", path)
    every = layers_of(*map(shape, range(count + 1)))  # one is new
    expect_run(home, "tune", *every, *BUDGET, says=f"{count} kept")


def a_crowd_is_killed(home):
    """Tuners that write one table, killed one by one at any moment, another in the place of each;
    those that are left publish what they found."""
    path, dice, numbers, crowd, killed = tuned(home), random.Random(8), itertools.count(16), [], 0
    seen = set(rows(path))
    while killed < KILLS:
        while len(crowd) < TUNERS:
            crowd.append(start(home, "tune", "--gemm", f"4x16x{next(numbers)}", *BUDGET))
        time.sleep(dice.uniform(0, 0.02))
        victim = crowd.pop(dice.randrange(TUNERS))
        victim.send_signal(signal.SIGKILL)
        killed += victim.wait() == -signal.SIGKILL  # else it had done its work
        now = set(rows(path))
        expect(seen <= now, f"kill {killed}: a published row is lost")
        seen = now
    codes = [child.wait() for child in crowd]
    expect(codes == [0] * len(crowd), f"exits {codes}")
    expect(len(problems(path)) > len(crowd), f"{len(problems(path))} rows of {len(crowd)} tuners")
    expect_run(home, "table", "lint", path)


def tuners_at_once(home):
    path = tuned(home)
    children = [start(home, "tune", "--gemm", f"4x16x{16 + n}", *BUDGET) for n in range(TUNERS)]
    # rewriting meanwhile loses no row either
    while any(child.poll() is None for child in children):
        expect(run(home, "table", "merge", path, "--out", path).returncode == 0, "merge")
        time.sleep(0.02)
    codes = [child.wait() for child in children]
    expect(codes == [0] * TUNERS, f"exits {codes}")
    expect(len(problems(path)) == TUNERS + 1, f"{len(problems(path))} rows of {TUNERS + 1}")
    expect_run(home, "table", "lint", path)


def catches_interrupts(child):
    """Whether the process has its handler of SIGINT: before, the signal just ends it."""
    status = pathlib.Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


def interrupt(home):
    words = [*layers_of("64x512x512", "64x512x513"), *BUDGET, "--effort", "exhaustive"]
    child = start(home, "tune", *words, stdout=subprocess.PIPE)
    wait_until(lambda: catches_interrupts(child))
    time.sleep(0.5)  # into the race
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=DEADLINE)
    expect(child.returncode == 130 and b"0 failed" in out, f"exit {child.returncode}: {out}")


TESTS = [kills, a_crowd_is_killed, tuners_at_once, interrupt]

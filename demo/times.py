# SPDX-License-Identifier: Apache-2.0
"""Times of several contenders in one run, and how they are told."""

import random
import time

import numpy as np


def paired(contenders, rounds):
    """Milliseconds of each contender, [rounds]: once per round, in random order, after a call that
    does not count."""
    for run in contenders.values():
        run()
    times = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter()
            contenders[name]()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: np.array(values) for name, values in times.items()}


def interval(values):
    """Median with the 95 % interval of order statistics, as text."""
    ordered, half = np.sort(values), 0.98 * np.sqrt(len(values))
    lo, hi = (
        int(max(0, np.floor(len(values) / 2 - half))),
        int(min(len(values) - 1, np.ceil(len(values) / 2 + half))),
    )
    return f"{np.median(values):.2f} [{ordered[lo]:.2f}, {ordered[hi]:.2f}]"


def tell(times, what):
    """Prints them; the first contender is what the others are compared with."""
    first = next(iter(times))
    print(
        f"\n{what}: whole run, ms, median [95 % interval] of {len(times[first])} rounds in "
        "random order"
    )
    for name, values in times.items():
        ratio = (
            "" if name == first else f"   {interval(times[first] / values)} times {first}'s speed"
        )
        print(f"  {name:24} {interval(values):>28}{ratio}")

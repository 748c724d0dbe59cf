# SPDX-License-Identifier: Apache-2.0
"""What more threads are worth: every layer of a list, or every network, with one thread and with N,
in random order within every round, beside two probes in the same rounds that share nothing: as much
work on N threads as the host really gives. PYTHONPATH=.:python python3 bench/threads.py
bench/shapes/layers.csv [N] [ROUNDS] [int8|f32] [FILTER]"""

import functools
import random
import sys
import threading
import time

import numpy as np

from bench import rows as lists
from bench.peers import problems, quernel_peer, report


def middle(values):
    return "{:.2f} [{:.2f}, {:.2f}]".format(*report.median(values))


def contenders(path, boundary, threads, wanted):
    """(name, the run with one thread, with several, a second independent one with one)."""
    rows = lists.read_rows(path)
    networks = "slice" in rows[0]
    seen = set()
    for row in rows:
        name = row["model"] if networks else lists.name_of(row)
        if wanted not in name or name in seen:
            continue
        seen.add(name)
        kind, model = (
            (problems.NetworkProblem, problems.network_of(rows, name))
            if networks
            else (problems.Problem, problems.layer_of(row))
        )
        make = quernel_peer.make_network if networks else quernel_peer.make
        try:
            counts = (1, threads, *[1] * (threads - 1))
            one, several, *others = (make(kind(model, boundary, n))[0] for n in counts)
        except (quernel_peer.Unsupported, ValueError) as reason:
            print(f"{name}: skipped: {reason}", file=sys.stderr)
            continue
        yield name, one, several, others


def at_once(runs, calls):
    """Seconds per call, of runs each in a thread of its own."""
    gate = threading.Barrier(len(runs) + 1)

    def work(run):
        gate.wait()
        for _ in range(calls):
            run()
        gate.wait()

    workers = [threading.Thread(target=work, args=(run,)) for run in runs]
    for worker in workers:
        worker.start()
    gate.wait()
    start = time.perf_counter()
    gate.wait()
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.join()
    return seconds / (calls * len(runs))


def timed(run, calls):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def main():
    path, boundary = sys.argv[1], (sys.argv[4:5] or [problems.INT8])[0]
    threads, rounds = (int(value) for value in (sys.argv[2:4] + ["2", "21"][len(sys.argv[2:4]) :]))
    print(
        f"{'layer':44} {'1 thread, ms':>12}  over {threads} threads          {threads} layers "
        "alone, at once"
    )
    for name, one, several, others in contenders(
        path, boundary, threads, (sys.argv[5:6] or [""])[0]
    ):
        calls = max(1, int(4e-3 / max(timed(one, 1), timed(one, 1))))
        ways = {
            "one": functools.partial(timed, one, calls),
            "several": functools.partial(timed, several, calls),
            "apart": functools.partial(at_once, [one, *others], calls),
        }
        seconds = {way: np.zeros(rounds) for way in ways}
        for r in range(rounds):
            for way in random.sample(list(ways), len(ways)):
                seconds[way][r] = ways[way]()
        print(
            f"{name:44} {1e3 * np.median(seconds['one']):12.3f}  "
            f"{middle(seconds['one'] / seconds['several']):22} "
            f"{middle(seconds['one'] / seconds['apart'])}",
            flush=True,
        )


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""One contender in a process of its own. Reads lines of JSON: the problem first, answered with its
version and the time of a first run (its output goes to a file), then {"calls": n}, answered with
the seconds of one call."""

import importlib
import json
import os
import sys
import time

import numpy as np

from . import problems


def problem_from(data):
    common = {key: data[key] for key in ("boundary", "threads", "seed")}
    if "rows" in data:
        rows = tuple(
            (problems.Layer(**layer), source, start) for layer, source, start in data["rows"]
        )
        return problems.NetworkProblem(rows, **common)
    return problems.Problem(problems.Layer(**data["layer"]), **common)


def serve(name, answers):
    request = json.loads(sys.stdin.readline())
    problem = problem_from(request)
    peer = importlib.import_module(f".{name}_peer", __package__)
    try:
        whole = isinstance(problem, problems.NetworkProblem)
        if whole and not hasattr(peer, "make_network"):
            raise peer.Unsupported("whole networks are not compared with this peer")
        make = peer.make_network if whole else peer.make
        run, read, note = make(problem)
        run()
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
    except (peer.Unsupported, ValueError, RuntimeError) as reason:
        answers.write(json.dumps({"error": str(reason) or type(reason).__name__}) + "\n")
        return
    np.save(request["output"], read())
    answers.write(json.dumps({"version": peer.version(), "note": note, "once": once}) + "\n")
    for line in sys.stdin:
        calls = json.loads(line)["calls"]
        start = time.perf_counter()
        for _ in range(calls):
            run()
        answers.write(json.dumps({"seconds": (time.perf_counter() - start) / calls}) + "\n")


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w", buffering=1)  # what libraries print goes to stderr
    os.dup2(2, 1)
    serve(sys.argv[1], channel)

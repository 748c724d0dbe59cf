#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drawn and mutated graphs through the plugin, in child processes: no crash, no hang, and a clean
error or right results. What ONNX Runtime runs alone must run with the plugin too.

QUERNEL_FUZZ_GRAPHS and QUERNEL_FUZZ_MUTANTS say how many, QUERNEL_TEST_SEED which is the first.
`fuzz.py --one KIND SEED` runs one of them here (KIND: graph, mutant). Closes with N passed, N
failed, N skipped."""

import argparse
import collections
import contextlib
import faulthandler
import json
import os
import resource
import subprocess
import sys

import draw
import engine
import judge
import mutate
import numpy as np
import onnx

GRAPHS = int(os.environ.get("QUERNEL_FUZZ_GRAPHS", "60"))
MUTANTS = int(os.environ.get("QUERNEL_FUZZ_MUTANTS", "300"))
FIRST = int(os.environ.get("QUERNEL_TEST_SEED", "0"))
BATCH = 100  # seeds of a child: its start takes as long as some twenty of them
SECONDS = 30  # of one graph; most take some milliseconds
MEMORY = 6 << 30  # bytes of address space: wrong sizes must fail, not fill the machine
SMALL = 1 << 22  # elements of results that are judged
EMPTY = "a dimension is 0"  # what the plugin says of a tensor without elements, and may
SHOWN = 12


def drawn(kind, seed):
    """Bytes of a graph, its inputs, and whether all codes are outputs."""
    case = draw.case(1_000_000 + seed)
    model = onnx.ModelProto.FromString(judge.exposed(case))
    if kind == "graph":
        return model.SerializeToString(), case.feeds, True
    rng = np.random.default_rng([seed, 21])
    shown = rng.random() < 0.7  # others: larger islands
    data = mutate.mutant(rng, model if shown else case.model)
    feeds = dict(case.feeds)
    if rng.random() < 0.05:  # a batch of none
        feeds = {name: array[:0] for name, array in feeds.items()}
    return data, feeds, shown


def attempt(make, data, feeds):
    """Results, or the text of the error; and at which step it came."""
    try:
        session = make(data)
    except (*engine.ERRORS, ValueError) as error:
        return "session", str(error)
    feeds = {i.name: feeds[i.name] for i in session.get_inputs() if i.name in feeds}
    try:
        return "run", judge.run(session, feeds)
    except (*engine.ERRORS, ValueError) as error:
        return "error", str(error)


def judged(data, feeds, results):
    """Complaints, or None where nobody can tell."""
    if sum(array.size for array in results.values()) > SMALL:
        return None
    try:
        with np.errstate(all="ignore"):
            return judge.judge(onnx.ModelProto.FromString(data), feeds, results)
    except Exception:  # the meaning is for graphs that mean something
        return None


def basic(data):
    return engine.stock(data, engine.Level.ORT_ENABLE_BASIC)


def complaint(data, feeds, shown, islands):
    """What came of a graph, in a word, and what is wrong with it."""
    step, mine = attempt(lambda d: engine.plugin(d, islands=islands), data, feeds)
    if step != "run":
        other, _ = attempt(basic, data, feeds)
        if other == "run" and EMPTY not in mine:
            return "failed", f"only with the plugin: {step}: {mine}"
        return f"refused at {step}", "" if mine.strip() else "an error without a text"
    wrong = judged(data, feeds, mine) if shown else None
    if not wrong:
        return "right" if wrong is not None else "ran", ""
    # Where ONNX Runtime's own operators are wrong as well, the graph means nothing in particular.
    step, stock = attempt(basic, data, feeds)
    if step == "run" and not judged(data, feeds, stock):
        return "wrong", "; ".join(wrong[:3])
    return "ran", ""


def child(kind, first, count):
    """Runs seeds, with a line before and behind each."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for seed in range(first, first + count):
        print(json.dumps({"seed": seed}), flush=True)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        data, feeds, shown = drawn(kind, seed)
        word, text = "no memory", ""
        with contextlib.suppress(MemoryError):
            word, text = complaint(data, feeds, shown, "units" if seed % 5 == 0 else "all")
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps({"seed": seed, "came": word, "complaint": text}), flush=True)


def run_child(kind, first, count, *more):
    command = [sys.executable, __file__, "--child", kind, str(first), str(count), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def stock_dies(kind, seed):
    """Whether ONNX Runtime alone ends the process as well."""
    return run_child(kind, seed, 1, "--stock").returncode != 0


def batches(kind, count):
    """What came of each seed: (seed, word, complaint). A child that dies is followed by another."""
    seed, end = FIRST, FIRST + count
    while seed < end:
        done = run_child(kind, seed, min(BATCH, end - seed))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        for line in lines:
            if "came" in line:
                yield line["seed"], line["came"], line["complaint"]
        if done.returncode == 0:
            seed = lines[-1]["seed"] + 1
            continue
        if not lines:
            raise RuntimeError(done.stderr)
        seed = lines[-1]["seed"]
        if stock_dies(kind, seed):
            yield seed, "ends ONNX Runtime itself", ""
        else:
            yield seed, "died", f"exit {done.returncode}: {done.stderr[-1500:]}"
        seed += 1


def campaign(kind, count):
    """Prints what came of `count` seeds; the number of them with a complaint."""
    came, bad = collections.Counter(), 0
    for seed, word, text in batches(kind, count):
        came[word] += 1
        if text:
            bad += 1
            if bad <= SHOWN:
                print(f"{kind} {seed}: {word}: {text}\n    replay: fuzz.py --one {kind} {seed}")
    print(f"{count} of {kind}: " + ", ".join(f"{n} {word}" for word, n in came.most_common()))
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=3, metavar=("KIND", "FIRST", "COUNT"))
    parser.add_argument("--one", nargs=2, metavar=("KIND", "SEED"))
    parser.add_argument("--stock", action="store_true", help="without the plugin")
    options = parser.parse_args()
    if options.stock:
        engine.plugin = lambda data, **_: basic(data)
    if options.child:
        kind, first, count = options.child
        return child(kind, int(first), int(count))
    if options.one:
        return child(options.one[0], int(options.one[1]), 1)
    if engine.why_absent():
        print(f"skipped: fuzz: {engine.why_absent()}\n0 passed, 0 failed, 1 skipped")
        return 0
    bad = campaign("graph", GRAPHS) + campaign("mutant", MUTANTS)
    print(f"{GRAPHS + MUTANTS - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

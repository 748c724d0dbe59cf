# SPDX-License-Identifier: Apache-2.0
"""Measures this machine: every list of bench/shapes on every instruction set that it has, and
beside other libraries where they are installed; writes bench/results/CLASS.json, from which the
tables of bench/FIGURES.md are made. A step that has run is kept: the same command goes on."""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys

from quernel.cli.options import write
from quernel.cli.progress import Progress

from bench.peers.__main__ import host, pin

from . import builtin, steps, tables, tuning

SCHEMA = "quernel-measure-1"
HOST = ("version", "commit", "compiler", "flags", "model", "usable", "l1d_bytes", "l2_bytes")


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse(arguments):
    p = argparse.ArgumentParser(prog="dev measure", description=__doc__)
    p.add_argument("--rounds", type=int, default=9, help="of each row (default: 9)")
    p.add_argument(
        "--table", action="store_true", help="instead tune the lists for the built-in table"
    )
    p.add_argument("--again", action="store_true", help="forget the steps that have run")
    p.add_argument("--work", type=pathlib.Path, default=steps.ROOT / "build" / "measure")
    p.add_argument(
        "--out", type=pathlib.Path, default=steps.ROOT / tables.RESULTS, help="the result's folder"
    )
    return p.parse_args(arguments)


def class_of(info):
    return builtin.class_of(info["core"], info["usable"])


def run(step, folder):
    """The step's runs, measured or kept from before; None where it cannot run here."""
    done = folder / "kept.json"
    if done.exists():
        return json.loads(done.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    cpus = os.sched_getaffinity(0)
    pin(step.threads)  # the command, too
    with open(folder / "log", "w", encoding="utf-8") as log:
        finished = subprocess.run(
            step.command(str(folder)), cwd=steps.ROOT, stdout=log, stderr=log, check=False
        )
    os.sched_setaffinity(0, cpus)
    if finished.returncode:
        raise SystemExit(f"quernel: measure: {step.name}: exit {finished.returncode}: {log.name}")
    runs = step.keep(json.loads((folder / step.report).read_text(encoding="utf-8")))
    write(done, json.dumps(runs).encode())
    return runs


def measure(options, info, work):
    """All runs, and why some steps have none."""
    isas = [isa for isa in reversed(info["usable"].split()) if isa != "ref"]
    todo = list(steps.steps(isas, len(os.sched_getaffinity(0)), options.rounds))
    runs, skipped, progress = [], [], Progress()
    minutes, whole = 0.0, sum(step.minutes for step in todo)
    for number, step in enumerate(todo):
        if step.needs and not step.needs.exists():
            skipped.append(f"{step.name}: {step.needs.relative_to(steps.ROOT)} is not there")
        else:
            runs += [dict(one, rounds=options.rounds) for one in run(step, work / str(number))]
        minutes += step.minutes
        progress.step(minutes, whole, step.name)
    return runs, skipped


def measured(options, info, work):
    """Writes the results of the class; returns their path."""
    runs, skipped = measure(options, info, work)
    used = {row[-1] for one in runs if "peer" not in one for row in one["rows"].values()}
    krevs = tables.recorded_krevs(tables.texts()[tables.KREVS])
    result = {
        "schema": SCHEMA,
        "class": class_of(info),
        "date": datetime.date.today().isoformat(),
        **{key: info[key] for key in HOST},
        "peaks": {peak["isa"]: round(peak["gops"]) for peak in info["peaks"]},
        "krevs": {kernel: krevs[kernel] for kernel in sorted(used)},
        "skipped": skipped,
        "runs": runs,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{result['class']}.json"
    write(path, tables.compact(result).encode())
    for reason in skipped:
        say(f"skipped: {reason}")
    return path


def main():
    options = parse(sys.argv[1:])
    info = host()
    work = options.work / info["commit"]
    if options.again:
        shutil.rmtree(work, ignore_errors=True)
    if options.table:
        path = tuning.make(class_of(info), work / "table")
    else:
        path = measured(options, info, work)
    tables.write()
    print(path)


if __name__ == "__main__":
    main()

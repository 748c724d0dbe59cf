# SPDX-License-Identifier: Apache-2.0
"""Compares whole networks in Quernel, carried by ONNX Runtime, with ONNX Runtime alone and OpenVINO
(README.md)."""

import argparse
import os
import pathlib
import sys

import numpy as np
from quernel import ort
from quernel.cli import rounds
from quernel.cli.errors import Failed
from quernel.cli.options import count, seconds, write_json
from quernel.cli.progress import Progress

from bench.peers import contender as peers
from bench.peers.__main__ import host, listed, pin

from . import alone, engines, inputs, quantizers, report, zoo

EVALUATION = 16  # unseen inputs
TIMES = ("ratio", "lo", "hi")


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse(arguments):
    p = argparse.ArgumentParser(prog="dev bench --networks", description=__doc__)
    p.add_argument("--only", default=",".join(zoo.NETWORKS), help="networks, default: all of them")
    p.add_argument(
        "--contenders", default=",".join(engines.CONTENDERS), help="default: all of them"
    )
    p.add_argument("--threads", default="1,2", help="numbers of threads (default: 1,2)")
    p.add_argument("--rounds", type=count, default=15, help="of timing (default: 15)")
    p.add_argument("--loads", type=count, default=3, help="sessions opened for the time of loading")
    p.add_argument("--inputs", type=count, default=EVALUATION, help="unseen inputs (default: 16)")
    p.add_argument("--budget", type=seconds, default=300.0, help="of quernel's quantizer (300s)")
    p.add_argument("--out", default=str(peers.ROOT / "build" / "bench"))
    options = p.parse_args(arguments)
    options.only = listed(options.only, list(zoo.NETWORKS), "--only")
    options.contenders = listed(options.contenders, list(engines.CONTENDERS), "--contenders")
    threads = [str(n) for n in range(1, len(os.sched_getaffinity(0)) + 1)]
    options.threads = [int(n) for n in listed(options.threads, threads, "--threads")]
    return options


class Race:
    """One network on so many threads."""

    def __init__(self, options, label, network, threads):
        self.options, self.label, self.network, self.threads = options, label, network, threads
        self.rows, self.started, self.loads = [], [], {}

    def skip(self, name, reason):
        self.rows.append(
            report.row(self.label, self.threads, name, status="skipped", reason=reason)
        )

    def open(self, files, failed):
        for name in self.options.contenders:
            start, who, _ = engines.CONTENDERS[name]
            if who not in files:
                self.skip(name, failed[who])
                continue
            try:
                self._open(name, start, files[who])
            except Failed as problem:
                self.skip(name, str(problem))

    def _open(self, name, start, path):
        """The last of several stays: each is a process, so that loading is timed afresh."""
        loads = []
        for again in reversed(range(self.options.loads)):
            one = rounds.Contender(name, start, path, self.threads)
            loads.append(1e3 * one.load)
            if again:
                one.close()
        self.started.append(one)
        self.loads[name] = float(np.median(loads))

    def accuracy(self, name, reference):
        """Contender → SQNR of each unseen input, of the first output: against ORT's float; and what
        it got right: (right, of) of each."""
        far, right = ({one.name: [] for one in self.started} for _ in range(2))
        progress = Progress()
        for at in range(self.options.inputs):
            index = inputs.FIRST_UNSEEN + at
            x = {name: self.network.input(index)}
            made = {one.name: next(iter(one.outputs(x).values())) for one in self.started}
            for contender, y in made.items():
                if reference in made and contender != reference:
                    far[contender].append(rounds.sqnr(made[reference], y))
                if self.network.task:
                    right[contender].append(self.network.task(index, y))
            progress.step(at + 1, self.options.inputs, f"{self.label}: inputs compared")
        return far, right

    def run(self, files, failed, name, version):
        """The rows."""
        try:
            self.open(files, failed)
            figures = self.accuracy(name, "ort float")
            for one in self.started:
                one.warm({name: self.network.input(inputs.FIRST_UNSEEN)})
            progress, of = Progress(), self.options.rounds
            tell = lambda at: progress.step(at, of, f"{self.label}: rounds timed")
            times = rounds.times(self.started, of, tell)
            self.rows += [
                self._row(one.name, one.memory, times, *figures, version) for one in self.started
            ]
        except Failed as problem:
            self.skip(",".join(one.name for one in self.started), str(problem))
        finally:
            for one in self.started:
                one.close()
        return self.rows

    def _row(self, name, memory, times, far, right, version):
        ms, lo_ms, hi_ms = rounds.interval(1e3 * times[name])
        ours = times.get(engines.OURS)
        ratio = {} if ours is None else dict(zip(TIMES, rounds.interval(times[name] / ours)))
        values, counts = far[name], np.sum(right[name], axis=0)
        return report.row(
            self.label,
            self.threads,
            name,
            version=version[name.split(" ")[0].replace("ort", "onnxruntime")],
            int8=engines.CONTENDERS[name][2],
            **dict(ms=ms, lo_ms=lo_ms, hi_ms=hi_ms, rounds=self.options.rounds),
            **ratio,
            sqnr_db=float(np.mean(values)) if values else None,
            least_sqnr_db=min(values) if values else None,
            task=float(counts[0] / counts[1]) if right[name] else None,
            load_ms=self.loads[name],
            memory_mb=memory / 2**20,
            status="ok",
            note=self.network.note,
        )


def _add_our_own(rows, files, threads, rounds_):
    """The share of the multiply-adds that Quernel runs, and the time of the layers alone."""
    program = peers.ROOT / "build" / "tune" / "quernel"
    for one in rows:
        who = {engines.OURS: "quernel", engines.OURS_ON_ORT: "ort"}.get(one["contender"])
        if who and one["status"] == "ok":
            one["share"] = ort.coverage(files[who]).share
        if who == "quernel" and one["status"] == "ok":
            one["layers_ms"] = alone.milliseconds(program, files["float"], threads, rounds_)


def compare(options, label, version):
    """The rows of one network."""
    network, rows, mine = zoo.NETWORKS[label], [], os.sched_getaffinity(0)
    files, failed, name = quantizers.files(options.out, label, network, options.budget, say)
    for threads in options.threads:
        try:
            pin(threads)
            made = Race(options, label, network, threads).run(files, failed, name, version)
            _add_our_own(made, files, threads, options.rounds)
        finally:
            os.sched_setaffinity(0, mine)
        for one in made:
            say(report.line(one))
        rows += made
    return rows


def main():
    options = parse(sys.argv[1:])
    info, rows, version = host(), [], engines.versions()
    version["quernel"] = info["version"]
    path = str(pathlib.Path(options.out, "networks.json"))
    try:
        for label in options.only:
            rows += compare(options, label, version)
            written = {
                "schema": "quernel-networks-1",
                "host": info,
                "versions": version,
                "rows": rows,
            }
            write_json(path, written)  # what is there is kept, whatever becomes of the rest
    except KeyboardInterrupt:
        say("quernel: networks: interrupted")
        return 130
    print(report.table(rows))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Compares Quernel with other libraries: `./dev bench --peers …` (README.md)."""

import argparse
import json
import os
import random
import subprocess
import sys

from bench import rows as lists

from . import contender, problems, report

PEERS = ("onednn", "openvino", "onnxruntime", "litert")
QUERNEL = contender.ROOT / "build" / "tune" / "quernel"


def refuse(code, what):
    """Ends with a line on stderr: 2 for usage and unreadable input, 4 for an instruction set that
    cannot run here."""
    print(f"quernel: bench: {what}", file=sys.stderr)
    sys.exit(code)


def host():
    """What `quernel info` says, and the peaks that it probes."""
    try:
        return json.loads(
            subprocess.run(
                [QUERNEL, "info", "--probe", "--json"], check=True, capture_output=True
            ).stdout
        )
    except (OSError, subprocess.CalledProcessError, ValueError) as problem:
        refuse(2, f"{QUERNEL}: {problem}")


def peak_of(info, isa, threads):
    """GOPS of a register-only loop, or None."""
    for probe in info.get("peaks", []):
        if probe.get("isa") == isa:
            return probe.get("gops") * threads
    return None


class Comparison:
    """Rows and how they are measured."""

    def __init__(self, options, info):
        self.options, self.info, self.rows = options, info, []
        self.top = info["ceiling"]

    def add(self, r):
        self.rows.append(r)
        print(report.line(r), file=sys.stderr, flush=True)

    def _start(self, given, common, problem, isa):
        """Started contenders by name; those that cannot run become rows."""
        started = {}
        for name in ("quernel", *self.options.peers):
            try:
                started[name] = contender.Contender(name, problem, isa, self.top)
            except contender.Failed as reason:
                for peer in self.options.peers if name == "quernel" else [name]:
                    self.add(
                        report.row(
                            given, **common, peer=peer, status="skipped", reason=f"{name}: {reason}"
                        )
                    )
                if name == "quernel":
                    return {}
        return started

    def compare(self, given, problem, isa):
        """One problem on one instruction set: every contender once per round, in random order."""
        common = dict(
            isa=isa, threads=problem.threads, boundary=problem.boundary, rounds=self.options.rounds
        )
        started = self._start(given, common, problem, isa)
        try:
            times, peaks = {name: [] for name in started}, []
            for _ in range(self.options.rounds if len(started) > 1 else 0):
                peaks.append(peak_of(host(), isa, problem.threads))
                for name in random.sample(list(started), len(started)):
                    times[name].append(started[name].seconds())
            for name in [n for n in started if n != "quernel"]:
                self.add(self._row(given, common, problem, started, times, peaks, name))
        except contender.Failed as reason:
            self.add(
                report.row(
                    given, **common, peer=",".join(started), status="skipped", reason=str(reason)
                )
            )
        finally:
            for one in started.values():
                one.close()

    def _row(self, given, common, problem, started, times, peaks, name):
        ours, theirs = times["quernel"], times[name]
        ratio, lo, hi = report.median([t / q for q, t in zip(ours, theirs)])
        wrong = problem.wrong(started["quernel"].output, started[name].output)
        quernel_ms, peer_ms = (1e3 * report.median(t)[0] for t in (ours, theirs))
        macs = problem.macs if hasattr(problem, "macs") else problem.layer.macs
        peak = None if None in peaks else max(peaks)  # a probe that was interrupted shows less
        share = lambda ms: None if not peak else 100 * 2e-6 * macs / ms / peak
        return report.row(
            given,
            **common,
            peer=name,
            peer_version=started[name].version,
            peer_exact=wrong == 0,
            peer_wrong_share=wrong,
            peer_note=started[name].note,
            quernel_ms=quernel_ms,
            peer_ms=peer_ms,
            ratio=ratio,
            lo=lo,
            hi=hi,
            status="ok",
            peak_gops=peak,
            quernel_percent_of_peak=share(quernel_ms),
            peer_percent_of_peak=share(peer_ms),
        )


def listed(text, among, what):
    chosen = text.split(",")
    for one in chosen:
        if one not in among:
            refuse(2, f"{what}: {one}: must be among {', '.join(among)}")
    return chosen


def parse(arguments):
    p = argparse.ArgumentParser(prog="dev bench --peers", description=__doc__)
    p.add_argument("--peers", default="all", help="all, or some of " + ",".join(PEERS))
    p.add_argument(
        "--layers",
        help="CSV of layers; default, where no list is given: bench/shapes/layers.csv and gemm.csv",
    )
    p.add_argument("--gemm", help="CSV of products")
    p.add_argument(
        "--network", help="CSV of networks: whole models, against oneDNN chained by hand"
    )
    p.add_argument("--boundary", default="int8,f32", help="of int8, f32, qdq (int8,f32)")
    p.add_argument("--isa", help="instruction sets, default: the best one here")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--rounds", type=int, default=21)
    p.add_argument("--filter", default="", help="only rows whose name holds this")
    p.add_argument("--out", default=str(contender.ROOT / "build" / "bench"))
    options = p.parse_args(arguments)
    options.peers = (
        list(PEERS) if options.peers == "all" else listed(options.peers, PEERS, "--peers")
    )
    if not (options.layers or options.gemm or options.network):
        options.layers, options.gemm = (lists.SHAPES / name for name in ("layers.csv", "gemm.csv"))
    options.boundary = listed(options.boundary, list(problems.LAYOUTS), "--boundary")
    return options


def pin(threads):
    """To as many CPUs as threads: some peers would use every CPU that they see."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def work(options):
    """(CSV row, problem) of everything asked for."""
    for path in filter(None, (options.layers, options.gemm)):
        for given in lists.read_rows(path):
            if options.filter in lists.name_of(given):
                for boundary in options.boundary:
                    yield (
                        given,
                        problems.Problem(problems.layer_of(given), boundary, options.threads),
                    )
    for given in lists.read_rows(options.network) if options.network else []:
        if given["input"] != "0" or options.filter not in given["model"]:
            continue
        rows = problems.network_of(lists.read_rows(options.network), given["model"])
        for boundary in options.boundary:
            out = problems.LAYOUTS[boundary]
            yield (
                {"model": given["model"], "layer": f"f32 NCHW to {out}", "layers": len(rows)},
                problems.NetworkProblem(rows, boundary, options.threads),
            )


def main():
    options = parse(sys.argv[1:])
    pin(options.threads)
    info = host()
    comparison = Comparison(options, info)
    isas = options.isa.split(",") if options.isa else [comparison.top]
    for isa in isas:
        if isa not in info["usable"].split():
            refuse(4, f"--isa: {isa}: cannot run here")
    try:
        for given, problem in work(options):
            for isa in isas:
                comparison.compare(given, problem, isa)
    except (OSError, KeyError, ValueError) as problem:
        refuse(2, f"{type(problem).__name__}: {problem}")
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "comparison.json")
    with open(path + ".tmp", "w") as file:
        json.dump(
            {"schema": "quernel-compare-1", "host": info, "rows": comparison.rows}, file, indent=1
        )
        file.write("\n")
    os.replace(path + ".tmp", path)
    print(path)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Compares a model under Quernel with ONNX Runtime alone, and with the float model: accuracy and
time.

Accuracy is the SQNR of every output against the float model's (without --float: against ONNX
Runtime's own run of the int8 model). Time is taken in rounds, each contender once a round in random
order, each in a process of its own; "times" is its time over Quernel's, the median of the rounds
with its 95 % interval. Exit 1: Quernel's outputs are further from the float model's than ONNX
Runtime's are.

example:
  python -m quernel compare int8.onnx --float float.onnx --data inputs.npz --json report.json
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

import numpy as np

from .. import ort
from . import data, rounds
from .errors import WRONG, Failed
from .options import add, count, existing, writable, write_json
from .progress import Progress

QUERNEL, STOCK, FLOAT = "Quernel", "ONNX Runtime", "float"
DRAWN = 4  # batches of noise, where no data is given
WORSE = 1.0  # dB that Quernel may be further from float than ONNX Runtime: codes differ at ties


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="the int8 ONNX file")
    parser.add_argument("--float", metavar="FILE", help="the model that it was made of")
    parser.add_argument("--rounds", type=count, default=15, help="of timing (default: 15)")
    add(parser, "--threads", "--isa", "--json", "--shape")
    data.add_data(parser, False, f"{DRAWN} batches of noise")


def start(kind: str, model: str, threads: int, isa: str | None = None) -> rounds.Opening:
    """A contender in its process."""
    ort.version()  # imports what is timed by nobody

    def opening() -> tuple[rounds.Runner, list[str]]:
        made = (
            ort.session(model, threads, isa=isa) if kind == QUERNEL else ort.stock(model, threads)
        )
        names = [one.name for one in made.get_outputs()]
        return lambda feed: made.run(names, feed), names

    return opening


@dataclasses.dataclass
class Line:
    """A contender's results. sqnr: by output, of each batch."""

    name: str
    sqnr: dict[str, list[float]]
    ms: tuple[float, float, float] = (0.0, 0.0, 0.0)
    times: tuple[float, float, float] = (1.0, 1.0, 1.0)
    load_ms: float = 0.0

    def worst(self) -> float:
        """Mean over the batches of the output that is worst."""
        return min((float(np.mean(values)) for values in self.sqnr.values()), default=np.inf)


def _accuracy(
    contenders: list[rounds.Contender], batches: data.Batches, reference: str
) -> dict[str, Line]:
    found = {one.name: Line(one.name, {}) for one in contenders}
    progress = Progress()
    for at, batch in enumerate(batches):
        made = {one.name: one.outputs(batch) for one in contenders}
        for one in contenders:
            for output, wanted in made[reference].items() if one.name != reference else ():
                if wanted.dtype.kind in "fiub":
                    far = rounds.sqnr(wanted, made[one.name][output])
                    found[one.name].sqnr.setdefault(output, []).append(far)
        progress.step(at + 1, len(batches), "batches compared")
    return found


def _open(options: argparse.Namespace) -> list[rounds.Contender]:
    asked = [(QUERNEL, options.model), (STOCK, options.model)]
    asked += [(FLOAT, options.float)] if options.float else []
    opened: list[rounds.Contender] = []
    try:
        for kind, model in asked:
            opened.append(  # noqa: PERF401: those that are open are closed when one fails
                rounds.Contender(kind, start, kind, model, options.threads, options.isa)
            )
    except BaseException:
        _close(opened)
        raise
    for one in opened:
        if set(one.names) != set(opened[0].names):
            _close(opened)
            raise Failed(2, f"--float: {options.float}: its outputs are {', '.join(one.names)}")
    return opened


def _close(contenders: list[rounds.Contender]) -> None:
    for one in contenders:
        one.close()


def run(options: argparse.Namespace) -> None:
    existing(options.model, "model")
    if options.float:
        existing(options.float, "--float")
    writable(options.json, "--json")
    batches = data.of(ort.stock(options.model, 1).get_inputs(), options, DRAWN)
    reference = FLOAT if options.float else STOCK
    contenders = _open(options)
    try:
        found = _accuracy(contenders, batches, reference)
        for one in contenders:
            one.warm(batches[0])
        progress = Progress()
        tell = lambda at: progress.step(at, options.rounds, "rounds timed")
        seconds = rounds.times(contenders, options.rounds, tell)
    finally:
        _close(contenders)
    for one in contenders:
        line = found[one.name]
        line.ms = rounds.interval(1e3 * seconds[one.name])
        line.times = rounds.interval(seconds[one.name] / seconds[QUERNEL])
        line.load_ms = 1e3 * one.load
    _tell(options, list(found.values()), reference, len(batches))
    _judge(found, reference)


def _judge(found: dict[str, Line], reference: str) -> None:
    for output, values in found[QUERNEL].sqnr.items():
        ours = float(np.mean(values))
        if np.isnan(ours):
            raise Failed(WRONG, f"output {output}: is of another shape, or not finite")
        theirs = np.mean(found[STOCK].sqnr[output]) if reference == FLOAT else -np.inf
        if ours < theirs - WORSE:
            raise Failed(
                WRONG, f"output {output}: {ours:.1f} dB, where ONNX Runtime has {theirs:.1f}"
            )


def _tell(options: argparse.Namespace, lines: list[Line], reference: str, batches: int) -> None:
    if options.json:
        report: dict[str, Any] = {
            "schema": "quernel-compare-model-1",
            "model": options.model,
            "float": options.float,
            "threads": options.threads,
            "isa": options.isa,
            "rounds": options.rounds,
            "batches": batches,
            "data": options.data,
            "reference": reference,
            "contenders": [dataclasses.asdict(line) for line in lines],
        }
        write_json(options.json, report)
        if options.json == "-":
            return
    fed = options.data or "noise, which tells nothing of the accuracy on real inputs"
    print(f"threads: {options.threads}; {batches} batches of {fed}")
    print(f"{'':14} {'SQNR dB':>8} {'least':>6} {'ms':>9} {'95 %':>18} {'times':>6} {'95 %':>14}")
    for line in sorted(lines, key=lambda line: line.times[0]):
        print(_row(line, reference))
    several = [line for line in lines if len(line.sqnr) > 1]
    for line in several:
        for output, values in line.sqnr.items():
            print(f"{line.name}, {output}: {np.mean(values):.2f} dB, least {min(values):.2f}")


def _row(line: Line, reference: str) -> str:
    far = f"{'reference':>15}"
    if line.name != reference:
        least = min((min(values) for values in line.sqnr.values()), default=np.inf)
        far = f"{line.worst():8.2f} {least:6.2f}"
    ms, times = line.ms, line.times
    return (
        f"{line.name:14} {far} {ms[0]:9.3f} {f'[{ms[1]:.3f}, {ms[2]:.3f}]':>18} "
        f"{times[0]:6.2f} {f'[{times[1]:.2f}, {times[2]:.2f}]':>14}"
    )

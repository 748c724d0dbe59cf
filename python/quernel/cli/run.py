# SPDX-License-Identifier: Apache-2.0
"""Runs a model, and says what it made, how long it took and how much of it Quernel ran.

example:
  python -m quernel run int8.onnx --data inputs.npz --out outputs.npz --threads 2
"""

from __future__ import annotations

import argparse
import io
import statistics
import time

import numpy as np

from .. import ort
from . import data
from .options import add, existing, writable, write, write_json
from .progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="an ONNX file, quantized or not")
    parser.add_argument("--out", metavar="FILE.npz", help="where the outputs go")
    parser.add_argument("--table", help="a tuning table")
    parser.add_argument("--context", metavar="FILE", help="write the model with packed weights")
    parser.add_argument("--verbose", action="store_true", help="the plugin tells what it does")
    add(parser, "--threads", "--isa", "--json", "--shape")
    data.add_data(parser, False, "one batch of noise")


def run(options: argparse.Namespace) -> None:
    writable(options.out, "--out")
    writable(options.json, "--json")
    start = time.perf_counter()
    session = ort.session(
        existing(options.model, "model"),
        options.threads,
        isa=options.isa,
        table=options.table,
        verbose=options.verbose,
        context=options.context,
    )
    loaded = time.perf_counter() - start
    batches = data.of(session.get_inputs(), options)
    names = [one.name for one in session.get_outputs()]
    runs, seconds = [], []
    progress = Progress()
    for at, batch in enumerate(batches):
        start = time.perf_counter()
        runs.append(session.run(names, batch))
        seconds.append(time.perf_counter() - start)
        if len(batches) > 1:
            progress.step(at + 1, len(batches), "batches run")
    made = dict(data.joined(runs, names))
    if options.out:
        held = io.BytesIO()
        np.savez(held, **made)
        write(options.out, held.getvalue())
    shapes = {name: array.shape for name, array in batches[0].items()}
    _tell(options, made, loaded, seconds, ort.coverage(session, shapes))


def _tell(
    options: argparse.Namespace,
    made: dict[str, np.ndarray],
    loaded: float,
    seconds: list[float],
    coverage: ort.Coverage,
) -> None:
    if options.json:
        report = {
            "schema": "quernel-run-1",
            "model": options.model,
            "threads": options.threads,
            "outputs": {name: {"shape": a.shape, "type": str(a.dtype)} for name, a in made.items()},
            "load_ms": 1e3 * loaded,
            "first_ms": 1e3 * seconds[0],
            "run_ms": 1e3 * statistics.median(seconds[1:] or seconds),
            "runs": len(seconds),
            "coverage": coverage.as_dict(),
        }
        write_json(options.json, report)
        if options.json == "-":
            return
    for name, array in made.items():
        print(f"{name}: {'x'.join(map(str, array.shape)) or 'a number'} {array.dtype}")
    print(f"loaded in {1e3 * loaded:.1f} ms, first run {1e3 * seconds[0]:.2f} ms", end="")
    again = f", then {1e3 * statistics.median(seconds[1:]):.2f} ms" if len(seconds) > 1 else ""
    print(f"{again}; threads: {options.threads}")
    print(coverage)
    if options.out:
        print(options.out)

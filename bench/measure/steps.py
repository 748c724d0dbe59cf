# SPDX-License-Identifier: Apache-2.0
"""What is measured of a machine: each step is a command that writes a report, and what is kept of
it."""

import dataclasses
import functools
from typing import Callable, Optional

from bench import rows
from bench.peers import contender

from . import tables

ROOT = contender.ROOT
QUERNEL = ROOT / "build" / "tune" / "quernel"
PEERS = ROOT / ".venv-peers" / "bin" / "python"  # what ./dev bench --peers installs
ENGINES = "onednn,onnxruntime,openvino"
ALONE = {"int8": "chain tensors", "int8-dense": "u8 NHWC", "f32": "f32 NCHW"}


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    minutes: float  # on a core of 3 GHz, for the estimate of what is left
    command: Callable[[str], list]  # the path of the report -> what to run
    keep: Callable[[dict], list]  # the report -> runs
    threads: int = 1
    report: str = "report.json"  # what the command calls it within its folder
    needs: Optional[object] = None  # a path; without it the step is skipped


def _rounded(figures):
    return [float(f"{figure:.4g}") for figure in figures]


def _name(row):
    """Of a row of quernel-bench-1, whose "kernel" is what ran."""
    window = {"kernel": row["kernel_w"]} if row["op"] != "gemm" else {}
    return rows.name_of({**row, **window})


def _figures(row):
    figures = [row[key] for key in ("median_ms", "lo_ms", "hi_ms", "percent_of_peak")]
    return [*_rounded(figures), row["kernel"]]


def alone(found):
    """Runs of quernel bench: one for each instruction set, of the rows for which it has kernels."""
    runs = {}
    for row in found["rows"]:
        if row["status"] == "skipped" and row["kernel"]:
            continue  # a kernel of another set would run; without one the layer cannot be made
        if row["status"] != "ok" or row["mismatches"]:
            raise ValueError(f"{_name(row)}: {row['status']}: {row['reason']}")
        key = row["isa"], row["boundary"], row["threads"]
        runs.setdefault(key, {})[_name(row)] = _figures(row)
    return [
        {"isa": isa, "boundary": boundary, "threads": threads, "rows": figures}
        for (isa, boundary, threads), figures in runs.items()
    ]


def beside(found):
    """Runs of bench.peers: one for each peer."""
    runs = {}
    for row in found["rows"]:
        if row["status"] == "ok":
            key = row["isa"], row["boundary"], row["threads"], row["peer"], row["peer_version"]
            figures = [row[key] for key in ("quernel_ms", "peer_ms", "ratio", "lo", "hi")]
            runs.setdefault(key, {})[rows.name_of(row)] = _rounded(figures)
    return [
        {**dict(zip(("isa", "boundary", "threads", "peer", "version"), key)), "rows": figures}
        for key, figures in runs.items()
    ]


def _bench(rounds, kind, boundary, isas, threads, path):
    return [
        *(QUERNEL, "bench", f"--{kind}", rows.SHAPES / f"{kind}.csv", "--rounds", str(rounds)),
        *("--isa", ",".join(isas), "--threads", str(threads), "--json", f"{path}/report.json"),
        *(("--boundary", boundary) if kind == "layers" else ()),
    ]


def _peers(rounds, options, boundary, path):
    return [
        *(PEERS, "-m", "bench.peers", "--boundary", boundary, "--rounds", str(rounds)),
        *("--out", path, *options),
    ]


def _layers_and_products():
    return (
        "--peers",
        ENGINES,
        "--layers",
        rows.SHAPES / "layers.csv",
        "--gemm",
        rows.SHAPES / "gemm.csv",
    )


def steps(isas, cpus, rounds):
    """isas: the usable instruction sets, the highest first."""
    bench, peers = functools.partial(_bench, rounds), functools.partial(_peers, rounds)
    whole = ("--peers", "onednn", "--network", rows.SHAPES / "networks.csv")
    yield Step("products", 0.8, functools.partial(bench, "gemm", "int8", isas, 1), alone)
    for boundary, minutes in (("int8", 0.8), ("int8-dense", 0.8), ("f32", 1.2)):
        yield Step(
            f"layers, {ALONE[boundary]}",
            minutes,
            functools.partial(bench, "layers", boundary, isas, 1),
            alone,
        )
    if cpus > 1:
        two = functools.partial(bench, "layers", "int8", isas[:1], 2)
        yield Step("layers, two threads", 0.4, two, alone, threads=2)
    for boundary in ("int8", "f32", "qdq"):
        several = [("layers and products", 4.5, _layers_and_products())]
        if boundary != "qdq":
            several.append(("whole backbones", 0.7, whole))
        for what, minutes, options in several:
            yield Step(
                f"{what} beside others, {tables.BESIDE[boundary]}",
                minutes,
                functools.partial(peers, options, boundary),
                beside,
                report="comparison.json",
                needs=PEERS,
            )

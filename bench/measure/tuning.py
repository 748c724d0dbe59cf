# SPDX-License-Identifier: Apache-2.0
"""./dev measure --table: tunes the lists of bench/shapes on this machine, and makes its built-in
table of the rows that won. What has been tuned is kept: the same command goes on."""

import subprocess

from quernel.cli.options import write

from bench import rows
from bench.peers.__main__ import pin

from . import builtin, steps

# Kind of list, and minutes that it may take on a core of 3 GHz, whose sum is below 10.
LISTS = (("layers", 5), ("gemm", 2.5), ("network", 2))
FILES = {"network": "networks"}


def _tune(kind, minutes, table):
    path = rows.SHAPES / f"{FILES.get(kind, kind)}.csv"
    command = [steps.QUERNEL, "tune", f"--{kind}", path, "--budget", f"{minutes}m"]
    done = subprocess.run([*command, "--table", table], stdout=2, check=False)
    if done.returncode:
        raise SystemExit(f"quernel: measure: tune --{kind}: exit {done.returncode}")


def make(of, work):
    """Writes the table of a class; returns its path. `work`: a folder for what was tuned."""
    tuned, path = work / "tuned.qtn", steps.ROOT / builtin.FOLDER / f"{of}.qtn"
    work.mkdir(parents=True, exist_ok=True)
    pin(1)
    for kind, minutes in LISTS:
        _tune(kind, minutes, tuned)
    lines = builtin.kept(tuned.read_text(encoding="ascii"), tuned)
    write(path, builtin.text_of(of, lines).encode())
    return path

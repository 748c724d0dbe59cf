# SPDX-License-Identifier: Apache-2.0
"""./dev measure --table: tunes the lists of bench/shapes on this machine, and makes its built-in
table of the rows that won, twice. What has been tuned is kept: the same command goes on."""

import json
import subprocess

from quernel.cli.options import write

from bench import rows
from bench.peers.__main__ import pin

from . import builtin, steps

# Minutes that a list may take, on a core of 3 GHz. networks.csv has the same layers as layers.csv:
# within the runs of the whole they would take another 40.
LISTS = (("layers", 6.5), ("gemm", 3))


def _tune(kind, minutes, table):
    path = rows.SHAPES / f"{kind}.csv"
    budget = f"{minutes}m"
    done = subprocess.run(
        [steps.QUERNEL, "tune", f"--{kind}", path, "--budget", budget, "--table", table],
        stdout=2,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"quernel: measure: tune --{kind}: exit {done.returncode}")


def _wins_again(table, text):
    """Layers that are surely faster by their row in a second race, hours or minutes later: what won
    by the state of memory or of the host does not."""
    wins = sum(row["verdict"] == "win" for _, row in builtin.read(text, table))
    command = [steps.QUERNEL, "recheck", "--table", table, "--sample", str(max(wins, 1)), "--json"]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout)
    return {builtin.layer_of(row) for row in found["rows"] if row["lo"] and row["lo"] > 1}


def make(of, work):
    """Writes the table of a class; returns its path. `work`: a folder for what was tuned."""
    tuned, path = work / "tuned.qtn", steps.ROOT / builtin.FOLDER / f"{of}.qtn"
    work.mkdir(parents=True, exist_ok=True)
    pin(1)
    for kind, minutes in LISTS:
        _tune(kind, minutes, tuned)
    text = tuned.read_text(encoding="ascii")
    lines = builtin.kept(text, tuned, _wins_again(tuned, text))
    write(path, builtin.text_of(of, lines).encode())
    return path

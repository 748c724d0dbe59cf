# SPDX-License-Identifier: Apache-2.0
"""The layers of a network one by one, as `quernel bench` times them: what the whole would take if
nothing were lost between them."""

import argparse
import contextlib
import io
import json
import pathlib
import subprocess
import tempfile

from quernel.cli import shapes

LEAST_ROUNDS = 3  # that quernel bench takes


def _list(model, gemm):
    """The CSV that `python -m quernel shapes` writes."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        shapes.run(argparse.Namespace(model=model, gemm=gemm, shape=[]))
    return said.getvalue()


def milliseconds(program, model, threads, rounds):
    """Sum over the layers, each as often as it occurs."""
    total = 0.0
    for kind, boundary in (("--layers", ["--boundary", "int8"]), ("--gemm", [])):
        listed = _list(model, kind == "--gemm")
        if listed.count("\n") < 2:  # the header alone
            continue
        with tempfile.TemporaryDirectory() as folder:
            csv, out = pathlib.Path(folder, "list.csv"), pathlib.Path(folder, "out.json")
            csv.write_text(listed, encoding="utf-8")
            command = [program, "bench", kind, csv, *boundary, "--threads", str(threads)]
            command += ["--rounds", str(max(rounds, LEAST_ROUNDS)), "--json", out]
            subprocess.run(command, check=True, capture_output=True)
            made = json.loads(out.read_text(encoding="utf-8"))["rows"]
        total += sum(
            one["median_ms"] * one.get("repeat", 1) for one in made if one["status"] == "ok"
        )
    return total

# SPDX-License-Identifier: Apache-2.0
"""The program under test, run with a home of its own, and the rows that it publishes."""

import os
import subprocess
import sys

PROGRAM = os.path.abspath(sys.argv[1])
# A race ends by itself: the budget is far above what it needs on a loaded machine. The noise is
# given, not measured.
BUDGET = ["--budget", "100", "--noise", "0.02"]
SMALL = ["--gemm", "8x32x32", *BUDGET]


class Skip(Exception):
    """Why a test cannot be made here."""


def environment(home, **more):
    """No setting and no table of the user's reaches the program."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("QUERNEL_", "XDG_"))}
    caches = {"XDG_CACHE_HOME": str(home / "cache"), "XDG_CONFIG_HOME": str(home / "config")}
    return {**kept, "HOME": str(home), **caches, **more}


def run(home, *words, preexec=None, env=None, user=None):
    return subprocess.run(
        [PROGRAM, *map(str, words)],
        env=environment(home, **(env or {})),
        capture_output=True,
        text=True,
        timeout=120,  # a hang, not a slow machine
        preexec_fn=preexec,
        user=user,
        check=False,
    )


def start(home, *words, stdout=subprocess.DEVNULL):
    """The program, not waited for."""
    command = [PROGRAM, *map(str, words)]
    return subprocess.Popen(
        command, env=environment(home), stdout=stdout, stderr=subprocess.DEVNULL
    )


def layers_of(*shapes):
    return [word for shape in shapes for word in ("--gemm", shape)]


def table_of(home):
    """Where the tuner publishes."""
    return home / "cache" / "quernel" / "tuned.qtn"


def rows(path):
    if not path.exists():
        return []
    return [line for line in path.read_bytes().split(b"\n") if line.startswith(b"qtn1\t")]


def problems(path):
    """The problems that have a row."""
    return {row.split(b"\t")[2] for row in rows(path)}


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_run(home, *words, says="", code=0, **how):
    """Runs the program, which must exit with `code` and say `says` on either stream."""
    done = run(home, *words, **how)
    said = done.stdout + done.stderr
    expect(
        done.returncode == code and says in said,
        f"{' '.join(map(str, words[:2]))}: exit {done.returncode}, not {code} and {says!r}: {said}",
    )
    return done


def tuned(home):
    """A table with one row, and its path."""
    expect_run(home, "tune", *SMALL)
    path = table_of(home)
    expect(len(rows(path)) == 1, f"{len(rows(path))} rows of one layer")
    return path

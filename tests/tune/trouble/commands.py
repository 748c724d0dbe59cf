# SPDX-License-Identifier: Apache-2.0
"""What the commands say of tables: kept rows, explanations, misses, and help."""

import json

from trouble.program import BUDGET, SMALL, expect, expect_run, problems, rows, run, table_of, tuned

COMMANDS = "info verify bench tune explain compare recheck table doctor record plot".split()


def explained(home, *words):
    """What explain says of the small layer."""
    told = run(home, "explain", "--gemm", "8x32x32", "--json", *words)
    return json.loads(told.stdout)["layers"][0]


def tune_keeps_what_is_there(home):
    path = tuned(home)
    expect_run(home, "tune", *SMALL, says="1 kept")
    expect(len(rows(path)) == 1, "a layer was tuned twice")


def tables_are_told(home):
    path = tuned(home)
    layer = explained(home)
    told = (layer["config_from"], layer["match"], layer["table"])
    expect(told == ("table", "exact", str(path)), str(layer))
    none = explained(home, "--table", "none")
    expect(none["config_from"] == "model", "--table none searches tables")
    info = json.loads(run(home, "info", "--json").stdout)
    state = {"path": str(path), "good": 1, "bad": 0, "wrong": None}
    expect(state in info["tables"], str(info["tables"]))


def recheck_judges_rows(home):
    path = tuned(home)
    done = run(home, "recheck", "--rounds", "5")
    said = done.stdout + done.stderr
    expect(done.returncode in (0, 1) and "skipped" in done.stdout, said)
    # a plan is never timed against itself
    same = expect_run(
        home, "recheck", "--rounds", "5", "--against", path, says="now 1.000 [1.000, 1.000]"
    )
    expect("of 1 within 1 %" in same.stdout, same.stdout + same.stderr)


def misses_are_recorded_and_tuned(home):
    misses = home / "misses"
    words = "explain --conv 16x8x8:16:3:1:1 --gemm 4x16x16".split()
    for _ in range(2):  # the second adds to the first
        run(home, *words, env={"QUERNEL_RECORD_MISSES": str(misses)})
    lines = misses.read_text().splitlines()
    expect(len(lines) >= 2 and all(line.count("\t") == 2 for line in lines), str(lines))
    expect_run(home, "tune", "--misses", misses, *BUDGET, says=" 0 failed")
    expect(len(problems(table_of(home))) == 2, "not both layers have a row")
    # A layer by its sizes beside recorded ones: each has its own request.
    mixed = run(home, "explain", "--gemm", "8x32x32", "--misses", misses, "--boundary", "f32")
    expect(
        mixed.returncode == 0 and mixed.stdout.count("x=f32") == 1 and "x=u8" in mixed.stdout,
        mixed.stdout + mixed.stderr,
    )


def every_command_has_help(home):
    for command in COMMANDS:
        done = expect_run(home, command, "--help")
        right = done.stdout.startswith("usage: quernel " + command)
        expect(right, f"{command}: {done.stdout[:80]}")
        expect_run(home, command, "--no-such-option", code=2)


def large_products_are_checked_by_lines(home):
    words = "--gemm 1024x512x256 --boundary f32 --config chunk=8 --rounds 3".split()
    expect_run(home, "compare", *words)


TESTS = [
    tune_keeps_what_is_there,
    tables_are_told,
    recheck_judges_rows,
    large_products_are_checked_by_lines,
    misses_are_recorded_and_tuned,
    every_command_has_help,
]

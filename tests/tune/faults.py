#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong around the tuner, done to the program: kills, full disks, folders that may not
be written, torn and foreign rows, many tuners at once. faults.py PROGRAM; closes with "N passed, N
failed, N skipped".

Nothing that was published may be lost, nothing may crash, and each trouble is told in one line."""

import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tune"))
from embed import crc32c

KILLS = 200
TUNERS = 32
PROGRAM = os.path.abspath(sys.argv[1])
# A race ends by itself: the budget is far above what it needs on a loaded machine. The noise is
# given, not looked for.
BUDGET = ["--budget", "100", "--noise", "0.02"]
SMALL = ["--gemm", "8x32x32", *BUDGET]


class Skip(Exception):
    pass


def environment(home, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("QUERNEL_", "XDG_"))}
    return {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        **more,
    }


def run(home, *words, preexec=None, env=None, user=None):
    return subprocess.run(
        [PROGRAM, *map(str, words)],
        env=environment(home, **(env or {})),
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=preexec,
        user=user,
        check=False,
    )


def rows(path):
    return (
        [line for line in path.read_bytes().split(b"\n") if line.startswith(b"qtn1\t")]
        if path.exists()
        else []
    )


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def with_field(row, at, value):
    """The row with another field, rightly sealed."""
    fields = row.split(b"\t")[:-1]
    fields[at] = value
    body = b"\t".join(fields)
    return body + b"\t%08x" % crc32c(body)


def tuned(home):
    """A table with one row, and its path."""
    done = run(home, "tune", *SMALL)
    path = home / "cache" / "quernel" / "tuned.qtn"
    expect(
        done.returncode == 0 and len(rows(path)) == 1,
        f"tune: exit {done.returncode}: {done.stderr}",
    )
    return path


def tune_keeps_and_explains(home):
    path = tuned(home)
    again = run(home, "tune", *SMALL)
    expect(
        "1 kept" in again.stdout and len(rows(path)) == 1,
        f"a layer was tuned twice: {again.stdout}",
    )
    told = run(home, "explain", "--gemm", "8x32x32", "--json")
    layer = json.loads(told.stdout)["layers"][0]
    expect(
        layer["config_from"] == "table"
        and layer["match"] == "exact"
        and layer["table"] == str(path),
        told.stdout,
    )
    none = json.loads(
        run(home, "explain", "--gemm", "8x32x32", "--json", "--table", "none").stdout
    )["layers"][0]
    expect(none["config_from"] == "model", "--table none searches tables")
    info = json.loads(run(home, "info", "--json").stdout)
    expect(
        {"path": str(path), "good": 1, "bad": 0, "wrong": None} in info["tables"],
        str(info["tables"]),
    )
    recheck = run(home, "recheck", "--rounds", "5")
    expect(
        recheck.returncode in (0, 1) and "skipped" in recheck.stdout,
        recheck.stdout + recheck.stderr,
    )
    # a plan is never timed against itself
    same = run(home, "recheck", "--rounds", "5", "--against", path)
    expect(
        same.returncode == 0
        and "of 1 within 1 %" in same.stdout
        and "now 1.000 [1.000, 1.000]" in same.stdout,
        same.stdout + same.stderr,
    )


def misses_are_recorded_and_tuned(home):
    misses = home / "misses"
    for _ in range(2):
        run(
            home,
            "explain",
            "--conv",
            "16x8x8:16:3:1:1",
            "--gemm",
            "4x16x16",
            env={"QUERNEL_RECORD_MISSES": str(misses)},
        )
    lines = misses.read_text().splitlines()
    expect(len(lines) >= 2 and all(line.count("\t") == 2 for line in lines), str(lines))
    done = run(home, "tune", "--misses", misses, *BUDGET)
    expect(done.returncode == 0 and " 0 failed" in done.stdout, done.stdout + done.stderr)
    expect(
        len({row.split(b"\t")[2] for row in rows(home / "cache" / "quernel" / "tuned.qtn")}) == 2,
        "not both layers have a row",
    )
    # A layer by its sizes beside recorded ones: each has its own request.
    mixed = run(home, "explain", "--gemm", "8x32x32", "--misses", misses, "--boundary", "f32")
    expect(
        mixed.returncode == 0 and mixed.stdout.count("x=f32") == 1 and "x=u8" in mixed.stdout,
        mixed.stdout + mixed.stderr,
    )


def damaged_rows_cost_themselves(home):
    path = tuned(home)
    row = rows(path)[0]
    flipped = bytes([row[40] ^ 4]).join([row[:40], row[41:]])
    path.write_bytes(b"\n" + flipped + b"\n" + row[:120])
    lint = run(home, "table", "lint", path)
    expect(
        lint.returncode == 1 and f"{path}:2: " in lint.stdout and f"{path}:3: " in lint.stdout,
        lint.stdout,
    )
    expect(lint.stdout.endswith("2 rows, 0 good, 2 bad\n"), lint.stdout)
    expect(
        run(home, "explain", "--gemm", "8x32x32").returncode == 0,
        "explain fails beside a damaged table",
    )
    run(home, "tune", *SMALL)
    lint = run(home, "table", "lint", path)
    expect(
        "3 rows, 1 good, 2 bad" in lint.stdout, f"a row behind a torn line is lost: {lint.stdout}"
    )
    expect(run(home, "table", "merge", path, "--out", path).returncode == 0, "merge")
    expect(
        "1 rows, 1 good, 0 bad" in run(home, "table", "lint", path).stdout, "merge does not clean"
    )


def foreign_rows_are_misses(home):
    path = tuned(home)
    row = rows(path)[0]
    cases = [
        (18, b"ref+sve l1d=64K l2=1024K", "another class of machine"),
        (5, b"kernel=quernel_uk_gemm_gone_avx2", "not in this library"),
        (6, b"4294967295", "another revision"),
    ]
    for at, value, says in cases:
        path.write_bytes(b"\n" + with_field(row, at, value) + b"\n")
        told = run(home, "explain", "--gemm", "8x32x32")
        expect(
            told.returncode == 0 and says in told.stdout and "from       the model" in told.stdout,
            told.stdout + told.stderr,
        )


def garbage_is_told(home):
    big = home / "garbage.qtn"
    with open(big, "wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 20))
    start = time.monotonic()
    info = json.loads(run(home, "info", "--json", env={"QUERNEL_TABLE": str(big)}).stdout)
    expect(info["tables"][0]["wrong"] == "larger than 16 MiB", str(info["tables"]))
    os.truncate(big, 15 << 20)
    info = json.loads(run(home, "info", "--json", env={"QUERNEL_TABLE": str(big)}).stdout)
    expect(info["tables"][0]["good"] == 0 and info["tables"][0]["bad"] > 1000, str(info["tables"]))
    expect(time.monotonic() - start < 20, "reading garbage takes long")
    os.truncate(big, 0)
    with open(big, "wb") as file:
        file.truncate(64 << 20)
    done = run(home, "tune", *SMALL, "--table", big)
    expect(
        done.returncode == 2 and "larger than 16 MiB" in done.stderr,
        f"exit {done.returncode}: {done.stderr}",
    )


def read_only_folder(home):
    if os.geteuid():
        raise Skip("only root can become another user")
    folder = home / "cache"
    folder.mkdir()
    folder.chmod(0o555)
    home.chmod(0o755)
    done = run(home, "tune", *SMALL, user=65534)
    if "Permission denied" in done.stderr and "tune" not in done.stderr:
        raise Skip("another user may not run the program here")
    expect(
        done.returncode == 1 and "cannot be opened for writing" in done.stderr,
        f"exit {done.returncode}: {done.stderr}",
    )
    expect(run(home, "explain", "--gemm", "8x32x32", user=65534).returncode == 0, "explain fails")


def full_disk(home):
    path = tuned(home)
    before = rows(path)
    limit = path.stat().st_size + 100
    done = run(
        home,
        "tune",
        "--gemm",
        "8x32x48",
        *BUDGET,
        preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    expect(
        done.returncode == 1 and str(path) in done.stderr, f"exit {done.returncode}: {done.stderr}"
    )
    done = run(
        home,
        "table",
        "merge",
        path,
        path,
        "--out",
        path,
        preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    expect(done.returncode == 1, f"merge on a full disk: exit {done.returncode}: {done.stderr}")
    expect(before[0] in rows(path), "a published row is lost")
    expect(
        run(home, "tune", "--gemm", "8x32x48", *BUDGET).returncode == 0,
        "tune after the disk has room again",
    )
    good = run(home, "table", "lint", path).stdout
    expect(" 2 good, 1 bad" in good, good)


def kills(home):
    path = home / "cache" / "quernel" / "tuned.qtn"
    dice, seen, layers = random.Random(7), set(), []
    for kill in range(KILLS):
        layers = [f"{4 + n % 5}x{16 + 16 * (n % 3)}x{32 + n}" for n in range(kill // 10 + 1)]
        words = [word for layer in layers for word in ("--gemm", layer)]
        child = subprocess.Popen(
            [PROGRAM, "tune", *words, *BUDGET],
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(dice.uniform(0, 0.35))
        child.send_signal(signal.SIGKILL)
        child.wait()
        now = rows(path)
        expect(seen <= set(now), f"kill {kill}: a published row is lost")
        seen = set(now)
    lint = run(home, "table", "lint", path)
    expect(lint.returncode == 0, f"kills tore rows: {lint.stdout}")
    expect(len(seen) > 3, f"only {len(seen)} rows were published before the kills")
    done = run(home, "tune", *[word for layer in layers for word in ("--gemm", layer)], *BUDGET)
    expect(
        done.returncode == 0 and f"{len(seen)} kept" in done.stdout,
        f"does not go on where it was: {len(seen)} rows, {done.stdout}",
    )


def tuners_at_once(home):
    path = home / "cache" / "quernel" / "tuned.qtn"
    tuned(home)
    children = [
        subprocess.Popen(
            [PROGRAM, "tune", "--gemm", f"4x16x{16 + n}", *BUDGET],
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for n in range(TUNERS)
    ]
    while any(
        child.poll() is None for child in children
    ):  # rewriting meanwhile loses no row either
        expect(run(home, "table", "merge", path, "--out", path).returncode == 0, "merge")
        time.sleep(0.02)
    codes = [child.wait() for child in children]
    expect(codes == [0] * TUNERS, f"exits {codes}")
    expect(
        len({row.split(b"\t")[2] for row in rows(path)}) == TUNERS + 1,
        f"{len(rows(path))} rows of {TUNERS + 1}",
    )
    expect(run(home, "table", "lint", path).returncode == 0, "torn rows")


def interrupt(home):
    words = [
        "tune",
        "--gemm",
        "64x512x512",
        "--gemm",
        "64x512x513",
        *BUDGET,
        "--effort",
        "exhaustive",
    ]
    child = subprocess.Popen(
        [PROGRAM, *words], env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    time.sleep(1.0)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=30)
    expect(child.returncode == 130 and b"0 failed" in out, f"exit {child.returncode}: {out}")


def set_uid_ignores_the_environment(home):
    if os.geteuid():
        raise Skip("only root can make a program set-uid")
    copy = home / "quernel"
    copy.write_bytes(pathlib.Path(PROGRAM).read_bytes())
    copy.chmod(0o4755)
    home.chmod(0o755)
    table = home / "given.qtn"
    table.write_bytes(b"")
    done = subprocess.run(
        [copy, "info", "--json"],
        env=environment(home, QUERNEL_TABLE=str(table)),
        capture_output=True,
        user=65534,
        check=False,
    )
    if done.returncode:
        raise Skip("another user may not run the program here")
    info = json.loads(done.stdout)
    plain = json.loads(run(home, "info", "--json", env={"QUERNEL_TABLE": str(table)}).stdout)
    expect(str(table) in str(plain["tables"]), "QUERNEL_TABLE is not read")
    if str(table) in str(info["tables"]) and os.statvfs(home).f_flag & os.ST_NOSUID:
        raise Skip("this file system knows no set-uid")
    expect(str(table) not in str(info["tables"]), "a set-uid process reads QUERNEL_TABLE")


def every_command_has_help(home):
    for command in (
        "info",
        "verify",
        "bench",
        "tune",
        "explain",
        "compare",
        "recheck",
        "table",
        "doctor",
        "record",
        "plot",
    ):
        done = run(home, command, "--help")
        expect(
            done.returncode == 0 and done.stdout.startswith("usage: quernel " + command),
            f"{command}: {done.stdout[:80]}",
        )
        expect(
            run(home, command, "--no-such-option").returncode == 2,
            f"{command}: exit of wrong usage",
        )


def large_products_are_checked_by_lines(home):
    done = run(
        home,
        "compare",
        "--gemm",
        "1024x512x256",
        "--boundary",
        "f32",
        "--config",
        "chunk=8",
        "--rounds",
        "3",
    )
    expect(done.returncode == 0, f"exit {done.returncode}: {done.stderr}")


TESTS = [
    tune_keeps_and_explains,
    large_products_are_checked_by_lines,
    misses_are_recorded_and_tuned,
    damaged_rows_cost_themselves,
    foreign_rows_are_misses,
    garbage_is_told,
    read_only_folder,
    full_disk,
    kills,
    tuners_at_once,
    interrupt,
    set_uid_ignores_the_environment,
    every_command_has_help,
]


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for test in TESTS:
        if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory(prefix="quernel-faults-") as folder:
            start, outcome, why = time.monotonic(), "passed", ""
            try:
                test(pathlib.Path(folder))
            except Skip as reason:
                outcome, why = "skipped", f": {reason}"
            except (AssertionError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
                outcome, why = "failed", f": {error!r}"
            counts[outcome] += 1
            print(f"{test.__name__}: {outcome}{why} ({time.monotonic() - start:.1f} s)", flush=True)
    print(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

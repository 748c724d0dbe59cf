# SPDX-License-Identifier: Apache-2.0
"""Tables that are torn, foreign, garbage, or where nobody may write."""

import json
import os
import pathlib
import resource
import subprocess
import sys

from trouble.program import (
    BUDGET,
    PROGRAM,
    SMALL,
    Skip,
    environment,
    expect,
    expect_run,
    rows,
    run,
    tuned,
)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tune"))
from embed import crc32c

NOBODY = 65534  # a user that owns nothing
MIB = 1 << 20


def with_field(row, at, value):
    """The row with another field, rightly sealed."""
    fields = row.split(b"\t")[:-1]
    fields[at] = value
    body = b"\t".join(fields)
    return body + b"\t%08x" % crc32c(body)


def lint_of(home, path):
    return run(home, "table", "lint", path).stdout


def damaged_rows_cost_themselves(home):
    path = tuned(home)
    row = rows(path)[0]
    flipped = bytes([row[40] ^ 4]).join([row[:40], row[41:]])
    path.write_bytes(b"\n" + flipped + b"\n" + row[:120])
    lint = expect_run(home, "table", "lint", path, code=1, says="2 rows, 0 good, 2 bad\n").stdout
    expect(f"{path}:2: " in lint and f"{path}:3: " in lint, lint)
    expect_run(home, "explain", "--gemm", "8x32x32")
    run(home, "tune", *SMALL)
    lint = lint_of(home, path)
    expect("3 rows, 1 good, 2 bad" in lint, f"a row behind a torn line is lost: {lint}")
    expect_run(home, "table", "merge", path, "--out", path)
    expect("1 rows, 1 good, 0 bad" in lint_of(home, path), "merge does not clean")


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
        told = expect_run(home, "explain", "--gemm", "8x32x32", says=says)
        expect("from       the model" in told.stdout, told.stdout)


def state_of(home, path):
    """What info says of the table in QUERNEL_TABLE."""
    told = run(home, "info", "--json", env={"QUERNEL_TABLE": str(path)})
    return json.loads(told.stdout)["tables"][0]


def garbage_is_told(home):
    big = home / "garbage.qtn"
    with open(big, "wb") as file:
        for _ in range(64):
            file.write(os.urandom(MIB))
    state = state_of(home, big)
    expect(state["wrong"] == "larger than 16 MiB", str(state))
    os.truncate(big, 15 * MIB)
    state = state_of(home, big)
    expect(state["good"] == 0 and state["bad"] > 1000, str(state))
    os.truncate(big, 0)
    os.truncate(big, 64 * MIB)  # zeros, which take no disk
    expect_run(home, "tune", *SMALL, "--table", big, code=2, says="larger than 16 MiB")


def read_only_folder(home):
    if os.geteuid():
        raise Skip("only root can become another user")
    folder = home / "cache"
    folder.mkdir()
    folder.chmod(0o555)
    home.chmod(0o755)
    done = run(home, "tune", *SMALL, user=NOBODY)
    if "Permission denied" in done.stderr and "tune" not in done.stderr:
        raise Skip("another user may not run the program here")
    told = done.returncode == 1 and "cannot be opened for writing" in done.stderr
    expect(told, f"exit {done.returncode}: {done.stderr}")
    expect_run(home, "explain", "--gemm", "8x32x32", user=NOBODY)


def files_of_at_most(size):
    """For preexec: writing beyond `size` bytes fails as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def full_disk(home):
    path = tuned(home)
    before, more = rows(path), ["--gemm", "8x32x48", *BUDGET]
    room = files_of_at_most(path.stat().st_size + 100)  # for a part of a row
    expect_run(home, "tune", *more, preexec=room, code=1, says=str(path))
    merge = ["table", "merge", path, path, "--out", path]
    expect_run(home, *merge, preexec=files_of_at_most(100), code=1)
    expect(before[0] in rows(path), "a published row is lost")
    expect_run(home, "tune", *more)
    good = lint_of(home, path)
    expect(" 2 good, 1 bad" in good, good)


def set_uid_copy(home):
    copy = home / "quernel"
    copy.write_bytes(pathlib.Path(PROGRAM).read_bytes())
    copy.chmod(0o4755)
    home.chmod(0o755)
    return copy


def set_uid_ignores_the_environment(home):
    if os.geteuid():
        raise Skip("only root can make a program set-uid")
    table = home / "given.qtn"
    table.write_bytes(b"")
    command, given = [set_uid_copy(home), "info", "--json"], {"QUERNEL_TABLE": str(table)}
    done = subprocess.run(
        command, env=environment(home, **given), capture_output=True, user=NOBODY, check=False
    )
    if done.returncode:
        raise Skip("another user may not run the program here")
    told = str(json.loads(done.stdout)["tables"])
    plain = json.loads(run(home, "info", "--json", env=given).stdout)
    expect(str(table) in str(plain["tables"]), "QUERNEL_TABLE is not read")
    if str(table) in told and os.statvfs(home).f_flag & os.ST_NOSUID:
        raise Skip("this file system knows no set-uid")
    expect(str(table) not in told, "a set-uid process reads QUERNEL_TABLE")


TESTS = [
    damaged_rows_cost_themselves,
    foreign_rows_are_misses,
    garbage_is_told,
    read_only_folder,
    full_disk,
    set_uid_ignores_the_environment,
]

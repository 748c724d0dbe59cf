# SPDX-License-Identifier: Apache-2.0
"""Where the program writes to: devices, FIFOs, links, full disks, closed pipes, homes that are not
there. What is no regular file stays what it is, and what did not arrive is no success."""

import json
import os
import pathlib
import signal
import stat
import subprocess
import threading

from trouble.program import (
    BUDGET,
    PROGRAM,
    SMALL,
    Skip,
    environment,
    expect,
    expect_run,
    run,
    tuned,
)

LANDSCAPES = pathlib.Path(__file__).resolve().parents[3] / "tune" / "landscapes"
LAYER = ["--gemm", "8x32x32"]
DEADLINE = 20  # seconds that nothing takes but a writer that went elsewhere
LIST = "kind,m,n,k\nsmall,8,32,32\n"


def landscape():
    return min(LANDSCAPES.glob("*/*.tsv"))


def shapes(home):
    path = home / "list.csv"
    path.write_text(LIST)
    return ["--gemm", path, "--rounds", "3"]


def writers(home):
    """Command, its output's name behind it, what is in it."""
    table = tuned(home)
    return [
        (["bench", *shapes(home), "--json"], '"quernel-bench-1"'),
        (["tune", *SMALL, "--again", "--json"], '"quernel-tune-1"'),
        (["plot", landscape(), "--out"], "</svg>"),
        (["table", "merge", table, "--out"], "qtn1\t"),
    ]


def printers(home):
    """Every command with something to print."""
    table, compared = tuned(home), ["--config", "chunk=4", "--rounds", "3"]
    layer = json.loads(run(home, "explain", *LAYER, "--json").stdout)["layers"][0]
    kernel = layer["config"].partition("kernel=")[2].partition(" ")[0]
    return [
        ["--help"],
        ["--version"],
        ["info"],
        ["info", "--json"],
        ["verify", "--kernel", kernel],
        ["bench", *shapes(home)],
        ["bench", *shapes(home), "--json", "-"],
        ["tune", *SMALL],
        ["explain", *LAYER],
        ["compare", *LAYER, *compared],
        ["recheck", "--rounds", "3"],
        ["table", "show", table],
        ["table", "lint", table],
        ["doctor"],
        ["record", *LAYER, "--rounds", "2", "--configs", "2", "--out", home / "made" / "by it"],
        ["plot", landscape()],
    ]


def regular_files_are_replaced(home):
    out = home / "out"
    for words, says in writers(home):
        out.write_text("old")
        out.chmod(0o640)
        before = out.stat().st_ino
        expect_run(home, *words, out)
        now = out.stat()
        expect(now.st_ino != before, f"{words[0]}: half of a file could be seen")
        expect(stat.S_IMODE(now.st_mode) == 0o640, f"{words[0]}: mode {now.st_mode:o}")
        expect(says in out.read_text(), f"{words[0]}: {out.read_text()[:80]}")
        out.unlink()
        expect_run(home, *words, out)
        expect(says in out.read_text(), f"{words[0]}: a new file")
    left = [path.name for path in home.iterdir() if "tmp" in path.name]
    expect(not left, f"left behind: {left}")


def links_are_written_through(home):
    link, target = home / "link", home / "target"
    link.symlink_to(target)
    for words, says in writers(home):
        for state in ("dangling", "full"):
            target.unlink() if state == "dangling" and target.exists() else None
            expect_run(home, *words, link)
            expect(link.is_symlink(), f"{words[0]}, {state}: the link is gone")
            expect(says in target.read_text(), f"{words[0]}, {state}: not written")


def drained(path, into):
    """Reads a FIFO to its end in a thread."""

    def read():
        into.append(path.read_text())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return reader


def fifos_are_written_through(home):
    fifo = home / "fifo"
    os.mkfifo(fifo)
    for words, says in writers(home):
        got = []
        reader = drained(fifo, got)
        expect_run(home, *words, fifo)
        reader.join(DEADLINE)
        expect(got and says in got[0] and stat.S_ISFIFO(fifo.lstat().st_mode), f"{words[0]}: {got}")


def device(home, name, minor):
    """A device of the test's own: a program that replaces it must not cost the machine its own."""
    path = home / name
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
    except PermissionError:
        raise Skip("only root makes devices") from None
    return path


def devices_stay_devices(home):
    null = device(home, "null", 3)
    for words, _ in writers(home):
        expect_run(home, *words, null)
        expect(stat.S_ISCHR(null.lstat().st_mode), f"{words[0]}: a file in the place of a device")
    expect(not list(home.glob("null.*")), "a device has a neighbour")


def full_disks_are_told(home):
    full = device(home, "full", 7)
    for words, _ in writers(home):
        expect_run(home, *words, full, code=1, says=f"{full}: ")


def printed(home, words, **how):
    return subprocess.run(
        [PROGRAM, *map(str, words)],
        env=environment(home),
        stderr=subprocess.PIPE,
        timeout=120,  # a hang, not a slow machine
        check=False,
        **how,
    )


def full_stdout_is_told(home):
    with open("/dev/full", "w", encoding="ascii") as full:
        for words in printers(home):
            done = printed(home, words, stdout=full)
            told = done.returncode == 1 and b"output: stdout: " in done.stderr
            expect(told, f"{words}: {done}")


def closed_pipes_are_told(home):
    """By the signal, as other tools; by the exit code where the signal is ignored."""
    for words in printers(home):
        for ignored in (False, True):
            ends = os.pipe()
            os.close(ends[0])
            action = signal.SIG_IGN if ignored else signal.SIG_DFL
            done = printed(
                home,
                words,
                stdout=ends[1],
                restore_signals=False,
                preexec_fn=lambda action=action: signal.signal(signal.SIGPIPE, action),
            )
            os.close(ends[1])
            told = done.returncode == 1 and b"output: stdout: " in done.stderr
            killed = done.returncode == -signal.SIGPIPE and not ignored
            expect(told or killed, f"{words}, ignored {ignored}: {done}")


def nothing_checked_is_no_success(home):
    bad = home / "bad.qtn"
    bad.write_text("garbage\n")
    for words in ([], ["--json"]):
        expect_run(home, "recheck", "--table", bad, *words, code=1, says="nothing was checked")
    expect_run(home, "bench", *shapes(home), "--filter", "none", code=2, says="nothing to time")
    expect_run(home, "verify", "--kernel", "none", code=2, says="none")


def instruction_sets_have_one_name(home):
    unknown = "QUERNEL_ISA is unknown"
    expect_run(home, "info", says=unknown, env={"QUERNEL_ISA": "sse9"})
    for given in ("REF", "Ref", "AVX2", "NEON"):  # known everywhere, if not usable
        told = expect_run(home, "info", env={"QUERNEL_ISA": given}).stdout
        expect(unknown not in told, told)
        expect("ceiling   ref\n" in told or given.lower() != "ref", told)
    expect_run(home, "explain", *LAYER, "--isa", "REF")


def homes_are_not_made(home):
    away = home / "away"
    env = {"HOME": str(away), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""}
    expect_run(home, "tune", *LAYER, *BUDGET, code=2, says="no home folder", env=env)
    run(home, "doctor", env=env)
    expect(not away.exists(), "a home was made")
    away.mkdir()
    expect_run(home, "tune", *LAYER, *BUDGET, env=env)
    expect((away / ".cache" / "quernel" / "tuned.qtn").exists(), "no cache in a home")


TESTS = [
    regular_files_are_replaced,
    links_are_written_through,
    fifos_are_written_through,
    devices_stay_devices,
    full_disks_are_told,
    full_stdout_is_told,
    closed_pipes_are_told,
    nothing_checked_is_no_success,
    instruction_sets_have_one_name,
    homes_are_not_made,
]

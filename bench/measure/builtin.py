# SPDX-License-Identifier: Apache-2.0
"""The built-in tables, tune/tables/CLASS.qtn: which rows of a tune go in, which of them no look-up
can take any more, and what they gain."""

import math
import pathlib
import re
import statistics
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tune"))
import embed

FOLDER, NAME = "tune/tables", "built-in"
COLUMNS = (
    "op shape product env config krev base_ns best_ns ratio lo hi rounds verdict effort seed "
    "version date machine rates lost"
).split()


def read(text, name):
    """(line, its columns) of each row."""
    for line in embed.rows_of(text, name):
        yield line, dict(zip(COLUMNS, line.split("\t")[1:]))


def classes(given):
    """(class, path, rows) of each table among the texts."""
    for path in sorted(given):
        if path.startswith(f"{FOLDER}/") and path.endswith(".qtn"):
            yield pathlib.PurePath(path).stem, path, list(read(given[path], path))


def class_of(core, usable):
    """A core's design and the highest set that it may use: amd-25-17-avx2."""
    return f"{core}-{usable.split()[-1]}"


def _class(machine):
    """The same, of what a row says of its machine; None of an older row, which names no core."""
    found = re.match(r"(\S+).* core=(\S+)", machine)
    return found and class_of(found[2], found[1].replace("+", " "))


def layer_of(row):
    return row["op"], row["shape"], row["env"]


def _is_near(win, row):
    """Whether a look-up of the one's layer may end at the other: within a factor of 2."""
    sizes = (map(int, one["product"].split("x")) for one in (win, row))
    return (
        win["op"] == row["op"]
        and win["env"].split()[0] == row["env"].split()[0]
        and all(abs(math.log2(a / b)) <= 1 for a, b in zip(*sizes))
    )


def kept(text, name, again):
    """The lines of a tune that are worth a place: of each layer the last row, where it won and did
    so `again`, in these layers; and a tie where such a row is near and would else be taken instead
    of the default."""
    last = {layer_of(row): (line, row) for line, row in read(text, name)}
    wins = [row for of, (_, row) in last.items() if row["verdict"] == "win" and of in again]
    return [
        line
        for line, row in last.values()
        if row in wins or (row["verdict"] == "tie" and any(_is_near(win, row) for win in wins))
    ]


def _is_dead(row, of, krevs):
    """Whether no machine of this class will take it: another core, a kernel that has changed."""
    kernel = re.match(r"kernel=(\S+)", row["config"])[1]
    return _class(row["machine"]) != of or krevs.get(kernel) != int(row["krev"])


def check(given, krevs):
    """The lint's rule."""
    for of, path, rows in classes(given):
        dead = sum(_is_dead(row, of, krevs) for _, row in rows)
        if dead:
            yield (
                f"{path}: {dead} of {len(rows)} rows can match no more, their kernels have changed "
                "or are another machine's: ./dev lint --refresh-krev drops them, ./dev measure "
                "--table on such a machine tunes again"
            )


def text_of(of, lines):
    head = f"# Built into the library. {of}, by ./dev measure --table; quernel table show prints it"
    return "\n".join([head, *lines, ""])


def drop_dead(root, krevs):
    """Takes those rows out of the files; yields a line for each that had some."""
    given = {
        path.relative_to(root).as_posix(): path.read_text(encoding="ascii")
        for path in (root / FOLDER).glob("*.qtn")
    }
    for of, path, rows in classes(given):
        alive = [line for line, row in rows if not _is_dead(row, of, krevs)]
        if len(alive) < len(rows):
            yield f"{path}: {len(rows) - len(alive)} of {len(rows)} rows dropped"
            (root / path).write_text(text_of(of, alive), encoding="ascii")


def _line(of, rows):
    wins = [float(row["ratio"]) for _, row in rows if row["verdict"] == "win"]
    gain = f"{statistics.median(wins):.3f}, {max(wins):.3f}" if wins else "-"
    dates = sorted(row["date"][:10] for _, row in rows) or ["-"]
    return f"| {of} | {len(wins)} | {len(rows) - len(wins)} | {gain} | {dates[-1]} |"


def table(given):
    """Of bench/FIGURES.md."""
    yield "| built-in table | rows that won | ties beside them | gain: median, most | tuned |"
    yield "|---|---|---|---|---|"
    for of, _, rows in classes(given):
        yield _line(of, rows)

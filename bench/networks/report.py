# SPDX-License-Identifier: Apache-2.0
"""The rows of a comparison of networks, and its tables: losses first."""

import math

from . import engines

# of a row, beside network, threads and contender; null where there is none
FIELDS = (
    "version int8 ms lo_ms hi_ms ratio lo hi rounds sqnr_db least_sqnr_db task load_ms memory_mb "
    "share layers_ms status reason note"
).split()


def row(network, threads, contender, **found):
    """ratio: the contender's time over Quernel's on its own file."""
    return {
        "network": network,
        "threads": threads,
        "contender": contender,
        **{name: found.get(name) for name in FIELDS},
    }


def verdict(one):
    """LOSS where Quernel is surely slower."""
    return "LOSS" if one["hi"] < 1 else "tie" if one["lo"] <= 1 else ""


def _times(one):
    return f"{one['ratio']:6.2f} {'[{:.2f}, {:.2f}]'.format(one['lo'], one['hi']):>14}"


def line(one):
    head = f"{one['network']:14} {one['threads']} {one['contender']:22}"
    if one["status"] != "ok":
        return f"{head} {one['status']}: {one['reason']}"
    cell = lambda key, form: format("" if one[key] is None else format(one[key], form), ">9")
    times = " " * 21 if one["ratio"] is None else _times(one)
    return (
        f"{head} {cell('ms', '.2f')} {times} {cell('sqnr_db', '.2f')} "
        f"{cell('least_sqnr_db', '.2f')} {cell('task', '.1%')} {cell('load_ms', '.0f')} "
        f"{cell('memory_mb', '.0f')} {cell('share', '.1%')}"
    ).rstrip()


HEAD = (
    f"{'network':14} t {'contender':22} {'ms':>9} {'times':>6} {'95 %':>14} {'SQNR dB':>9} "
    f"{'least':>9} {'task':>9} {'load ms':>9} {'most MB':>9} {'taken':>9}"
)


def best_peers(rows):
    """The fastest int8 peer's row of each network and number of threads; those where Quernel loses
    most come first."""
    fastest = {}
    for one in rows:
        if one["contender"] in engines.PEERS and one["ratio"] is not None:
            key = one["network"], one["threads"]
            fastest[key] = min(one, fastest.get(key, one), key=lambda each: each["ratio"])
    return sorted(fastest.values(), key=lambda one: one["ratio"])


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def _of(rows, one, contender):
    same = (one["network"], one["threads"], contender)
    return next(
        (r for r in rows if (r["network"], r["threads"], r["contender"]) == same and r["ms"]), None
    )


def table(rows):
    """The text: the best int8 peer over Quernel, then every figure."""
    lines = ["the fastest int8 peer's time over Quernel's (losses first):"]
    for one in best_peers(rows):
        ours = _of(rows, one, engines.OURS)
        alone = ""
        if ours and ours["layers_ms"]:
            alone = f"  {ours['ms'] / ours['layers_ms']:.2f} of its layers alone"
        gain = ""
        if ours and None not in (ours["sqnr_db"], one["sqnr_db"]):
            gain = f"  {ours['sqnr_db'] - one['sqnr_db']:+.1f} dB"
        lines.append(
            f"{one['network']:14} {one['threads']} {one['contender']:14} {_times(one)} "
            f"{verdict(one):5}{gain}{alone}".rstrip()
        )
    for threads in sorted({one["threads"] for one in rows}):
        mine = [one["ratio"] for one in best_peers(rows) if one["threads"] == threads]
        lines.append(f"geometric mean, threads {threads}: {geometric_mean(mine):.2f}")
        same = [
            (stock["ms"] / ours["ms"])
            for ours in rows
            if ours["contender"] == engines.OURS_ON_ORT
            and ours["ms"]
            and ours["threads"] == threads
            for stock in [_of(rows, ours, "ort int8")]
            if stock
        ]
        text = f"{geometric_mean(same):.2f}"
        lines.append(f"… of ONNX Runtime's over Quernel's on the same file: {text}")
    return "\n".join([*lines, "", HEAD, *map(line, rows)])

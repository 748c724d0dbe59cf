# SPDX-License-Identifier: Apache-2.0
"""Figures of a comparison: medians with intervals, the rows of comparison.json and the table on the
terminal."""

import numpy as np

from bench.rows import name_of

FIELDS = (
    "isa",
    "threads",
    "boundary",
    "peer",
    "peer_version",
    "peer_exact",
    "quernel_ms",
    "peer_ms",
    "ratio",
    "lo",
    "hi",
    "rounds",
    "status",
    "reason",
    "peer_wrong_share",
    "peer_note",
    "peak_gops",
    "quernel_percent_of_peak",
    "peer_percent_of_peak",
)


def median(values):
    """Median and its 95 % interval."""
    v = np.sort(values)
    half = 0.98 * np.sqrt(len(v))
    return (
        float(np.median(v)),
        float(v[max(0, int(np.floor(len(v) / 2 - half)))]),
        float(v[min(len(v) - 1, int(np.ceil(len(v) / 2 + half)))]),
    )


def row(given, **found):
    """A row of the report: the CSV's columns, then the figures; null where there is none."""
    return dict(given, **{name: found.get(name) for name in FIELDS})


def line(r):
    """One line of the table; a ratio above 1 says that Quernel is faster."""
    head = f"{name_of(r)[:52]:52} {r['isa']:10} {r['boundary']:5} {r['peer']:12}"
    if r["status"] != "ok":
        return f"{head} {r['status']}: {r['reason']}"
    exact = "" if r["peer_exact"] else f"  peer wrong in {100 * r['peer_wrong_share']:.2g} %"
    verdict = "LOSS" if r["hi"] < 1 else "tie" if r["lo"] <= 1 else ""
    peak = ""
    if r["peak_gops"]:
        peak = f"  % of peak {r['quernel_percent_of_peak']:5.1f} {r['peer_percent_of_peak']:5.1f}"
    return (
        f"{head} {r['quernel_ms']:9.3f} {r['peer_ms']:9.3f} ms  {r['ratio']:6.2f}x "
        f"[{r['lo']:.2f}, {r['hi']:.2f}]"
        f"{peak}{exact}  {verdict}"
    ).rstrip()

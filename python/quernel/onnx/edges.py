# SPDX-License-Identifier: Apache-2.0
"""Which values between int8 operators had better stay float: sums and factors that no layer reads,
where a code of eight bits costs the network more than float costs time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .places import Places

# Multiply-adds of int8 that take as long as an element more in float: 0.4 ns of 0.01 ns each, on a
# core of a Zen 4 with AVX2. What is int8 passes four times as many elements.
PASS, NARROW = 40, 4
DB_OF_TIME = 30.0  # a hundredth of the network's time is worth 0.3 dB …
MAY_COST_DB = 1.5  # … but not more than this in all
UNKNOWN_DB = 1e-3  # what a value that was not tried may gain: small ones go first


def candidates(places: Places) -> list[str]:
    """Values with codes that neither a layer's product nor an operator that moves them reads or
    writes."""
    tied = {
        value
        for unit in places.units
        if unit.kind == "layout"
        for value in [*unit.inputs, *unit.outputs]
    }
    products = {unit.inputs[0] for unit in places.units if unit.layer is not None}
    return [value for value in places.coded if value not in tied and value not in products]


def shares(places: Places, shapes: dict[str, tuple], macs: int) -> dict[str, float]:
    """Candidate → the share of the network's time that it takes in float. macs: of all layers."""
    elements = {value: float(np.prod(shapes[value])) for value in places.coded}
    whole = max(macs / PASS + sum(elements.values()) / NARROW, 1.0)
    return {value: elements[value] / whole for value in candidates(places)}


def choose(
    shares: dict[str, float],
    measure: Callable[[frozenset[str]], float],
    over: Callable[[], bool] = lambda: False,
) -> frozenset[str]:
    """Those of the values that are worth to be float: of an order in which they gain the most for
    their time, as many as gain more than that is worth (DB_OF_TIME), and as let the network lose no
    more than MAY_COST_DB against all of them. shares: of the time, of each value in float;
    measure(floats): the SQNR; over: whether there is no time to try each by itself."""
    every = frozenset(shares)
    if not every:
        return every
    least, most = measure(frozenset()), measure(every)
    gains: dict[str, float] = {}
    for value in shares:
        if over():
            break
        gains[value] = measure(frozenset([value])) - least

    def worth(value: str) -> float:
        return max(gains.get(value, 0.0), UNKNOWN_DB) / max(shares[value], 1e-9)

    order = sorted(shares, key=worth, reverse=True)
    seen = {0: least, len(order): most}

    def value_of(count: int) -> float:
        """What so many of them are worth."""
        if count not in seen:
            seen[count] = measure(frozenset(order[:count]))
        paid = DB_OF_TIME * sum(shares[value] for value in order[:count])
        return seen[count] - paid if seen[count] >= most - MAY_COST_DB else -np.inf

    return frozenset(order[: _best_of(len(order), value_of)])


def _best_of(last: int, value_of: Callable[[int], float]) -> int:
    """The argument 0 … last of the greatest value, by ever finer steps around the best one."""
    step = max(1, last // 8)
    best = max([*range(0, last, step), last], key=value_of)
    while step > 1:
        step = (step + 1) // 2
        near = [at for at in (best, best - step, best + step) if 0 <= at <= last]
        best = max(near, key=value_of)
    return best

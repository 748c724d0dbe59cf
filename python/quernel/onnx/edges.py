# SPDX-License-Identifier: Apache-2.0
"""Which values between int8 operators had better stay float: sums and factors that no layer reads,
where a code of eight bits costs the network more than it may."""

from __future__ import annotations

from collections.abc import Callable

from .places import Places

MAY_COST_DB = 0.5  # together: PP-OCRv4's detection took twice the time for the last 0.3 dB
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


def choose(
    elements: dict[str, int],
    measure: Callable[[frozenset[str]], float],
    over: Callable[[], bool] = lambda: False,
) -> frozenset[str]:
    """Those of the values that have to be float for the network to lose less than MAY_COST_DB
    against all of them: the fewest of an order in which they gain the most for their size.
    elements: of each value; measure(floats): the SQNR; over: whether there is no time to try each
    by itself."""
    every = frozenset(elements)
    if not every:
        return every
    least, best = measure(frozenset()), measure(every)
    if best <= least + MAY_COST_DB:
        return frozenset()
    gains: dict[str, float] = {}
    for value in elements:
        if over():
            break
        gains[value] = measure(frozenset([value])) - least

    def worth(value: str) -> float:
        return max(gains.get(value, 0.0), UNKNOWN_DB) / max(elements[value], 1)

    order = sorted(elements, key=worth, reverse=True)
    low, high = 0, len(order)  # as many as high are enough
    while high - low > 1:
        middle = (low + high) // 2
        if measure(frozenset(order[:middle])) >= best - MAY_COST_DB:
            high = middle
        else:
            low = middle
    return frozenset(order[:high])

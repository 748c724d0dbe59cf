# SPDX-License-Identifier: Apache-2.0
"""Where a value becomes int8: between the layers, wherever all that lies there can be int8 too.
Values that one operator only moves share one coding."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..calibrate import Group
from ..layer import Layer
from .model import Net, attributes
from .units import Unit


@dataclasses.dataclass(eq=False)
class Places:
    """Which values have a code, and which units read and write them."""

    units: list[Unit]  # those that are int8
    coded: list[str]  # in the order in which the network makes them
    last: set[str]  # of those the ones whose channels are the last axis

    def heads(self) -> dict[str, Unit]:
        """The units that begin with a layer, by the name of its node."""
        return {unit.name: unit for unit in self.units if unit.layer is not None}

    def layers(self) -> dict[str, Layer]:
        return {unit.name: unit.layer for unit in self.units if unit.layer is not None}


def _reaching(units: list[Unit], layers: set[str]) -> set[str]:
    """Values that lead to a layer through units that could be int8."""
    wanted: set[str] = set()
    for unit in reversed(units):
        if unit.name in layers or (unit.kind != "float" and wanted.intersection(unit.outputs)):
            wanted.update(unit.inputs)
    return wanted


def find(net: Net, units: list[Unit], layers: set[str], floats: Iterable[str] = ()) -> Places:
    """The places for a choice of layers (by the names of their nodes). floats: values that are to
    stay float though they could be int8."""
    wanted, made, kept, refused = _reaching(units, layers), set(net.inputs), [], set(floats)
    fed = set(net.inputs)  # what is a float input of the network: only moved for nothing
    for unit in units:
        if unit.name in layers:
            made.update(unit.outputs)
            kept.append(unit)
        elif unit.layer is not None or unit.kind == "float":
            continue
        elif wanted.intersection(unit.outputs) and made.intersection(unit.inputs):
            moved = unit.kind == "layout"
            if moved and refused.intersection([*unit.inputs, *unit.outputs]):
                continue
            if fed.issuperset(unit.inputs):
                if not moved or not _is_float(net, unit.inputs):
                    continue
                fed.update(unit.outputs)
            made.update(unit.outputs)
            kept.append(unit)
    coded = {value for unit in kept for value in unit.inputs}
    coded.update(value for unit in kept if unit.kind == "layout" for value in unit.outputs)
    order = [*net.inputs, *(value for node in net.nodes for value in node.output)]
    last = {
        unit.inputs[0] for unit in kept if unit.layer is not None and unit.layer.kind == "linear"
    }
    return Places(kept, [v for v in order if v in coded and v not in refused], last)


def _is_float(net: Net, values: Iterable[str]) -> bool:
    return all(net.inputs[v].type.tensor_type.elem_type == 1 for v in values if v in net.inputs)


def channels(places: Places, value: str, shape: tuple) -> int:
    """Channels of a value."""
    if not shape:
        return 1
    return shape[-1] if value in places.last or len(shape) < 3 else shape[1]


class _Slots:
    """Channels of values, joined where an operator hands one on as the other."""

    def __init__(self) -> None:
        self.above: list[int] = []

    def new(self, count: int) -> np.ndarray:
        first = len(self.above)
        self.above.extend(range(first, first + count))
        return np.arange(first, first + count)

    def root(self, at: int) -> int:
        while self.above[at] != at:
            self.above[at] = at = self.above[self.above[at]]
        return at

    def join(self, one: np.ndarray, other: np.ndarray) -> bool:
        """Whether there are as many of one as of the other."""
        if len(one) != len(other):
            return False
        for a, b in zip(one, other):
            self.above[self.root(int(a))] = self.root(int(b))
        return True


def _axis(net: Net, node: Any, rank: int) -> int:
    return attributes(node).get("axis", 0) % max(1, rank)


def _through(
    net: Net, unit: Unit, shapes: dict[str, tuple], slots: dict[str, np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of channels that a layout unit hands on, one from its input, one in its output; none
    where it mixes them."""
    node, op = unit.nodes[0], unit.nodes[0].op_type
    out = unit.outputs[0]
    if out not in slots:
        return []
    if op == "Concat":
        if _axis(net, node, len(shapes[out])) != 1:
            return []
        return [(np.concatenate([slots[value] for value in unit.inputs]), slots[out])]
    source, target = shapes[unit.inputs[0]], shapes[out]
    if op == "Split" and _axis(net, node, len(source)) == 1:
        made = [slots[value] for value in unit.outputs if value in slots]
        return [(slots[unit.inputs[0]], np.concatenate(made))]
    pure = op in ("MaxPool", "Resize", "Identity", "Pad", "Slice", "Split")
    flat = op in ("Reshape", "Flatten", "Squeeze", "Unsqueeze") and (
        np.prod(source[1:]) == source[1] == target[1] == np.prod(target[1:])
        if len(source) > 1 and len(target) > 1
        else False
    )
    same = len(slots[unit.inputs[0]]) == len(slots[out]) and len(source) > 1
    if (pure and source[1] == target[1] and same) or (flat and same):
        return [(slots[unit.inputs[0]], slots[value]) for value in unit.outputs if value in slots]
    return []


def sources(net: Net, places: Places) -> dict[str, list[Layer]]:
    """Value → the layers whose outputs, one behind the other, are its channels; where that is
    known."""
    makers = {value: unit for unit in places.units for value in unit.outputs}
    found: dict[str, list[Layer]] = {}
    for value in places.coded:  # in the order in which they are made
        unit = makers.get(value)
        if unit is None:
            continue
        if unit.layer is not None and not unit.residual:
            found[value] = [unit.layer]
        elif unit.nodes[0].op_type in ("MaxPool", "Concat") and unit.kind == "layout":
            parts = [found.get(part) for part in unit.inputs]
            if all(parts):
                found[value] = [layer for part in parts if part for layer in part]
    return found


def groups(net: Net, places: Places, shapes: dict[str, tuple]) -> dict[str, Group]:
    """First value of each coding → the values that share it and the layers that read them."""
    all_slots, slots = _Slots(), {}
    for value in places.coded:
        slots[value] = all_slots.new(channels(places, value, shapes[value]))
    tied = {value: value for value in places.coded}
    mixed: set[str] = set()

    def top(value: str) -> str:
        while tied[value] != value:
            value = tied[value]
        return value

    for unit in places.units:
        members = [v for v in [*unit.inputs, *unit.outputs] if v in tied]
        if unit.kind != "layout" or len(members) < 2:
            continue
        pairs = _through(net, unit, shapes, slots)
        joined = [all_slots.join(*pair) for pair in pairs]
        if not joined or not all(joined):
            mixed.add(members[0])
        for value in members:
            tied[top(value)] = top(members[0])
    found: dict[str, Group] = {}
    read: dict[str, list[Layer]] = {value: [] for value in places.coded}
    for unit in places.units:
        if unit.layer is not None:
            read[unit.inputs[0]].append(unit.layer)
    for head in dict.fromkeys(map(top, places.coded)):
        values = [value for value in places.coded if top(value) == head]
        axes = {value in places.last and len(shapes[value]) > 2 for value in values}
        unread = not any(read[value] for value in values)
        plain = unread or bool(mixed.intersection(values)) or len(axes) > 1
        found[values[0]] = Group(
            {value: read[value] for value in values},
            None if plain else _numbered(all_slots, {v: slots[v] for v in values}),
        )
    return found


def _numbered(all_slots: _Slots, slots: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Slots counted from 0."""
    roots = {v: np.array([all_slots.root(int(at)) for at in s], int) for v, s in slots.items()}
    known = np.unique(np.concatenate(list(roots.values())))
    return {value: np.searchsorted(known, at) for value, at in roots.items()}

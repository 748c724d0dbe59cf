# SPDX-License-Identifier: Apache-2.0
"""quantize(): from a float ONNX file and calibration batches to an int8 ONNX file and a report."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx

from .. import calibrate
from .. import report as words
from .._native import QuernelError
from ..groups import PLAIN, ActivationStats
from ..layer import Coding, Layer, QuantLayer
from . import affine, edges, feeds, model, places, record, units, write
from .measure import Measure
from .report import Report, Row

MEMORY = 1 << 30  # bytes of recorded values: what a desktop spares
SECONDS = 600.0
CODED = ("QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul")
NOTHING = "no layer of it can be int8"


class _Quantizing:
    """One run of quantize(): the network, what is known of it, and what is int8 by now."""

    def __init__(self, path: Any, batches: Iterable, memory: int, threads: int, tell: Any) -> None:
        self.net, self.threads, self.memory, self.tell = model.load(path), threads, memory, tell
        affine.fold(self.net)
        self.parts = calibrate.parted(feeds.checked(batches, self.net))
        self.units, self.reasons = units.find(self.net)
        self.layers = {unit.name: unit for unit in self.units if unit.layer is not None}
        self.floats: set[str] = set()
        self.place()
        self.need_layers()
        self.shapes = record.shapes(self.net, self._sized(), self.parts[0][0])
        self.group()
        self._record()
        self._try_layers()

    def places_without(self, floats: Iterable[str]) -> places.Places:
        names = set(self.layers) - set(self.reasons)
        return places.find(self.net, self.units, names, self.floats.union(floats))

    def place(self) -> None:
        self.places = self.places_without(())

    def need_layers(self) -> None:
        """Refuses a network of which nothing can be int8."""
        if not self.places.layers():
            coded = any(n.op_type in CODED for n in self.net.nodes)
            why = next(iter(self.reasons.values()), "it has none")
            why = "it is quantized already" if coded else why
            model.refuse(f"onnx: {self.net.name}: {NOTHING}: {why}", model.UNSUPPORTED)

    def group(self) -> None:
        self.groups = places.groups(self.net, self.places, self.shapes)

    def _sized(self) -> list[str]:
        """Values whose shapes are needed: those with codes, and what layers read and write."""
        nodes = [node for node in self.net.nodes if node.op_type in model.WEIGHTED]
        ends = [v for node in nodes for v in [*node.input[:2], node.output[0]]]
        wanted = [*self.places.coded, *ends, *self.net.outputs]
        known = [v for v in wanted if v not in self.net.tensors]
        return list(dict.fromkeys(known))

    def _record(self) -> None:
        values = {
            value: "last"
            if value in self.places.last
            else "first"
            if group.slots or layers
            else "none"
            for group in self.groups.values()
            for value, layers in group.readers.items()
        }
        recorders, refused = record.record(
            self.net,
            values,
            list(self.parts),
            self.memory,
            self.threads,
            lambda share: self.tell(0.05 + 0.1 * share, "recorded"),
        )
        self.shown = recorders[0].stats, recorders[1].stats
        self.floats |= set(refused)
        for name, unit in self.layers.items():
            if unit.inputs[0] in refused:
                self.reasons.setdefault(name, refused[unit.inputs[0]])
        self.place()
        self.group()

    def stats(self, value: str) -> ActivationStats:
        return self.shown[0][value].merged(self.shown[1].get(value))

    def plain(self) -> dict[str, Coding]:
        """Every value's whole range, unsmoothed."""
        stats = {
            value: self.stats(value) for group in self.groups.values() for value in group.readers
        }
        return calibrate.codings(self.groups, stats, dict.fromkeys(self.groups, PLAIN))

    def _try_layers(self) -> None:
        """Layers that the library refuses stay float, with its reason."""
        plain = self.plain()
        for group in self.groups.values():
            for value, layers in group.readers.items():
                for layer in layers:
                    why = _refusal(layer, plain[value], self.stats(value).pieces[0])
                    if why:
                        self.reasons[layer.name] = why
        self.place()
        self.group()

    def macs(self, node: onnx.NodeProto) -> int:
        """Multiply-adds of a layer's node in the first batch."""

        def shape(value: str) -> tuple:
            tensor = self.net.tensors.get(value)
            return tuple(tensor.dims) if tensor is not None else self.shapes.get(value, ())

        x, w, y = (shape(value) for value in (*node.input[:2], node.output[0]))
        if not (x and w and y):
            return 0
        if node.op_type == "Conv":
            return int(np.prod(y) * np.prod(w[1:]))
        if node.op_type == "ConvTranspose":
            return int(np.prod(x) * np.prod(w[1:]))
        return int(np.prod(y) * x[-1])


def _refusal(layer: Layer, coding: Any, piece: np.ndarray) -> str:
    try:
        QuantLayer(layer, coding)(piece)
    except (QuernelError, ValueError, TypeError) as problem:
        return str(problem)
    return ""


def _search_draft(run: _Quantizing, where: places.Places) -> write.Draft:
    """A graph for every choice: each value that could be smoothed is, each layer has a bias."""
    smoothed = {v for group in run.groups.values() if group.slots for v in group.readers}
    return write.Draft(run.net, where, run.shapes, smoothed, where.layers())


def _final(run: _Quantizing, found: calibrate.Calibrated, measure: Measure) -> onnx.ModelProto:
    """The model that is written: factors only where there are some, in the layer before where it
    can take them in; a bias only where there is one."""
    smoothed = {value for value, coding in found.codings.items() if coding.smooth is not None}
    folded = [
        v for v in run.places.coded if v in smoothed and write.foldable(run.net, run.places, v)
    ]
    layers = {**run.places.layers(), **found.corrected}
    biased = {name for name, layer in layers.items() if layer.bias is not None}
    draft = write.Draft(run.net, run.places, run.shapes, smoothed, biased, folded)
    numbers = measure.of_draft(draft).numbers(found.codings, found.corrected)
    made = write.filled(draft.model, numbers, inputs=False)
    write.shape_outputs(made, run.shapes)
    onnx.checker.check_model(made)
    return made


def _float_edges(
    run: _Quantizing, found: calibrate.Calibrated, measure: Measure, effort: calibrate.Effort
) -> list[str]:
    """Values that stay float for the error's sake; the places are found again."""
    checked = run.parts[1][: calibrate.CHECKED]

    def of(floats: frozenset[str]) -> float:
        places_of = run.places_without(floats)
        return measure.of_draft(_search_draft(run, places_of))(
            found.codings, checked, found.corrected
        )

    macs = sum(run.macs(unit.nodes[0]) for unit in run.places.heads().values())
    shares = edges.shares(run.places, run.shapes, macs)
    chosen = edges.choose(shares, of, lambda: effort.over(0))
    run.floats |= chosen
    run.place()
    return [value for value in run.shown[0] if value in chosen]


def _rows(run: _Quantizing, found: calibrate.Calibrated) -> list[Row]:
    rows, group_of = [], {v: name for name, group in run.groups.items() for v in group.readers}
    for node in run.net.nodes:
        for inner in model.inner_layers(node):
            why = f"inside {node.name} ({node.op_type})"
            rows.append(Row(inner.name or inner.output[0], inner.op_type, False, why))
        if node.op_type not in model.WEIGHTED or node.domain:
            continue
        macs, own = run.macs(node), run.places.layers().get(node.name)
        if own is None:
            rows.append(Row(node.name, node.op_type, False, run.reasons[node.name], None, macs))
            continue
        value = node.input[0]
        coding, layer = found.codings[value], found.corrected.get(node.name, own)
        how = words.how(found.choices[group_of[value]], coding)
        pieces = run.stats(value).pieces
        packed = QuantLayer(layer, coding)
        sqnr = calibrate.sqnr([own(p) for p in pieces], [packed(p) for p in pieces])
        rows.append(Row(node.name, node.op_type, True, how, sqnr, macs))
    return rows


def _check(policies: tuple[str, ...], out: Any) -> None:
    """Refuses at once what would be refused in the end."""
    for policy in policies:
        if policy not in calibrate.POLICIES:
            known = ", ".join(calibrate.POLICIES)
            model.refuse(f"onnx: policies: {policy}: must be of {known}")
    if not policies:
        model.refuse("onnx: policies: 0: must be 1 or more")
    place = pathlib.Path(os.fspath(out))
    if place.is_dir():
        model.refuse(f"onnx: out: {place}: is a folder")
    if not place.parent.is_dir():
        model.refuse(f"onnx: out: {place}: {place.parent}: is no folder")


def quantize(
    path: str | os.PathLike,
    batches: Iterable,
    out: str | os.PathLike,
    *,
    policies: tuple[str, ...] = tuple(calibrate.POLICIES),
    trials: int = calibrate.TRIALS,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    threads: int = 0,
    progress: Callable[[float, float, str], None] | None = None,
) -> Report:
    """Writes the network of an ONNX file to `out` in int8, as operators that any engine runs, and
    returns a Report. batches: what it is calibrated on, each an array, a tuple of the network's
    inputs or {input: array}. policies: what is tried ("plain" alone is quick); trials, seconds: how
    many choices are tried on the whole network, and for how long; memory: bytes of values held at a
    time; threads: of ONNX Runtime, 0 for its own choice; progress(share done, seconds left,
    what)."""
    started = time.monotonic()
    _check(policies, out)

    done = 0.0

    def tell(share: float, what: str) -> None:
        nonlocal done
        done = max(done, share)
        if progress is not None:
            progress(done, (time.monotonic() - started) * (1 - done) / max(done, 1e-6), what)

    run = _Quantizing(path, batches, memory, threads, tell)
    run.need_layers()
    aside = run.parts[1]
    measure = Measure(run.net, _search_draft(run, run.places), threads)
    effort = calibrate.Effort(trials, seconds, lambda s, what: tell(0.2 + 0.7 * s, what), started)
    found = calibrate.choose(
        run.groups, run.shown, aside, measure, policies, places.sources(run.net, run.places), effort
    )
    floats = _float_edges(run, found, measure, effort) if len(policies) > 1 else []
    made = _final(run, found, measure)
    sqnr, plain = measure.of_model(made, aside), measure(run.plain(), aside)
    tell(0.97, "measured")
    model.write(made, out)
    made_report = Report(
        _rows(run, found),
        found.policy,
        found.held_out,
        sqnr,
        plain,
        floats,
        words.silences(found),
        time.monotonic() - started,
    )
    tell(1.0, "written")
    return made_report

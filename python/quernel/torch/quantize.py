# SPDX-License-Identifier: Apache-2.0
"""quantize(): a model's layers in int8, in place."""

from __future__ import annotations

import fnmatch
import math
import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn

from .. import calibrate, layer_search, report
from .._native import QuernelError
from ..groups import PLAIN, ActivationStats, Recorder
from ..layer import Coding, Layer
from . import trace, watch
from .installed import Installed, sqnr
from .layers import NORMS, unfit
from .modules import Quantized

UNCALLED_INT8 = "the model never calls it in int8"
SUSPICIOUS_DB = 5.0  # noise of a third of the signal: hardly what anyone wants


def _matches(name: str, patterns: str | Sequence[str]) -> bool:
    """Whether a pattern names the module, something it is part of, or, with wildcards, fits it."""
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(
        name == p or name.startswith(p + ".") or f".{p}." in f".{name}." or fnmatch.fnmatch(name, p)
        for p in patterns
    )


def _named(model: nn.Module, include: str | Sequence[str], exclude: str | Sequence[str]) -> list:
    named = [
        name
        for name, module in model.named_modules()
        if isinstance(getattr(module, "weight", None), torch.Tensor)
        and not isinstance(module, NORMS + (nn.PReLU, Quantized))
        and _matches(name, include)
        and not _matches(name, exclude)
    ]
    if not named:
        raise ValueError(f"quantize: include: {include!r}: fits no layer of the model")
    return named


class _Quantizing:
    """A run of quantize()."""

    def __init__(self, model: nn.Module, names: list[str], batches: list) -> None:
        self.model, self.batches = model, batches
        self.parts = calibrate.parted(batches)
        self.seen, made = watch.observe(model, names, batches)
        self.references = {id(batch): tensors for batch, tensors in zip(batches, made)}
        self.reasons = {
            name: unfit(model.get_submodule(name)) or shown.unfit()
            for name, shown in self.seen.items()
        }
        self.held = self._held()
        recorders = [Recorder(seed) for seed in (1, 2)]
        for recorder, part in zip(recorders, self.parts):
            for batch in part:
                self.held.record(batch, recorder)
        self.shown = recorders[0].stats, recorders[1].stats

    def _held(self) -> Installed:
        """The model with a site for each layer that there is no reason against."""
        wanted = [name for name, why in self.reasons.items() if not why]
        read = {name for name, shown in self.seen.items() if shown.read}
        return Installed(self.model, trace.sites(self.model, wanted, self.seen), read)

    def measure(
        self, codings: dict[str, Coding], part: list, corrected: dict[str, Layer] | None = None
    ) -> float:
        with self.held.holding(codings, corrected):
            return self.reached(part)

    def reached(self, part: list) -> float:
        """The SQNR of the model as it is now."""
        each = [sqnr(self.references[id(batch)], watch.run(self.model, batch)) for batch in part]
        return float(np.mean(each))

    def _groups(self) -> dict:
        first = self.shown[0]
        groups = self.held.groups()
        return {value: group for value, group in groups.items() if value in first}

    def rehearse(self) -> None:
        """Takes out what cannot run in int8, or is not run, before anything is searched."""
        codings = calibrate.codings(
            self._groups(), self.shown[0], dict.fromkeys(self._groups(), PLAIN)
        )
        with self.held.holding(codings):
            for name in self.held.uncalled(self.batches):
                self.reasons[name] = UNCALLED_INT8

    def choose(self, policies: tuple[str, ...]) -> calibrate.Calibrated:
        """Leaves layers out until the library refuses none."""
        while True:
            before = dict(self.reasons)
            try:
                self.rehearse()
                if self.reasons == before:
                    return calibrate.choose(
                        self._groups(),
                        self.shown,
                        self.parts[1],
                        self.measure,
                        policies,
                        self.held.sources(),
                    )
            except QuernelError as problem:
                self.reasons |= {name: str(problem) for name in problem.layers}
                if self.reasons == before:
                    raise
            self.held = self._held()

    def stats(self, value: str) -> ActivationStats:
        first, second = self.shown
        return first[value].merged(second.get(value))

    def row(self, name: str, calibrated: calibrate.Calibrated) -> report.Row:
        module, macs = self.model.get_submodule(name), self.seen[name].macs
        if not isinstance(module, Quantized):
            why = self.reasons[name] or "the batches that choose never call it"
            return report.Row(name, type(module).__name__, False, why, macs=macs)
        site = next(site for site in self.held.sites if site.name == name)
        coding = calibrated.codings[site.value]
        how = report.how(calibrated.choices[site.value], coding)
        reached, kind = self.audit(site, coding), site.layer.kind
        return report.Row(name, kind, True, how, module.chained, macs=macs, sqnr=reached)

    def audit(self, site: trace.Site, coding: Coding) -> float:
        """The SQNR of one layer; NaN where even that is too much for the numbers."""
        try:
            return layer_search.audit(site.layer, coding, self.stats(site.value).usual()).sqnr
        except QuernelError:
            return math.nan

    def warnings(self, rows: list[report.Row]) -> list[str]:
        """What is hardly as it should be."""
        uncalled = [row.name for row in rows if row.how in (watch.UNCALLED, UNCALLED_INT8)]
        found = [f"{name}: {self.reasons[name]}" for name in uncalled]
        found += [
            f"{row.name}: {row.sqnr:.1f} dB between int8 and float"
            for row in rows
            if row.sqnr is not None and not SUSPICIOUS_DB <= row.sqnr < math.inf
        ]
        if not any(row.int8 for row in rows):
            return [*found, "no layer is int8"]
        reached = self.reached(self.parts[1])
        if not SUSPICIOUS_DB <= reached < math.inf:
            found.append(f"the model: {reached:.1f} dB between int8 and float")
        return found


def quantize(
    model: nn.Module,
    calibration_batches: Iterable,
    include: str | Sequence[str] = "*",
    exclude: str | Sequence[str] = (),
    policies: tuple[str, ...] = tuple(calibrate.POLICIES),
) -> report.Report:
    """Quantizes the layers of a model in place and returns a Report. include and exclude name
    modules, parts of the model or patterns ("*.conv?"). Batches: tensors, tuples of the model's
    arguments, or dictionaries. What follows a layer (batch norm, activation) is folded where
    torch.fx can see it, and values that only quantized layers read stay int8. A layer that cannot
    be int8 stays float; the report says why. What is hardly right is warned of."""
    model.eval()
    names = _named(model, include, exclude)
    run = _Quantizing(model, names, list(calibration_batches))
    calibrated = run.choose(policies)
    run.held.install(calibrated.codings, calibrated.corrected)
    rows = [run.row(name, calibrated) for name in names]
    notes = [f"warning: {text}" for text in run.warnings(rows)]
    for note in notes:
        warnings.warn(f"quernel: {note.removeprefix('warning: ')}", stacklevel=2)
    notes += report.silences(calibrated)
    return report.Report(rows, calibrated.policy, calibrated.held_out, notes)

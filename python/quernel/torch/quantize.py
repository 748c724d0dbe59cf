# SPDX-License-Identifier: Apache-2.0
"""Quernel's layers as PyTorch modules for inference on the CPU, and quantize(), which puts them
into a model."""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree

from .. import calibrate, report
from ..groups import Group
from ..layer import Coded, Coding, Layer, QuantLayer
from . import layers as modules
from . import trace
from .layers import NORMS, array, layer, unfit


class _Coded(Coded):
    """… on its way through the model's own code. A concatenation is made of the codes; any other
    call that is in the way was folded into the layer and changes nothing."""

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, arguments: Any = (), keywords: Any = None
    ) -> Any:
        return cls.joined(arguments[0]) if function in modules.CONCATENATIONS else arguments[0]

    @classmethod
    def joined(cls, parts: Any) -> _Coded:
        (n, _, h, w), coding = parts[0].shape, parts[0].coding
        smooth = (
            None
            if coding.smooth is None
            else np.concatenate([part.coding.smooth for part in parts])
        )
        whole, first = (
            cls(
                (n, sum(part.shape[1] for part in parts), h, w),
                dataclasses.replace(coding, smooth=smooth),
                parts[0].border,
            ),
            0,
        )
        if any(whole.border):
            whole.chain.memory[:] = coding.zero
        for part in parts:
            whole.chain.numpy()[..., first : first + part.shape[1]] = part.chain.numpy()
            first += part.shape[1]
        return whole


class _Quantized(nn.Module):
    """Inference in int8, float32 in and out. source: the float module or a Layer; coding: of the
    input, computed in each run if None. The weights stay a buffer in float and are packed
    in the first run; no gradient flows."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, source: nn.Module | Layer, coding: Coding | None = None) -> None:
        super().__init__()
        given = source if isinstance(source, Layer) else layer(source)
        for name, values in (("weight", given.weights), ("bias", given.bias)):
            self.register_buffer(
                name, None if values is None else torch.from_numpy(np.array(values, np.float32))
            )
        without: dict[str, Any] = {"weights": None, "bias": None}  # buffers hold them
        self._spec = dataclasses.replace(given, **without)
        self.coding = coding or Coding()
        self.output: Any = None  # (Coding, border) where the readers take int8
        self._packed: QuantLayer | None = None

    @property
    def packed(self) -> QuantLayer:
        """The QuantLayer, made when it is first asked for."""
        if self._packed is None:
            full = dataclasses.replace(
                self._spec, weights=array(self.weight), bias=array(self.bias)
            )
            self._packed = QuantLayer(full, self.coding)
        return self._packed

    def extra_repr(self) -> str:
        return (
            f"{tuple(self.weight.shape)}, {self._spec.activation.kind}, scale={self.coding.scale}"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_packed": None}

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._packed = None
        return super()._apply(fn, recurse)

    def get_extra_state(self) -> dict[str, Any]:
        def plain(coding: Coding) -> tuple:
            smooth = None if coding.smooth is None else torch.from_numpy(np.array(coding.smooth))
            return coding.scale, coding.zero, coding.type, smooth

        scale = None if self._spec.scale is None else torch.from_numpy(np.array(self._spec.scale))
        return {
            "coding": plain(self.coding),
            "output": self.output and (plain(self.output[0]), self.output[1]),
            "scale": scale,
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        def coding(scale: float, zero: int, type_: Any, smooth: torch.Tensor | None) -> Coding:
            return Coding(scale, zero, type_, None if smooth is None else smooth.numpy())

        scale = state.get("scale")
        self._spec = dataclasses.replace(self._spec, scale=None if scale is None else scale.numpy())
        self.coding = coding(*state["coding"])
        self.output = state["output"] and (coding(*state["output"][0]), tuple(state["output"][1]))
        self._packed = None

    def _load_from_state_dict(self, *arguments: Any, **keywords: Any) -> None:
        super()._load_from_state_dict(*arguments, **keywords)
        self._packed = None

    def forward(self, x: Any) -> Any:
        threads = torch.get_num_threads()
        source = x if isinstance(x, Coded) else self._checked(x)
        self.packed.check(source)
        shape = self.packed.layer.output_shape(source.shape)
        if self.output is not None:
            return self.packed.run(source, _Coded(shape, *self.output), threads)
        channels_last = (
            not isinstance(x, Coded)
            and x.ndim == 4
            and x.is_contiguous(memory_format=torch.channels_last)
            and not x.is_contiguous()
        )
        y = torch.empty(
            shape, memory_format=torch.channels_last if channels_last else torch.contiguous_format
        )
        self.packed.run(source, y.numpy(), threads)
        return y

    def _checked(self, x: Any) -> np.ndarray:
        """The tensor as an array on the same memory."""
        who = type(self).__name__
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"{who}: x: {type(x).__name__}: must be a tensor")
        if x.device.type != "cpu":
            raise ValueError(f"{who}: x: device {x.device}: must be cpu")
        if x.dtype != torch.float32:
            raise TypeError(f"{who}: x: {x.dtype}: must be torch.float32")
        return x.detach().numpy()


class QuantConv2d(_Quantized):
    """In the place of nn.Conv2d."""


class QuantConvTranspose2d(_Quantized):
    """In the place of nn.ConvTranspose2d."""


class QuantLinear(_Quantized):
    """In the place of nn.Linear."""


MODULES = {"conv2d": QuantConv2d, "deconv2d": QuantConvTranspose2d, "linear": QuantLinear}


def _matches(name: str, patterns: str | Sequence[str]) -> bool:
    """Whether a pattern names the module, something it is part of, or, with wildcards, fits it."""
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(
        name == p or name.startswith(p + ".") or f".{p}." in f".{name}." or fnmatch.fnmatch(name, p)
        for p in patterns
    )


class _Passed(nn.Identity):
    """In the place of a module that was folded: gives one of its arguments as it is."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, *arguments: Any) -> Any:
        return arguments[self.place]


class _Model:
    """A model, its sites and their layers; puts int8 modules in and takes them out again."""

    def __init__(self, model: nn.Module, sites: list[trace.Site]) -> None:
        self.model, self.sites = model, sites
        self.layers = {site.name: site.layer for site in sites}
        names = [name for site in sites for name in (site.name, *site.taken)]
        self._originals = {name: model.get_submodule(name) for name in names}
        self.groups: dict[str, list[Layer]] = {}
        for site in sites:
            self.groups.setdefault(site.value, []).append(self.layers[site.name])

    def sources(self) -> dict[str, list[Layer]]:
        """Value → the layers that make it, where they are all known."""
        makers = {site.made: self.layers[site.name] for site in self.sites if site.made}
        return {
            site.value: [makers[value] for value in site.sources]
            for site in self.sites
            if site.sources and all(value in makers for value in site.sources)
        }

    def run(self, batch: Any) -> list[np.ndarray]:
        """The model's tensors for a batch: a tuple holds its arguments; a dictionary is copied
        first."""
        with torch.no_grad():
            made = (
                self.model(*batch)
                if isinstance(batch, tuple)
                else self.model(dict(batch) if isinstance(batch, dict) else batch)
            )
        return [
            t.numpy().copy()
            for t in _pytree.tree_flatten(made)[0]
            if isinstance(t, torch.Tensor) and t.is_floating_point()
        ]

    def record(self, batch: Any, recorder: calibrate.Recorder) -> None:
        def see(site: trace.Site) -> Callable:
            def hook(module: nn.Module, arguments: Any) -> None:
                x = array(arguments[0])
                recorder(
                    site.value,
                    x.reshape(-1, x.shape[-1]) if self.layers[site.name].kind == "linear" else x,
                )

            return hook

        with contextlib.ExitStack() as hooks:
            for site in {site.value: site for site in reversed(self.sites)}.values():
                hooks.enter_context(
                    self._originals[site.entry].register_forward_pre_hook(see(site))
                )
            self.run(batch)

    def macs(self, names: Iterable[str], batch: Any) -> dict[str, int]:
        """Name → multiply-adds in a batch."""
        found: dict[str, int] = {}

        def see(name: str) -> Callable:
            def hook(module: nn.Module, arguments: Any, made: Any) -> None:
                found[name] = found.get(name, 0) + modules.macs(module, arguments[0], made)

            return hook

        with contextlib.ExitStack() as hooks:
            for name in names:
                hooks.enter_context(self.model.get_submodule(name).register_forward_hook(see(name)))
            self.run(batch)
        return found

    def install(
        self, codings: dict[str, Coding], corrected: dict[str, Layer] | None = None
    ) -> None:
        """int8 modules where their input has a coding, nothing where a module was folded.
        corrected: layers in the place of the model's own, by name."""
        for site in self.sites:
            if site.value not in codings:
                continue
            found = (corrected or {}).get(site.name, self.layers[site.name])
            made = MODULES[found.kind](found, codings[site.value])
            if site.target and site.target[0] in codings:
                value, first = site.target
                made.output = self._output(found, value, first, codings)
            self.model.set_submodule(site.name, made)
            for name, place in site.taken.items():
                self.model.set_submodule(name, _Passed(place))

    def _output(
        self, layer: Layer, value: str, first: int, codings: dict[str, Coding]
    ) -> tuple[Coding, tuple]:
        """The coding of a layer's output, as channels of a value from the first on, and the border
        that its readers need."""
        coding = codings[value]
        smooth = None if coding.smooth is None else coding.smooth[first : first + layer.channels[1]]
        return dataclasses.replace(coding, smooth=smooth), self._border(value)

    def _border(self, value: str) -> tuple:
        pads = [found.pad for found in self.groups[value] if found.kind == "conv2d"]
        return tuple(max([0, *(max(pad[side], pad[side + 2]) for pad in pads)]) for side in (0, 1))

    def restore(self) -> None:
        for name, module in self._originals.items():
            self.model.set_submodule(name, module)


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
    torch.fx can see it, and values that only quantized layers read stay int8."""
    model.eval()
    named = [
        (name, module)
        for name, module in model.named_modules()
        if hasattr(module, "weight")
        and not isinstance(module, NORMS + (nn.PReLU, _Quantized))
        and _matches(name, include)
        and not _matches(name, exclude)
    ]
    if not named:
        raise ValueError(f"quantize: include: {include!r}: fits no layer of the model")
    reasons = {name: unfit(module) for name, module in named}
    held = _Model(model, trace.sites(model, [name for name, why in reasons.items() if not why]))
    batches, references = list(calibration_batches), {}

    def measure(
        codings: dict[str, Coding], part: list, corrected: dict[str, Layer] | None = None
    ) -> float:
        for batch in part:
            if id(batch) not in references:
                references[id(batch)] = held.run(batch)
        held.install(codings, corrected)
        try:
            return float(
                np.mean([calibrate.sqnr(references[id(batch)], held.run(batch)) for batch in part])
            )
        finally:
            held.restore()

    groups = {value: Group.of(value, layers) for value, layers in held.groups.items()}
    calibrated = calibrate.calibrate(
        groups, batches, held.record, measure, policies, held.sources()
    )
    macs = held.macs(reasons, batches[0])
    held.install(calibrated.codings, calibrated.corrected)
    return _report(held, calibrated, reasons, macs)


def _report(
    held: _Model, calibrated: calibrate.Calibrated, reasons: dict[str, str], macs: dict[str, int]
) -> report.Report:
    rows = []
    by_name = {site.name: site for site in held.sites}
    for name, why in reasons.items():
        module = held.model.get_submodule(name)
        if isinstance(module, _Quantized):
            value = by_name[name].value
            how = report.how(calibrated.choices[value], calibrated.codings[value])
            rows.append(
                report.Row(
                    name,
                    held.layers[name].kind,
                    True,
                    how,
                    module.output is not None,
                    macs=macs[name],
                )
            )
        else:
            why = why or "the calibration batches never reach it"
            rows.append(report.Row(name, type(module).__name__, False, why, macs=macs.get(name, 0)))
    return report.Report(rows, calibrated.policy, calibrated.held_out, report.silences(calibrated))

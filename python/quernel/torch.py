# SPDX-License-Identifier: Apache-2.0
"""Quernel's layers as PyTorch modules for inference on the CPU, and quantize(), which puts them into a model."""
from __future__ import annotations

import dataclasses
import fnmatch

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree

from . import calibrate, fold, report, trace
from .layer import Coded, Coding, Layer, QuantLayer


def _array(tensor):
    return None if tensor is None else tensor.detach().to("cpu", torch.float32).numpy()


def _pads(module):
    """top, left, bottom, right of a convolution."""
    if module.padding == "same":
        total = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size)]
        return (*(t // 2 for t in total), *(t - t // 2 for t in total))
    return (0, 0, 0, 0) if module.padding == "valid" else (*module.padding, *module.padding)


def unfit(module):
    """Why a module cannot be quantized; empty where it can."""
    if type(module) not in trace.LAYERS:
        return f"{type(module).__name__}: is not supported"
    if getattr(module, "padding_mode", "zeros") != "zeros":
        return f"padding_mode {module.padding_mode}: must be zeros"
    if not module.weight.dtype.is_floating_point or module.weight.device.type != "cpu":
        return f"weight: {module.weight.dtype} on {module.weight.device}: must be float on the CPU"
    return "" if bool(torch.isfinite(module.weight).all()) else "weight: must be finite"


def layer(module, name=""):
    """The Layer of an nn.Conv2d, nn.ConvTranspose2d or nn.Linear. Nothing is copied."""
    why = unfit(module)
    if why:
        raise TypeError(f"{name or type(module).__name__}: {why}")
    arrays = _array(module.weight), _array(module.bias)
    if isinstance(module, nn.Linear):
        return Layer(name, "linear", *arrays)
    kind = "deconv2d" if isinstance(module, nn.ConvTranspose2d) else "conv2d"
    return Layer(name, kind, *arrays, module.stride, _pads(module), module.dilation, module.groups, module.output_padding)


class _Quantized(nn.Module):
    """Inference in int8, float32 in and out. source: the float module or a Layer; coding: of the input, found in each run
    where there is none. The weights stay a buffer in float and are packed in the first run; no gradient flows."""

    def __init__(self, source, coding=None):
        super().__init__()
        given = source if isinstance(source, Layer) else layer(source)
        for name, array in (("weight", given.weights), ("bias", given.bias)):
            self.register_buffer(name, None if array is None else torch.from_numpy(np.array(array, np.float32)))
        self._spec = dataclasses.replace(given, weights=None, bias=None)
        self.coding = coding or Coding()
        self.output = None      # (Coding, border) where the readers take int8
        self._packed = None

    @property
    def packed(self):
        """The QuantLayer, made when it is first asked for."""
        if self._packed is None:
            full = dataclasses.replace(self._spec, weights=_array(self.weight), bias=_array(self.bias))
            self._packed = QuantLayer(full, self.coding)
        return self._packed

    def extra_repr(self):
        return f"{tuple(self.weight.shape)}, {self._spec.activation.kind}, scale={self.coding.scale}"

    def __getstate__(self):
        return {**self.__dict__, "_packed": None}

    def _apply(self, function, *arguments, **keywords):
        self._packed = None
        return super()._apply(function, *arguments, **keywords)

    def get_extra_state(self):
        def plain(coding):
            smooth = None if coding.smooth is None else torch.from_numpy(np.array(coding.smooth))
            return coding.scale, coding.zero, coding.type, smooth
        return {"coding": plain(self.coding), "output": self.output and (plain(self.output[0]), self.output[1])}

    def set_extra_state(self, state):
        def coding(scale, zero, type_, smooth):
            return Coding(scale, zero, type_, None if smooth is None else smooth.numpy())
        self.coding = coding(*state["coding"])
        self.output = state["output"] and (coding(*state["output"][0]), tuple(state["output"][1]))
        self._packed = None

    def _load_from_state_dict(self, *arguments, **keywords):
        super()._load_from_state_dict(*arguments, **keywords)
        self._packed = None

    def forward(self, x):
        threads = torch.get_num_threads()
        source = x if isinstance(x, Coded) else self._checked(x)
        if self.output is not None:
            return self.packed(source, *self.output, threads)
        self.packed.check(source)
        shape = self.packed.layer.output_shape(source.shape)
        channels_last = not isinstance(x, Coded) and x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last) \
            and not x.is_contiguous()
        y = torch.empty(shape, memory_format=torch.channels_last if channels_last else torch.contiguous_format)
        self.packed.run(source, y.numpy(), threads)
        return y

    def _checked(self, x):
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


def _matches(name, patterns):
    """Whether a pattern names the module, something it is part of, or, with wildcards, fits it."""
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(name == p or name.startswith(p + ".") or f".{p}." in f".{name}." or fnmatch.fnmatch(name, p) for p in patterns)


def _folded(model, site):
    """The Layer of a site with everything around it that is folded."""
    found = layer(model.get_submodule(site.name), site.name)
    if site.pad:
        more = trace.zero_pad(model.get_submodule(site.pad))
        found = dataclasses.replace(found, pad=tuple(a + b for a, b in zip(found.pad, more)))
    if site.norm:
        norm = model.get_submodule(site.norm)
        found = fold.scaled(found, *fold.batch_norm(*map(_array, (norm.weight, norm.bias, norm.running_mean,
                                                                  norm.running_var)), norm.eps))
    if site.activation:
        found = dataclasses.replace(found, activation=trace.activation(model.get_submodule(site.activation)))
    return found


class _Model:
    """A model, its sites and their layers; puts int8 modules in and takes them out again."""

    def __init__(self, model, sites):
        self.model, self.sites = model, sites
        self.layers = {site.name: _folded(model, site) for site in sites}
        names = [name for site in sites for name in (site.name, *site.folded)]
        self._originals = {name: model.get_submodule(name) for name in names}
        self.groups = {}
        for site in sites:
            self.groups.setdefault(site.value, []).append(self.layers[site.name])

    def sources(self):
        """Value → the layers that make it, where they are all known."""
        makers = {site.made: self.layers[site.name] for site in self.sites if site.made}
        return {site.value: [makers[value] for value in site.sources] for site in self.sites
                if site.sources and all(value in makers for value in site.sources)}

    def run(self, batch):
        """The model's tensors for a batch: a tuple holds its arguments; a dictionary is copied first."""
        with torch.no_grad():
            made = self.model(*batch) if isinstance(batch, tuple) else self.model(dict(batch) if isinstance(batch, dict) else batch)
        return [t.numpy().copy() for t in _pytree.tree_flatten(made)[0] if isinstance(t, torch.Tensor) and t.is_floating_point()]

    def record(self, batch, recorder):
        def see(site):
            def hook(module, arguments):
                x = _array(arguments[0])
                recorder(site.value, x.reshape(-1, x.shape[-1]) if self.layers[site.name].kind == "linear" else x)
            return hook
        first = {site.value: site for site in reversed(self.sites)}.values()
        hooks = [self._originals[site.entry].register_forward_pre_hook(see(site)) for site in first]
        try:
            self.run(batch)
        finally:
            for hook in hooks:
                hook.remove()

    def install(self, codings, biases=None):
        """int8 modules where their input has a coding, nothing where a module was folded. biases: in the place of the
        layers' own, by name."""
        for site in self.sites:
            if site.value not in codings:
                continue
            found = self.layers[site.name]
            found = dataclasses.replace(found, bias=(biases or {}).get(site.name, found.bias))
            made = MODULES[found.kind](found, codings[site.value])
            if site.int8 and site.made in codings:
                made.output = codings[site.made], self._border(site.made)
            self.model.set_submodule(site.name, made)
            for name in site.folded:
                self.model.set_submodule(name, nn.Identity())

    def _border(self, value):
        pads = [found.pad for found in self.groups[value] if found.kind == "conv2d"]
        return tuple(max([0, *(max(pad[side], pad[side + 2]) for pad in pads)]) for side in (0, 1))

    def restore(self):
        for name, module in self._originals.items():
            self.model.set_submodule(name, module)


def quantize(model, calibration_batches, include="*", exclude=(), policies=tuple(calibrate.POLICIES)):
    """Quantizes the layers of a model in place and returns a Report. include and exclude name modules, parts of the model
    or patterns ("*.conv?"). Batches: tensors, tuples of the model's arguments, or dictionaries. What follows a layer
    (batch norm, activation) is folded where torch.fx can see it, and values that only quantized layers read stay int8."""
    model.eval()
    named = [(name, module) for name, module in model.named_modules()
             if hasattr(module, "weight") and not isinstance(module, trace.NORMS + (nn.PReLU, _Quantized))
             and _matches(name, include) and not _matches(name, exclude)]
    if not named:
        raise ValueError(f"quantize: include: {include!r}: fits no layer of the model")
    reasons = {name: unfit(module) for name, module in named}
    held = _Model(model, trace.sites(model, [name for name, why in reasons.items() if not why]))
    references = {}

    def measure(codings, part, biases=None):
        for batch in part:
            if id(batch) not in references:
                references[id(batch)] = held.run(batch)
        held.install(codings, biases)
        try:
            return float(np.mean([calibrate.sqnr(references[id(batch)], held.run(batch)) for batch in part]))
        finally:
            held.restore()

    settled = calibrate.settle(held.groups, calibration_batches, held.record, measure, policies, held.sources())
    held.install(settled.codings, settled.biases)
    return _report(held, settled, reasons)


def _report(held, settled, reasons):
    rows = []
    by_name = {site.name: site for site in held.sites}
    for name, why in reasons.items():
        module = held.model.get_submodule(name)
        if isinstance(module, _Quantized):
            value = by_name[name].value
            how = report.how(settled.choices[value], settled.codings[value])
            rows.append(report.Row(name, held.layers[name].kind, True, how, module.output is not None))
        else:
            rows.append(report.Row(name, type(module).__name__, False, why or "the calibration batches never reach it"))
    return report.Report(rows, settled.policy, settled.held_out, report.silences(settled))

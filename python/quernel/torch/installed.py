# SPDX-License-Identifier: Apache-2.0
"""A model with some of its layers in int8: puts the modules in, and takes them out again."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import nn

from .. import calibrate
from ..groups import Group
from ..layer import Coding, Layer
from . import watch
from .layers import array
from .modules import MODULES, Passed, Quantized
from .trace import Site


class Installed:
    """A model, its sites and their layers."""

    def __init__(self, model: nn.Module, sites: list[Site], read: set[str]) -> None:
        """read: layers whose weights other code reads, which therefore stay what they are."""
        self.model, self.sites, self.read = model, sites, read
        self.layers = {site.name: site.layer for site in sites}
        paths = collections.defaultdict(list)
        for name, module in model.named_modules(remove_duplicate=False):
            paths[module].append(name)
        self._originals = {
            name: model.get_submodule(name) for site in sites for name in (site.name, *site.taken)
        }
        self._paths = {name: paths[module] for name, module in self._originals.items()}
        self._readers: dict[str, list[Layer]] = {}
        for site in sites:
            self._readers.setdefault(site.value, []).append(site.layer)

    def groups(self) -> dict[str, Group]:
        return {value: Group.of(value, layers) for value, layers in self._readers.items()}

    def sources(self) -> dict[str, list[Layer]]:
        """Value → the layers that make it, where they are all known."""
        makers = {site.made: site.layer for site in self.sites if site.made}
        return {
            site.value: [makers[value] for value in site.sources]
            for site in self.sites
            if site.sources and all(value in makers for value in site.sources)
        }

    def record(self, batch: Any, recorder: calibrate.Recorder) -> None:
        """Shows a recorder what the layers read."""
        entries = {site.value: site for site in reversed(self.sites)}.values()
        by_module = {self._originals[site.entry]: site for site in entries}

        def see(module: Any, x: Any, made: Any) -> None:
            site = by_module.get(module)
            if site is not None and x.numel():
                rows = site.layer.kind == "linear"
                shape = (-1, x.shape[-1]) if rows else (-1, *x.shape[-3:])
                recorder(site.value, array(x).reshape(shape))

        with watch.watching(see):
            watch.run(self.model, batch)

    def uncalled(self, batches: list) -> list[str]:
        """The int8 modules that the model, as it is now, calls in no batch."""
        left = {
            module: name
            for name, module in self.model.named_modules()
            if isinstance(module, Quantized)
        }
        for batch in batches:
            if left:
                with watch.watching(lambda module, x, made: left.pop(module, None)):
                    watch.run(self.model, batch)
        return list(left.values())

    @contextlib.contextmanager
    def holding(self, *chosen: Any) -> Iterator[None]:
        """With int8 modules for a while; see install()."""
        self.install(*chosen)
        try:
            yield
        finally:
            for name, module in self._originals.items():
                self._put(name, module)

    def install(
        self, codings: dict[str, Coding], corrected: dict[str, Layer] | None = None
    ) -> None:
        """int8 modules where their input has a coding, nothing where a module was folded.
        corrected: layers in the place of the model's own, by name."""
        handed = {
            site.target[0] for site in self.sites if site.target and site.value in codings
        } & set(codings)
        for site in self.sites:
            if site.value in codings:
                better = {} if site.name in self.read else corrected or {}
                border = self._border(site.value) if site.value in handed else None
                self._put(site.name, self._made(site, better, border, codings))
                for name, place in site.taken.items():
                    self._put(name, Passed(place))

    def _put(self, name: str, module: nn.Module) -> None:
        for path in self._paths[name]:
            self.model.set_submodule(path, module)

    def _made(
        self,
        site: Site,
        corrected: dict[str, Layer],
        border: tuple | None,
        codings: dict[str, Coding],
    ) -> Quantized:
        layer, output = corrected.get(site.name, site.layer), None
        if site.target and site.target[0] in codings:
            value, first = site.target
            output = self._output(layer, value, first, codings)
        made = MODULES[layer.kind](layer, codings[site.value], border, output, site.rank)
        original: Any = self._originals[site.name]
        for name in original.__constants__:  # sizes, for who asks
            setattr(made, name, getattr(original, name))
        return made

    def _output(
        self, layer: Layer, value: str, first: int, codings: dict[str, Coding]
    ) -> tuple[Coding, tuple]:
        """The coding of a layer's output, as channels of a value from the first on, and the border
        that its readers need."""
        coding = codings[value]
        smooth = None if coding.smooth is None else coding.smooth[first : first + layer.channels[1]]
        return dataclasses.replace(coding, smooth=smooth), self._border(value)

    def _border(self, value: str) -> tuple:
        pads = [layer.pad for layer in self._readers[value] if layer.kind == "conv2d"]
        return tuple(max([0, *(max(pad[side], pad[side + 2]) for pad in pads)]) for side in (0, 1))


def sqnr(reference: list[np.ndarray], made: list[np.ndarray]) -> float:
    """In dB; what has another shape is all wrong."""
    fitting = [b if b.shape == a.shape else np.zeros_like(a) for a, b in zip(reference, made)]
    return calibrate.sqnr(reference, fitting)

# SPDX-License-Identifier: Apache-2.0
"""Finds, by torch.fx, what stands around the layers of a PyTorch model: padding before, batch norm and activation behind,
and who reads the result. What cannot be traced is looked at part by part; at worst each layer stands alone."""
from __future__ import annotations

import dataclasses

import torch
from torch import fx, nn

from .layer import Activation

LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def activation(module):
    """The Activation of a module, or None."""
    if isinstance(module, nn.ReLU6):
        return Activation("clamp", 0.0, 6.0)
    if isinstance(module, nn.Hardtanh):
        return Activation("clamp", module.min_val, module.max_val)
    if isinstance(module, nn.LeakyReLU):
        return Activation("leaky", slope=module.negative_slope)
    if isinstance(module, nn.PReLU) and module.num_parameters == 1:
        return Activation("leaky", slope=float(module.weight))
    if isinstance(module, nn.PReLU):
        return Activation("prelu", slopes=module.weight.detach().numpy().copy())
    if isinstance(module, nn.GELU) and module.approximate != "none":
        return None
    simple = {nn.ReLU: "relu", nn.Hardswish: "hswish", nn.Hardsigmoid: "hsigmoid", nn.SiLU: "silu", nn.GELU: "gelu",
              nn.Sigmoid: "sigmoid", nn.Tanh: "tanh"}
    return Activation(simple[type(module)]) if type(module) in simple else None


def zero_pad(module):
    """(top, left, bottom, right) of a module that pads with zeros, or None."""
    if not isinstance(module, (nn.ZeroPad2d, nn.ConstantPad2d)) or getattr(module, "value", 0) != 0:
        return None
    left, right, top, bottom = module.padding
    return (top, left, bottom, right) if min(module.padding) >= 0 else None


@dataclasses.dataclass
class Site:
    """A layer and the modules around it, by name."""
    name: str
    value: str                  # what it reads; layers that read the same share it
    pad: str | None = None      # folded into the layer, like the next two
    norm: str | None = None
    activation: str | None = None
    made: str | None = None     # the value it makes; None: not known
    sources: tuple = ()         # the values of which what it reads is the concatenation, or itself
    int8: bool = False          # only layers read it

    @property
    def entry(self):
        """The module whose input the layer reads."""
        return self.pad or self.name

    @property
    def folded(self):
        return [name for name in (self.pad, self.norm, self.activation) if name]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module, name):
        return isinstance(module, LAYERS) or super().is_leaf_module(module, name)


def _graphs(module, prefix=""):
    """(prefix, fx graph) of the largest parts that can be traced."""
    if not any(True for _ in module.children()):
        return
    try:
        yield prefix, _Tracer().trace(module)
    except Exception:  # whatever the model's own code raises on proxies
        for name, child in module.named_children():
            yield from _graphs(child, f"{prefix}{name}.")


def _concatenated(node):
    """The nodes whose channels, one behind the other, are those of a node: itself, or the parts of torch.cat(…, 1)."""
    cat = isinstance(node, fx.Node) and node.op == "call_function" and node.target in (torch.cat, torch.concat)
    if not cat:
        return [node]
    dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
    return list(node.args[0]) if dim == 1 else [node]


class _Part:
    """One traced graph with the modules of its nodes."""

    def __init__(self, model, prefix, graph):
        self.prefix, self.graph, self.modules = prefix, graph, dict(model.named_modules())
        called = [node.target for node in graph.nodes if node.op == "call_module"]
        self.once = {target for target in called if called.count(target) == 1}

    def module(self, node, kinds=nn.Module):
        """The module that a node calls, if it is called but once and of these kinds."""
        is_one = isinstance(node, fx.Node) and node.op == "call_module" and node.target in self.once
        module = self.modules[self.prefix + node.target] if is_one else None
        return module if isinstance(module, kinds) else None

    def name(self, node):
        return self.prefix + node.target

    def site(self, node):
        """The Site of a layer's node, with the nodes of its input and its end."""
        source, end = node.args[0], node
        site = Site(self.name(node), "")
        if len(getattr(source, "users", ())) == 1 and zero_pad(self.module(source)) and self.module(node, nn.Conv2d):
            site.pad, source = self.name(source), source.args[0]
        for field, fits in (("norm", lambda module: isinstance(module, NORMS) and module.running_mean is not None),
                            ("activation", activation)):
            following = next(iter(end.users)) if len(end.users) == 1 else None
            module = self.module(following)
            if module is not None and fits(module):
                setattr(site, field, self.name(following))
                end = following
        site.value, site.made = (f"{self.prefix}{n}" for n in (source, end))
        site.sources = tuple(f"{self.prefix}{n}" for n in _concatenated(source))
        return site, end

    def sites(self, wanted):
        found = [self.site(node) for node in self.graph.nodes
                 if node.op == "call_module" and self.name(node) in wanted and self.module(node, LAYERS)]
        entries = {site.entry for site, _ in found if not isinstance(self.modules[site.name], nn.Linear)}
        for site, end in found:
            readers = [self.module(user) is not None and self.name(user) in entries for user in end.users]
            site.int8 = bool(readers) and all(readers) and not isinstance(self.modules[site.name], nn.Linear)
        return [site for site, _ in found]


def sites(model, wanted):
    """A Site for each layer whose name is wanted."""
    found = {site.name: site for prefix, graph in _graphs(model) for site in _Part(model, prefix, graph).sites(wanted)}
    return [found.get(name) or Site(name, name) for name in wanted]

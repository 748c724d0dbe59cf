# SPDX-License-Identifier: Apache-2.0
"""Finds, by torch.fx, what surrounds the layers of a PyTorch model: padding before; batch norm,
arithmetic with constants and activation behind; and who reads the result. What cannot be traced is
looked at part by part; at worst nothing is fused into a layer."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from torch import fx

from .. import fold
from ..layer import Layer
from . import layers
from .layers import LAYERS, array
from .modules import Quantized
from .watch import Shown

# they change nothing that they have made: folded even where the call itself stays
TWICE_AS_ONCE = ("relu", "clamp")
# where channels are the second axis, over which norms and slopes go whatever the sizes are: inputs
# of so many axes
SECOND = {"linear": 2, "conv2d": 4, "deconv2d": 4}


@dataclasses.dataclass
class Site:
    """A layer of the model and what is around it; modules and values by name."""

    name: str
    layer: Layer  # with everything that is folded into it
    value: str  # what it reads; layers that read the same share it
    entry: str  # the module whose input that is
    # module that is folded → which of its arguments it passes on
    taken: dict = dataclasses.field(default_factory=dict)
    made: str | None = None  # the value it makes; None: not known
    sources: tuple = ()  # the values of which what it reads is the concatenation, or itself
    # where only layers read it: the value that they read, and its first channel in that
    target: tuple | None = None
    rank: int | None = None  # of its input, where what is folded goes by axis
    codes: bool = True  # whether its result may be int8: images, and nothing on the way alters it


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: Any, name: str) -> bool:
        is_layer = isinstance(module, (*LAYERS, Quantized)) or bool(layers.own_code(module))
        return is_layer or super().is_leaf_module(module, name)


def _graphs(module: Any, prefix: str = "") -> Iterator[tuple[str, fx.Graph]]:
    """(prefix, fx graph) of the largest parts that can be traced. What has hooks is a part of its
    own: they see what goes in and comes out."""
    parts = dict(module.named_children())
    graph = _graph(module) if parts else None
    if graph is not None:
        yield prefix, graph
        called = {node.target for node in graph.nodes if node.op == "call_module"}
        inner = {name: module.get_submodule(name) for name in sorted(called)}
        parts = {name: child for name, child in inner.items() if layers.own_code(child)}
    for name, child in parts.items():
        yield from _graphs(child, f"{prefix}{name}.")


def _graph(module: Any) -> fx.Graph | None:
    """What a module does; None where that cannot be traced."""
    if "forward" in vars(module) and not isinstance(module, fx.GraphModule):
        return None  # fx reads the class's own
    try:
        return module.graph if isinstance(module, fx.GraphModule) else _Tracer().trace(module)
    except Exception:  # whatever the model's own code raises on proxies
        return None


def _norm(module: Any) -> tuple[Any, Any]:
    """A batch norm as (factor, shift) per channel."""
    numbers = module.weight, module.bias, module.running_mean, module.running_var
    gamma, beta, mean, variance = map(array, numbers)
    return fold.batch_norm(gamma, beta, mean, variance, module.eps)


class _Part:
    """One traced graph with the modules of its nodes."""

    def __init__(self, model: Any, prefix: str, graph: fx.Graph, seen: dict[str, Shown]) -> None:
        self.prefix, self.graph, self.seen = prefix, graph, seen
        self.modules = dict(model.named_modules(remove_duplicate=False))
        called = [node.target for node in graph.nodes if node.op == "call_module"]
        used = collections.Counter(self.modules.values())  # by so many names
        self.once = {
            target
            for target in called
            if called.count(target) == 1 and used[self.modules[prefix + target]] == 1
        }
        self.calls = {node: self._call(node) for node in graph.nodes}

    def module(self, node: Any) -> Any:
        """The module that a node calls, or None."""
        is_one = isinstance(node, fx.Node) and node.op == "call_module"
        return self.modules[self.name(node)] if is_one else None

    def is_once(self, node: Any) -> bool:
        """Whether a node is all that calls its module, and nothing else runs then: only so can the
        module be taken out."""
        is_one = node.op == "call_module" and node.target in self.once
        return is_one and not layers.own_code(self.module(node))

    def name(self, node: Any) -> str:
        return self.prefix + node.target

    def _call(self, node: Any) -> layers.Call | None:
        """The Call that a node comes down to, or None."""
        if node.op == "call_module" and not node.kwargs and not layers.own_code(self.module(node)):
            return layers.single_call(self.module(node), self._known(node.args))
        if node.op in ("call_function", "call_method"):
            return layers.Call(node.target, self._known(node.args), self._known(node.kwargs))
        return None

    def _known(self, arguments: Any) -> Any:
        """Arguments with the tensors that are the model's own."""

        def known(node: Any) -> Any:
            return (
                layers.attribute(self.modules[self.prefix.rstrip(".")], node.target)
                if node.op == "get_attr"
                else node
            )

        return fx.node.map_arg(arguments, known)

    def origin(self, node: Any) -> Any:
        """The node whose result a node passes on: itself, or what it copies."""
        call = self.calls.get(node)
        return self.origin(call.arguments[0]) if call and call.is_copy() else node

    def parts(self, node: Any) -> list:
        """The nodes whose channels, one behind the other, are those of a node: itself, or those of
        a concatenation."""
        call = self.calls[node]
        if (
            call is None
            or call.function not in layers.CONCATENATIONS
            or not isinstance(call.arguments[0], (list, tuple))
        ):
            return [node]
        dim = (*call.arguments, call.keywords.get("dim", 0))[1]
        return [self.origin(part) for part in call.arguments[0]] if dim in (1, -3) else [node]

    def merged(self, node: Any, source: Any, layer: Layer, rank: int | None) -> Layer | None:
        """The layer with the node behind it folded in, or None. source: the node between; rank: of
        the layer's input, and so of its output."""
        module, bare = self.module(node), layer.activation.kind == "none"
        second = rank == SECOND[layer.kind]
        if layers.is_norm(module):
            kept = module.running_mean is not None and not module.training
            usable = bare and second and kept and self.is_once(node)
            return fold.scaled(layer, *_norm(module)) if usable else None
        call = self.calls[node]
        if call is None or not any(argument is source for argument in call.arguments):
            return None
        made = call.activation() if bare and call.arguments[0] is source else None
        if made and made.kind == "prelu" and not second:
            return None
        if made and (
            self.is_once(node) or (made.kind in TWICE_AS_ONCE and node.op != "call_method")
        ):
            return dataclasses.replace(layer, activation=made)
        if not self.is_once(node):
            return None
        if call.is_copy():
            return layer
        return self._scaled(call, source, layer, rank) if bare else None

    @staticmethod
    def _scaled(call: layers.Call, source: Any, layer: Layer, rank: int | None) -> Layer | None:
        """The layer behind which a call combines its result with a constant; None where it cannot
        be folded, as where that adds an axis or changes the type."""
        if call.function not in layers.ARITHMETIC or call.keywords or len(call.arguments) != 2:
            return None
        first = call.arguments[0] is source
        other = call.arguments[first]
        if isinstance(other, fx.Node) or not layers.keeps_form(other, rank):
            return None
        step = fold.arithmetic(
            layers.ARITHMETIC[call.function], layers.constant(other), layer, first
        )
        return step and fold.scaled(layer, *step)

    def site(self, node: Any) -> tuple[Site, Any]:
        """The Site of a layer's node, and the node of its end."""
        source, end, module = node.args[0], node, self.module(node)
        name, entry, taken = self.name(node), self.name(node), {}
        rank, codes, by_axis = self.seen[name].rank, self.seen[name].rank == 4, False
        layer = layers.layer(module, name)
        call = (
            self.calls[source]
            if layer.kind == "conv2d" and len(getattr(source, "users", ())) == 1
            else None
        )
        sides = call.zero_pad() if call and self.is_once(source) else None
        if sides:
            layer = dataclasses.replace(layer, pad=tuple(a + b for a, b in zip(layer.pad, sides)))
            entry, taken[self.name(source)], source = self.name(source), 0, source.args[0]
        while len(end.users) == 1:
            following = next(iter(end.users))
            merged = self.merged(following, end, layer, rank)
            if merged is None:
                break
            by_axis |= layers.is_norm(self.module(following)) or merged.activation.kind == "prelu"
            if self.is_once(following):
                taken[self.name(following)] = following.args.index(end)
            else:
                codes &= merged.activation.kind == "relu"  # what stays leaves codes as they are
            layer, end = merged, following
        value, made = (f"{self.prefix}{self.origin(n)}" for n in (source, end))
        sources = tuple(f"{self.prefix}{n}" for n in self.parts(self.origin(source)))
        kept = rank if by_axis else None
        return Site(name, layer, value, entry, taken, made, sources, None, kept, codes), end

    def sites(self, wanted: Iterable[str]) -> list[Site]:
        found = [
            self.site(node)
            for node in self.graph.nodes
            if node.op == "call_module"
            and self.is_once(node)
            and self.name(node) in wanted
            and len(node.args) == 1
            and not node.kwargs
            and not self.seen[self.name(node)].read
        ]
        entries = {site.entry for site, _ in found if site.layer.kind != "linear"}
        ends = {end: site for site, end in found if site.layer.kind != "linear" and site.codes}

        def only_layers(node: Any) -> bool:
            readers = [
                self.module(user) is not None and self.name(user) in entries for user in node.users
            ]
            return bool(readers) and all(readers)

        for end, site in ends.items():
            site.target = (site.made, 0) if only_layers(end) else None
        for node in filter(only_layers, self.graph.nodes):
            parts, first = self.parts(node), 0
            if len(set(parts)) == len(parts) and all(
                part in ends and list(part.users) == [node] for part in parts
            ):
                for part in parts:
                    ends[part].target = f"{self.prefix}{node}", first
                    first += ends[part].layer.channels[1]
        return [site for site, _ in found]


def sites(model: Any, wanted: Iterable[str], seen: dict[str, Shown]) -> list[Site]:
    """A Site for each layer whose name is wanted. seen: of each what runs of the model showed."""
    found = {
        site.name: site
        for prefix, graph in _graphs(model)
        for site in _Part(model, prefix, graph, seen).sites(wanted)
    }
    return [
        found.get(name) or Site(name, layers.layer(model.get_submodule(name), name), name, name)
        for name in wanted
    ]

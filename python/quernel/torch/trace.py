# SPDX-License-Identifier: Apache-2.0
"""Finds, by torch.fx, what surrounds the layers of a PyTorch model: padding before; batch norm,
arithmetic with constants and activation behind; and who reads the result. What cannot be traced is
looked at part by part; at worst nothing is fused into a layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from torch import fx

from .. import fold
from ..layer import Layer
from . import layers as modules
from .layers import LAYERS, NORMS, array

# they change nothing that they have made: folded even where the call itself stays
TWICE_AS_ONCE = ("relu", "clamp")


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


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: Any, name: str) -> bool:
        return isinstance(module, LAYERS) or super().is_leaf_module(module, name)


def _graphs(module: Any, prefix: str = "") -> Iterator[tuple[str, fx.Graph]]:
    """(prefix, fx graph) of the largest parts that can be traced."""
    if not any(True for _ in module.children()):
        return
    try:
        yield (
            prefix,
            module.graph if isinstance(module, fx.GraphModule) else _Tracer().trace(module),
        )
    except Exception:  # whatever the model's own code raises on proxies
        for name, child in module.named_children():
            yield from _graphs(child, f"{prefix}{name}.")


class _Part:
    """One traced graph with the modules of its nodes."""

    def __init__(self, model: Any, prefix: str, graph: fx.Graph) -> None:
        self.prefix, self.graph, self.modules = prefix, graph, dict(model.named_modules())
        called = [node.target for node in graph.nodes if node.op == "call_module"]
        self.once = {target for target in called if called.count(target) == 1}
        self.calls = {node: self._call(node) for node in graph.nodes}

    def module(self, node: Any) -> Any:
        """The module that a node calls, or None."""
        is_one = isinstance(node, fx.Node) and node.op == "call_module"
        return self.modules[self.name(node)] if is_one else None

    def is_once(self, node: Any) -> bool:
        """Whether a node is all that calls its module: only then can the module be taken out."""
        return node.op == "call_module" and node.target in self.once

    def name(self, node: Any) -> str:
        return self.prefix + node.target

    def _call(self, node: Any) -> modules.Call | None:
        """The Call that a node comes down to, or None."""
        if node.op == "call_module" and not node.kwargs:
            return modules.single_call(self.module(node), self._known(node.args))
        if node.op in ("call_function", "call_method"):
            return modules.Call(node.target, self._known(node.args), self._known(node.kwargs))
        return None

    def _known(self, arguments: Any) -> Any:
        """Arguments with the tensors that are the model's own."""

        def known(node: Any) -> Any:
            return (
                modules.attribute(self.modules[self.prefix.rstrip(".")], node.target)
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
            or call.function not in modules.CONCATENATIONS
            or not isinstance(call.arguments[0], (list, tuple))
        ):
            return [node]
        dim = (*call.arguments, call.keywords.get("dim", 0))[1]
        return [self.origin(part) for part in call.arguments[0]] if dim == 1 else [node]

    def merged(self, node: Any, source: Any, layer: Layer) -> Layer | None:
        """The layer with the node behind it folded in, or None. source: the node between."""
        module, bare = self.module(node), layer.activation.kind == "none"
        if isinstance(module, NORMS):
            numbers = map(
                array, (module.weight, module.bias, module.running_mean, module.running_var)
            )
            usable = bare and module.running_mean is not None and self.is_once(node)
            return fold.scaled(layer, *fold.batch_norm(*numbers, module.eps)) if usable else None
        call = self.calls[node]
        if call is None or not any(argument is source for argument in call.arguments):
            return None
        made = call.activation() if bare and call.arguments[0] is source else None
        if made and (
            self.is_once(node) or (made.kind in TWICE_AS_ONCE and node.op != "call_method")
        ):
            return dataclasses.replace(layer, activation=made)
        if not self.is_once(node):
            return None
        if call.is_copy():
            return layer
        return self._scaled(call, source, layer) if bare else None

    @staticmethod
    def _scaled(call: modules.Call, source: Any, layer: Layer) -> Layer | None:
        """The layer behind which a call combines its result with a constant; None where it cannot
        be folded."""
        if call.function not in modules.ARITHMETIC or call.keywords or len(call.arguments) != 2:
            return None
        first = call.arguments[0] is source
        other = call.arguments[first]
        if isinstance(other, fx.Node):
            return None
        step = fold.arithmetic(
            modules.ARITHMETIC[call.function], modules.constant(other), layer, first
        )
        return step and fold.scaled(layer, *step)

    def site(self, node: Any) -> tuple[Site, Any]:
        """The Site of a layer's node, and the node of its end."""
        source, end, module = node.args[0], node, self.module(node)
        name, entry, taken = self.name(node), self.name(node), {}
        layer = modules.layer(module, name)
        call = (
            self.calls[source]
            if layer.kind == "conv2d" and len(getattr(source, "users", ())) == 1
            else None
        )
        if call and self.is_once(source) and call.zero_pad():
            layer = dataclasses.replace(
                layer, pad=tuple(a + b for a, b in zip(layer.pad, call.zero_pad()))
            )
            entry, taken[self.name(source)], source = self.name(source), 0, source.args[0]
        while len(end.users) == 1:
            following = next(iter(end.users))
            merged = self.merged(following, end, layer)
            if merged is None:
                break
            if self.is_once(following):
                taken[self.name(following)] = following.args.index(end)
            layer, end = merged, following
        value, made = (f"{self.prefix}{self.origin(n)}" for n in (source, end))
        sources = tuple(f"{self.prefix}{n}" for n in self.parts(self.origin(source)))
        return Site(name, layer, value, entry, taken, made, sources), end

    def sites(self, wanted: Iterable[str]) -> list[Site]:
        found = [
            self.site(node)
            for node in self.graph.nodes
            if node.op == "call_module"
            and self.is_once(node)
            and self.name(node) in wanted
            and isinstance(self.module(node), LAYERS)
        ]
        entries = {site.entry for site, _ in found if site.layer.kind != "linear"}
        ends = {end: site for site, end in found if site.layer.kind != "linear"}

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


def sites(model: Any, wanted: Iterable[str]) -> list[Site]:
    """A Site for each layer whose name is wanted."""
    found = {
        site.name: site
        for prefix, graph in _graphs(model)
        for site in _Part(model, prefix, graph).sites(wanted)
    }
    return [
        found.get(name) or Site(name, modules.layer(model.get_submodule(name), name), name, name)
        for name in wanted
    ]

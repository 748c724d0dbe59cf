# SPDX-License-Identifier: Apache-2.0
"""What PyTorch's modules and functions are to this package: layers, activations, padding, and small
modules of which one call is all that they do."""

from __future__ import annotations

import dataclasses
import operator
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from ..layer import Activation, Layer
from .operator import array

LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
# hooks that set a weight from what a state holds, before each run, whatever the input is
WEIGHT_HOOKS = (WeightNorm, SpectralNorm, BasePruningMethod)
ARITHMETIC = {
    torch.add: "Add",
    torch.sub: "Sub",
    torch.mul: "Mul",
    torch.div: "Div",
    operator.add: "Add",
    operator.sub: "Sub",
    operator.mul: "Mul",
    operator.truediv: "Div",
}
CONCATENATIONS = (torch.cat, torch.concat)


def constant(value: Any) -> Any:
    """A number or a tensor as an array."""
    return array(value) if isinstance(value, torch.Tensor) else np.float32(value)


def keeps_form(value: Any, rank: int | None) -> bool:
    """Whether what is combined with a constant stays float32 of as many axes."""
    if not isinstance(value, torch.Tensor):
        return isinstance(value, (bool, int, float))
    kept = torch.result_type(torch.empty((1,) * (rank or 0)), value) == torch.float32
    return rank is not None and kept and value.ndim <= rank


def kind(module: Any) -> type:
    """A module's class; of a parametrized one that it had before."""
    return type(module).__mro__[1 if parametrize.is_parametrized(module) else 0]


def is_norm(module: Any) -> bool:
    return isinstance(module, NORMS) and type(module).forward is nn.BatchNorm2d.forward


def own_code(module: Any) -> str:
    """What runs around a module's forward, or in its place, in words; empty where nothing does."""
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    if any(not isinstance(hook, WEIGHT_HOOKS) for hook in hooks):
        return "a forward hook is registered on it"
    return "it has a forward of its own" if "forward" in vars(module) else ""


def _refresh(module: Any) -> None:
    """Sets the weights that hooks make, as the next run would: they may be older than the state."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WEIGHT_HOOKS):
            hook(module, ())


def unfit(module: Any) -> str:
    """Why a module cannot be quantized; empty where it can."""
    if kind(module) not in LAYERS:
        return f"{kind(module).__name__}: is not supported"
    if own_code(module):
        return own_code(module)
    _refresh(module)
    if getattr(module, "padding_mode", "zeros") != "zeros":
        return f"padding_mode {module.padding_mode}: must be zeros"
    if not module.weight.dtype.is_floating_point or module.weight.device.type != "cpu":
        return f"weight: {module.weight.dtype} on {module.weight.device}: must be float on the CPU"
    return "" if bool(torch.isfinite(module.weight).all()) else "weight: must be finite"


def _pads(module: Any) -> tuple:
    """top, left, bottom, right of a convolution."""
    if module.padding == "same":
        total = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size)]
        return (*(t // 2 for t in total), *(t - t // 2 for t in total))
    return (0, 0, 0, 0) if module.padding == "valid" else (*module.padding, *module.padding)


def layer(module: Any, name: str = "") -> Layer:
    """The Layer of an nn.Conv2d, nn.ConvTranspose2d or nn.Linear. Nothing is copied."""
    why = unfit(module)
    if why:
        raise TypeError(f"{name or type(module).__name__}: {why}")
    arrays = array(module.weight), array(module.bias)
    if isinstance(module, nn.Linear):
        return Layer(name, "linear", *arrays)
    kind = "deconv2d" if isinstance(module, nn.ConvTranspose2d) else "conv2d"
    return Layer(
        name,
        kind,
        *arrays,
        module.stride,
        _pads(module),
        module.dilation,
        module.groups,
        module.output_padding,
    )


def macs(module: Any, x: torch.Tensor, y: torch.Tensor) -> int:
    """Multiply-adds of a convolution or a linear layer that made y of x; 0 of anything else."""
    if not isinstance(module, (nn.modules.conv._ConvNd, nn.Linear)):
        return 0
    return module.weight[0].numel() * (x if getattr(module, "transposed", False) else y).numel()


def _prelu(weight: torch.Tensor) -> Activation:
    slopes = weight.detach().numpy().copy()
    return (
        Activation("leaky", slope=float(slopes[0]))
        if slopes.size == 1
        else Activation("prelu", slopes=slopes)
    )


def _clamp(min: Any = None, max: Any = None) -> Activation | None:
    lo, hi = -np.inf if min is None else min, np.inf if max is None else max
    return (
        Activation("clamp", lo, hi)
        if all(isinstance(bound, (int, float)) for bound in (lo, hi))
        else None
    )


ACTIVATIONS = {  # function → Activation or None, of the arguments behind the first
    F.relu6: lambda inplace=False: Activation("clamp", 0.0, 6.0),
    F.hardtanh: lambda min_val=-1.0, max_val=1.0, inplace=False: Activation(
        "clamp", min_val, max_val
    ),
    F.leaky_relu: lambda negative_slope=0.01, inplace=False: Activation(
        "leaky", slope=negative_slope
    ),
    F.gelu: lambda approximate="none": Activation("gelu") if approximate == "none" else None,
    **dict.fromkeys((F.prelu, torch.prelu), _prelu),
    **dict.fromkeys((torch.clamp, torch.clip), _clamp),
}
for _kind, *_functions in (
    ("relu", F.relu, torch.relu),
    ("hswish", F.hardswish),
    ("hsigmoid", F.hardsigmoid),
    ("silu", F.silu),
    ("sigmoid", torch.sigmoid, F.sigmoid),
    ("tanh", torch.tanh, F.tanh),
):
    ACTIVATIONS.update(
        (function, lambda inplace=False, kind=_kind: Activation(kind)) for function in _functions
    )


@dataclasses.dataclass
class Call:
    """A call in a traced graph: constants are tensors and numbers, all else nodes."""

    function: Any
    arguments: tuple
    keywords: dict

    def activation(self) -> Activation | None:
        """The Activation that it is of its first argument, or None."""
        made: Any = ACTIVATIONS.get(self.function)
        return made and made(*self.arguments[1:], **self.keywords)

    def is_copy(self) -> bool:
        """Whether it gives its first argument as it is."""
        if self.function is F.dropout:
            return not self.keywords.get("training", True)
        return self.function in (None, torch.clone, "clone", "contiguous")

    def zero_pad(self) -> tuple | None:
        """(top, left, bottom, right) where it pads with zeros, or None."""

        def zeros(x: Any, pad: Any, mode: str = "constant", value: str | None = None) -> Any:
            return mode == "constant" and not value and len(pad) == 4 and min(pad) >= 0 and pad

        sides = self.function is F.pad and zeros(*self.arguments, **self.keywords)
        if not sides:
            return None
        left, right, top, bottom = sides
        return top, left, bottom, right


def attribute(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name)
    return module


class _Recorder(fx.proxy.GraphAppendingTracer):
    """Notes calls; tensors are kept in them unchanged."""

    def create_arg(self, a: Any) -> Any:
        return a if isinstance(a, torch.Tensor) else super().create_arg(a)


def single_call(module: Any, given: Any) -> Call | None:
    """The Call that is all that a module does with what it is given; None where it does anything
    else. (fx.Tracer on so small a module would take 10 ms.)"""
    graph = fx.Graph()
    known: dict[Any, Any] = {}  # placeholder → the node in its place
    recorder = _Recorder(graph)

    def stand_in(node: fx.Node) -> Any:
        known[graph.placeholder(f"x{len(known)}")] = node
        return fx.Proxy(list(known)[-1], recorder)

    try:
        made = module.forward(*fx.node.map_arg(given, stand_in))
    except Exception:  # whatever the module's code raises on proxies
        return None
    calls = [node for node in graph.nodes if node.op != "placeholder"]
    result: Any = getattr(made, "node", None)
    if not calls and result in known:
        return Call(None, (known[result],), {})
    if (
        len(calls) != 1
        or result is not calls[0]
        or calls[0].op not in ("call_function", "call_method")
    ):
        return None
    return Call(
        calls[0].target,
        fx.node.map_arg(calls[0].args, known.get),
        fx.node.map_arg(calls[0].kwargs, known.get),
    )

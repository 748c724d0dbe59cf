# SPDX-License-Identifier: Apache-2.0
"""The operator behind the modules, as PyTorch's compilers and exporters see it: torch.ops.quernel
.layer, a function of tensors and numbers alone, with the shape of its result.

Tensors in int8 are plain: uint8 [n, c, h, w], channels last, the border of h and w included."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from .. import operators as ops
from ..layer import Activation, Coded, Coding, Layer, QuantLayer

SCHEMA = """(Tensor x, Tensor weight, Tensor? bias, Tensor? weight_scale, Tensor? slopes,
    Tensor? smooth, Tensor? y_smooth, str name, str kind, int[] stride, int[] pad, int[] dilation,
    int groups, int[] output_pad, str activation, float[] bounds, float? scale, int zero, int type,
    int[] border, float? y_scale, int y_zero, int[] y_border) -> Tensor"""
TENSORS = ("weight", "bias", "weight_scale", "slopes", "smooth", "y_smooth")


class Use(NamedTuple):
    """All that the operator is told beside tensors. bounds: an activation's lo, hi, slope; border:
    of an x in int8; without y_scale the result is float32."""

    name: str
    kind: str
    stride: tuple
    pad: tuple
    dilation: tuple
    groups: int
    output_pad: tuple
    activation: str
    bounds: tuple
    scale: float | None
    zero: int
    type: int
    border: tuple = (0, 0)
    y_scale: float | None = None
    y_zero: int = 0
    y_border: tuple = (0, 0)

    @staticmethod
    def of(layer: Layer, coding: Coding) -> Use:
        made = layer.activation
        return Use(
            name=layer.name,
            kind=layer.kind,
            stride=tuple(map(int, layer.stride)),
            pad=tuple(map(int, layer.pad)),
            dilation=tuple(map(int, layer.dilation)),
            groups=layer.groups,
            output_pad=tuple(map(int, layer.output_pad)),
            activation=made.kind,
            bounds=tuple(map(float, (made.lo, made.hi, made.slope))),
            scale=None if coding.scale is None else float(coding.scale),
            zero=int(coding.zero),
            type=int(coding.type),
        )

    def layer(self, weight: Any, bias: Any = None, scale: Any = None, slopes: Any = None) -> Layer:
        lo, hi, slope = self.bounds
        return Layer(
            self.name,
            self.kind,
            weight,
            bias,
            self.stride,
            self.pad,
            self.dilation,
            self.groups,
            self.output_pad,
            Activation(self.activation, lo, hi, slope, slopes),
            scale=scale,
        )


def array(tensor: Tensor | None) -> Any:
    """float32 on the CPU, on the same memory where it can be."""
    return None if tensor is None else tensor.detach().to("cpu", torch.float32).numpy()


def _version(tensor: Tensor) -> int:
    """A number that grows when the tensor is written to."""
    return 0 if tensor.is_inference() else tensor._version


class Packed(NamedTuple):
    """A layer as it runs."""

    version: int  # of the weights
    layer: QuantLayer
    y_coding: Coding | None  # None: float32


# weights → {how they are used, with what the other tensors hold: Packed}. Those are short, and
# compiled programs make them anew in each run.
_packed: MutableMapping[Tensor, dict[tuple, Packed]] = WeakTensorKeyDictionary()
USES_KEPT = 8  # of the same weights: a model has one, or one for each size that it asks for


def packed(tensors: Sequence[Tensor | None], use: Use) -> Packed:
    """Made when it is first asked for, and again when a tensor was written to; kept as long as the
    weights are."""
    weight, *others = tensors
    assert weight is not None
    known = _packed.get(weight)
    if known is None:
        known = _packed.setdefault(weight, {})
    arrays = [array(other) for other in others]
    key = (use, *(None if values is None else values.tobytes() for values in arrays))
    version = _version(weight)
    found = known.get(key)
    if found is None or found.version != version:
        if len(known) >= USES_KEPT:
            known.clear()
        copies = [None if values is None else values.copy() for values in arrays]
        found = known[key] = _pack(version, array(weight), copies, use)
    return found


def _pack(version: int, weight: np.ndarray, arrays: list, use: Use) -> Packed:
    bias, scale, slopes, smooth, y_smooth = arrays
    layer = use.layer(weight, bias, scale, slopes)
    coding = Coding(use.scale, use.zero, use.type, smooth)
    codes = Coding(use.y_scale, use.y_zero, ops.U8, y_smooth)
    return Packed(version, QuantLayer(layer, coding), None if use.y_scale is None else codes)


def _inner(x: Tensor, border: Sequence[int]) -> tuple:
    """The shape of a tensor without its border."""
    n, c, h, w = x.shape
    return n, c, h - 2 * border[0], w - 2 * border[1]


def _result(x: Tensor, layer: Layer, use: Use) -> Tensor:
    """What the operator gives, not yet filled. Refuses an input that does not fit."""
    codes = not x.is_floating_point()
    shape = _inner(x, use.border) if codes else tuple(x.shape)
    channels = shape[-1 if use.kind == "linear" else 1]
    if channels != layer.channels[0]:
        raise ValueError(f"{use.name}: x: {channels} channels: must be {layer.channels[0]}")
    made = layer.output_shape(shape)
    if use.kind != "linear" and min(made[2:]) < 1:
        raise ValueError(f"{use.name}: x: shape {shape}: leaves nothing of the output")
    dtype, last = torch.float32, not codes and x.ndim == 4 and not x.is_contiguous()
    last = last and x.is_contiguous(memory_format=torch.channels_last)
    if use.y_scale is not None:
        n, c, h, w = made
        made = n, c, h + 2 * use.y_border[0], w + 2 * use.y_border[1]
        dtype, last = torch.uint8, True
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.empty(made, dtype=dtype, device=x.device, memory_format=layout)


def _side(tensor: Tensor, coding: Coding | None, border: tuple) -> np.ndarray | Coded:
    """A tensor as the layer takes it, on the same memory."""
    if tensor.is_floating_point() or coding is None:
        return tensor.detach().numpy()
    pixels = tensor.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
    return Coded(_inner(tensor, border), coding, border, pixels.numpy())


def sides(x: Tensor, y: Tensor, made: Packed, use: Use) -> tuple[Any, Any]:
    """The tensors as the layer takes them."""
    return _side(x, made.layer.coding, use.border), _side(y, made.y_coding, use.y_border)


def _use(given: Sequence[Any]) -> tuple[Sequence[Tensor | None], Use]:
    """(tensors, all else) of the operator's arguments behind x."""
    plain: Any = [tuple(one) if type(one) is list else one for one in given[len(TENSORS) :]]
    return given[: len(TENSORS)], Use(*plain)


def _run(x: Tensor, *given: Any) -> Tensor:
    tensors, use = _use(given)
    made = packed(tensors, use)
    y = _result(x, made.layer.layer, use)
    if y.numel():
        source, target = sides(x, y, made, use)
        made.layer.run(source, target, torch.get_num_threads())
    return y


def _fake(x: Tensor, *given: Any) -> Tensor:
    use = _use(given)[1]
    return _result(x, use.layer(given[0]), use)


# not by custom_op(), whose wrappers cost more than a small layer
_library = torch.library.Library("quernel", "DEF")
_library.define("layer" + SCHEMA)
_library.impl("layer", _run, "CPU")
torch.library.register_fake("quernel::layer", _fake, lib=_library)

# SPDX-License-Identifier: Apache-2.0
"""The modules: inference in int8 in the place of PyTorch's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn

from ..layer import Coding, Layer, QuantLayer
from . import operator
from .layers import layer
from .operator import Use

# what a state holds beside weights and bias: how tensors are coded, which no float module has
CODED = ("scale", "zero", "type", "border", "y_scale", "y_zero", "y_border")
CODED_TENSORS = ("weight_scale", "smooth", "y_smooth")


class Quantized(nn.Module):
    """Inference in int8, float32 in and out. source: the float module or a Layer; coding: of the
    input, computed in each run if None. The weights stay a buffer in float and are packed
    in the first run; no gradient flows.

    border: of inputs that come in int8, None where none do; output: (Coding, border) of a result
    in int8, for readers that take it; rank: of the only inputs that it takes, where what was folded
    goes by their axes."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(
        self,
        source: nn.Module | Layer,
        coding: Coding | None = None,
        border: tuple | None = None,
        output: tuple[Coding, tuple] | None = None,
        rank: int | None = None,
    ) -> None:
        super().__init__()
        given = source if isinstance(source, Layer) else layer(source)
        coding = coding or Coding()
        self._buffers_of(weight=given.weights, bias=given.bias)
        slopes, y_smooth = given.activation.slopes, output and output[0].smooth
        self._buffers_of(False, weight_scale=given.scale, slopes=slopes, smooth=coding.smooth)
        self._buffers_of(False, y_smooth=y_smooth)
        self.use = Use.of(given, coding)._replace(border=border or (0, 0))
        self.takes_codes = border is not None
        ranks = () if given.kind == "linear" else (4, 3)
        self.ranks = ranks if rank is None else (rank,)
        if output is not None:
            made, y_border = output
            scale, zero = float(made.scale or 0), int(made.zero)
            self.use = self.use._replace(y_scale=scale, y_zero=zero, y_border=tuple(y_border))

    def _buffers_of(self, persistent: bool = True, **arrays: np.ndarray | None) -> None:
        for name, values in arrays.items():
            tensor = None if values is None else torch.from_numpy(np.array(values, np.float32))
            self.register_buffer(name, tensor, persistent=persistent)

    @property
    def tensors(self) -> list[torch.Tensor | None]:
        return [self._buffers[name] for name in operator.TENSORS]

    @property
    def packed(self) -> QuantLayer:
        """What runs; made when it is first asked for."""
        return operator.packed(self.tensors, self.use).layer

    @property
    def chained(self) -> bool:
        """Whether it hands int8 on."""
        return self.use.y_scale is not None

    def extra_repr(self) -> str:
        return f"{tuple(self.weight.shape)}, {self.use.activation}, scale={self.use.scale}"

    def __prepare_scriptable__(self) -> NoReturn:
        """What torch.jit.script asks each module of a model for, before it reads any code."""
        raise TypeError(
            f"{type(self).__name__}: torch.jit.script: cannot read a layer in int8: must be "
            "torch.jit.trace, torch.export or torch.compile"
        )

    def get_extra_state(self) -> dict[str, Any]:
        plain = {name: getattr(self.use, name) for name in CODED}
        kept = ("takes_codes", *CODED_TENSORS)
        return {**plain, **{name: getattr(self, name) for name in kept}}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.use = self.use._replace(**{name: state[name] for name in CODED})
        self.takes_codes = state["takes_codes"]
        for name in CODED_TENSORS:
            setattr(self, name, None if state[name] is None else state[name].clone())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self._run(input, self.use)

    def _run(self, x: torch.Tensor, use: Use) -> torch.Tensor:
        self._check(x)
        alone = use.kind != "linear" and x.ndim == 3
        batch = x.unsqueeze(0) if alone else x
        y = torch.ops.quernel.layer(batch, *self.tensors, *use)
        return y.squeeze(0) if alone else y

    def _check(self, x: torch.Tensor) -> None:
        who = type(self).__name__
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"{who}: x: {type(x).__name__}: must be a tensor")
        if x.device != self.weight.device:
            raise ValueError(f"{who}: x: device {x.device}: must be {self.weight.device}")
        if x.dtype != torch.float32 and not (self.takes_codes and x.dtype == torch.uint8):
            raise TypeError(f"{who}: x: {x.dtype}: must be torch.float32")
        if self.ranks and x.ndim not in self.ranks:
            ranks = " or ".join(map(str, self.ranks))
            raise ValueError(f"{who}: x: {x.ndim} dimensions: must be {ranks}")


class QuantConv2d(Quantized):
    """In the place of nn.Conv2d."""


class QuantConvTranspose2d(Quantized):
    """In the place of nn.ConvTranspose2d."""

    def forward(
        self, input: torch.Tensor, output_size: Sequence[int] | None = None
    ) -> torch.Tensor:
        if output_size is None:
            return self._run(input, self.use)
        bare = self.use._replace(output_pad=(0, 0))
        least = bare.layer(self.weight).output_size(tuple(input.shape[-2:]))
        added = tuple(size - n for size, n in zip(output_size[-2:], least))
        if any(not 0 <= n < stride for n, stride in zip(added, self.use.stride)):
            raise ValueError(
                f"QuantConvTranspose2d: output_size: {tuple(output_size)}: must be {least} or less "
                f"than a stride of {self.use.stride} more"
            )
        return self._run(input, self.use._replace(output_pad=added))


class QuantLinear(Quantized):
    """In the place of nn.Linear."""


MODULES = {"conv2d": QuantConv2d, "deconv2d": QuantConvTranspose2d, "linear": QuantLinear}


class Passed(nn.Identity):
    """In the place of a module that was folded: gives one of its arguments as it is."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, *arguments: Any) -> Any:
        return arguments[self.place]

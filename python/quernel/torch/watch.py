# SPDX-License-Identifier: Apache-2.0
"""Runs of a model, and what its layers are given and do in them."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree

from . import layers

UNCALLED = "the calibration batches never call it"
See = Callable[[Any, Any, Any], None]  # of a module, its input, and what it makes


def _copied(leaf: Any) -> Any:
    return leaf.clone() if isinstance(leaf, torch.Tensor) else copy.deepcopy(leaf)


def tensors(made: Any) -> list[torch.Tensor]:
    """The floating-point tensors in what a model gave: in containers, and in the attributes of
    objects of its own."""
    found: list[torch.Tensor] = []
    known: dict[int, Any] = {}

    def look(value: Any) -> None:
        for leaf in _pytree.tree_leaves(value):
            if isinstance(leaf, torch.Tensor):
                found.append(leaf)
            elif id(leaf) not in known and not isinstance(leaf, (type, nn.Module)):
                known[id(leaf)] = leaf
                slots = getattr(type(leaf), "__slots__", ())
                named = (slots,) if isinstance(slots, str) else slots
                look([getattr(leaf, name, None) for name in named])
                look(getattr(leaf, "__dict__", None))

    look(made)
    return [tensor for tensor in found if tensor.is_floating_point()]


def run(model: nn.Module, batch: Any) -> list[np.ndarray]:
    """The model's tensors for a batch: a tuple holds its arguments. The model gets a copy, which
    it may change."""
    given = _pytree.tree_map(_copied, batch)
    with torch.no_grad():
        made = model(*given) if isinstance(batch, tuple) else model(given)
    return [tensor.detach().cpu().numpy().copy() for tensor in tensors(made)]


@contextlib.contextmanager
def watching(see: See, see_read: Callable[[Any], None] = lambda module: None) -> Iterator[None]:
    """Shows what every module does, and whose weights or bias other code reads. As torch.fx does,
    it takes nn.Module's own methods for a while: with hooks a parent may take another way."""
    call, attribute = nn.Module.__call__, nn.Module.__getattr__
    running: list = []

    def watched_call(module: nn.Module, *given: Any, **named: Any) -> Any:
        running.append(module)
        try:
            made = call(module, *given, **named)
            if given or "input" in named:
                see(module, given[0] if given else named["input"], made)
            return made
        finally:
            running.pop()

    def watched_attribute(module: nn.Module, name: str) -> Any:
        if name in ("weight", "bias") and running and running[-1] is not module:
            see_read(module)
        return attribute(module, name)

    everything: Any = nn.Module
    everything.__call__, everything.__getattr__ = watched_call, watched_attribute
    try:
        yield
    finally:
        everything.__call__, everything.__getattr__ = call, attribute


@dataclasses.dataclass
class Shown:
    """What runs of the float model showed of one layer."""

    calls: int = 0
    macs: int = 0  # in the first batch
    ranks: set = dataclasses.field(default_factory=set)  # axes of its inputs
    dtypes: set = dataclasses.field(default_factory=set)
    refused: str = ""  # what is wrong with the first input that int8 cannot hold
    read: bool = False  # whether other code reads its weights

    @property
    def rank(self) -> int | None:
        """The axes of all its inputs; None where they differ."""
        return next(iter(self.ranks)) if len(self.ranks) == 1 else None

    def unfit(self) -> str:
        """Why the layer stays float; empty where it need not."""
        if not self.calls:
            return UNCALLED
        others = [str(dtype) for dtype in self.dtypes if dtype != torch.float32]
        if others:
            return f"it reads {others[0]}: must be torch.float32"
        return self.refused

    def add(self, x: torch.Tensor) -> None:
        self.calls += 1
        self.ranks.add(x.ndim)
        self.dtypes.add(x.dtype)
        self.refused = self.refused or ("it reads nested tensors" if x.is_nested else nonfinite(x))


def nonfinite(x: torch.Tensor) -> str:
    """In words, the first value that is not finite, and where; empty where all are."""
    fine = torch.isfinite(x)
    if bool(fine.all()):
        return ""
    index = tuple((~fine).nonzero()[0].tolist())
    return f"calibration: {x[index].item()} at {index}: must be finite"


def check(batches: list) -> None:
    """Refuses batches with NaN. An infinity may be a mask."""
    for at, batch in enumerate(batches):
        for tensor in tensors(batch):
            if bool(tensor.isnan().any()):
                raise ValueError(f"batches[{at}]: {nonfinite(tensor)}")


def observe(
    model: nn.Module, names: list[str], batches: list
) -> tuple[dict[str, Shown], list[list[np.ndarray]]]:
    """(name → what was seen of it, what the model makes of each batch)."""
    check(batches)
    seen = {name: Shown() for name in names}
    by_module = {model.get_submodule(name): shown for name, shown in seen.items()}
    made: list[list[np.ndarray]] = []

    def see(module: Any, x: torch.Tensor, y: torch.Tensor) -> None:
        if module in by_module:
            shown = by_module[module]
            shown.add(x)
            shown.macs += layers.macs(module, x, y) if not made else 0

    def see_read(module: Any) -> None:
        if module in by_module:
            by_module[module].read = True

    for batch in batches:
        with watching(see, see_read):
            made.append(run(model, batch))
    return seen, made

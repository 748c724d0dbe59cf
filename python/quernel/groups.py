# SPDX-License-Identifier: Apache-2.0
"""What the calibration set showed of values, groups of values that share a coding, and how one is
chosen for a group by the error that its int8 layers really make."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from . import layer_search
from . import operators as ops
from .layer import Coding, Layer, QuantLayer, about

# the error is measured on pieces of so many lines and columns, so many of them
CROP, CROPS = 20, 12


def _keep(kept: list[np.ndarray], piece: np.ndarray, rng: np.random.Generator) -> None:
    """Puts a piece to others, or in the place of one."""
    if len(kept) < CROPS:
        kept.append(piece)
    else:
        kept[rng.integers(CROPS)] = piece


class ActivationStats:
    """What one value was in the calibration set: its range per channel, and pieces of it."""

    def __init__(self) -> None:
        self.least: Any = None  # arrays once something was added
        self.greatest: Any = None
        self.pieces: list[np.ndarray] = []
        self.fair: list[np.ndarray] = []  # those that stand where chance put them

    def add(self, x: np.ndarray, rng: np.random.Generator, count: int = 1) -> None:
        """x: [n, c, h, w] or [m, k]; count: pieces to take of it."""
        self._extend(x)
        for at in range(count):
            extreme = at % 2 == 0 if count > 1 else rng.random() < 0.5
            piece = self._piece(x, rng, extreme)
            _keep(self.pieces, piece, rng)
            if count > 1 or not extreme:
                _keep(self.fair, self._piece(x, rng, False) if extreme else piece, rng)

    def _extend(self, x: np.ndarray) -> None:
        axes = (0, 2, 3) if x.ndim == 4 else (0,)
        least, greatest = np.minimum(x.min(axis=axes), 0), np.maximum(x.max(axis=axes), 0)
        if self.least is not None:
            least, greatest = np.minimum(least, self.least), np.maximum(greatest, self.greatest)
        self.least, self.greatest = least, greatest

    def usual(self) -> list[np.ndarray]:
        """Pieces whose means are those of the whole, where there are enough."""
        return self.fair if 2 * len(self.fair) >= CROPS else self.pieces

    @staticmethod
    def _piece(x: np.ndarray, rng: np.random.Generator, extreme: bool) -> np.ndarray:
        """Every second piece is where the largest value is: elsewhere clipping looks free."""
        image, *place = (
            np.unravel_index(np.abs(x).argmax(), x.shape)
            if extreme
            else [rng.integers(size) for size in x.shape]
        )
        if x.ndim == 2:
            return x[np.append(rng.permutation(len(x))[: CROP * CROP], image)]
        top, left = (
            int(np.clip(at - CROP // 2, 0, max(0, size - CROP)))
            for at, size in zip(place[1:], x.shape[2:])
        )
        return np.ascontiguousarray(x[image : image + 1, :, top : top + CROP, left : left + CROP])

    @staticmethod
    def of(pieces: Iterable[np.ndarray]) -> ActivationStats:
        """What these pieces alone show."""
        stats = ActivationStats()
        for piece in pieces:
            stats._extend(piece)
        return stats

    def merged(self, other: ActivationStats | None) -> ActivationStats:
        """Both together; the other may be None."""
        if other is None:
            return self
        both = ActivationStats()
        both.least, both.greatest = (
            np.minimum(self.least, other.least),
            np.maximum(self.greatest, other.greatest),
        )
        both.pieces, both.fair = self.pieces + other.pieces, self.fair + other.fair
        return both

    def largest(self) -> np.ndarray:
        """The largest |x| of each channel."""
        return np.maximum(self.greatest, -self.least)

    def bounds(self, smooth: np.ndarray | None) -> tuple[float, float]:
        """The least and the greatest value, smoothed."""
        divisor: Any = 1 if smooth is None else smooth
        return float((self.least / divisor).min()), float((self.greatest / divisor).max())

    def silent(self) -> np.ndarray:
        """Channels that were 0 throughout."""
        return np.flatnonzero((self.least == 0) & (self.greatest == 0))


class Recorder:
    """Sees the values that layers read, over all calibration batches."""

    def __init__(self, seed: int = 1, pieces: int = 1) -> None:
        """pieces: of each value in a batch."""
        self.stats: dict[str, ActivationStats] = {}
        self._rng, self._pieces = np.random.default_rng(seed), pieces

    def __call__(self, key: str, x: np.ndarray) -> None:
        if not np.isfinite(x).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
            raise ValueError(f"calibration: {key}: {x[index]} at {index}: must be finite")
        self.stats.setdefault(key, ActivationStats()).add(x, self._rng, self._pieces)


@dataclasses.dataclass(frozen=True)
class Choice:
    """How a value is to be coded, whatever its range: smoothing's exponent, and the share of the
    range that is kept."""

    alpha: float | None = None
    kept: float = 1.0


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """Values that share one coding, and the layers that read each. slots: where among the smoothing
    factors those of a value's channels are; None where it must not be smoothed."""

    readers: dict[str, list[Layer]]
    slots: dict[str, np.ndarray] | None

    @staticmethod
    def of(value: str, layers: list[Layer]) -> Group:
        """A value by itself."""
        return Group({value: layers}, {value: np.arange(layers[0].channels[0])})

    @property
    def layers(self) -> list[Layer]:
        return [layer for layers in self.readers.values() for layer in layers]

    def smooths(self, silent: Container[str]) -> bool:
        """Whether it may be smoothed. silent: values whose channels forbid it."""
        return (
            self.slots is not None
            and bool(self.layers)
            and not any(value in silent for value in self.readers)
        )

    def _factors(self, stats: dict[str, ActivationStats], alpha: float | None) -> np.ndarray | None:
        """Smoothing factors by slot."""
        if alpha is None or self.slots is None or not self.layers:
            return None
        count = 1 + max(int(at.max()) for at in self.slots.values())
        shown, weights = np.zeros(count, np.float32), np.zeros(count, np.float32)
        for value, layers in self.readers.items():
            np.maximum.at(shown, self.slots[value], stats[value].largest())
            for layer in layers:
                np.maximum.at(weights, self.slots[value], layer.largest_weights())
        with about(*self.layers):
            return ops.smooth_factors(shown, weights, alpha)

    def codings(self, choice: Choice, stats: dict[str, ActivationStats]) -> dict[str, Coding]:
        """Value → its coding for what was seen."""
        factors = self._factors(stats, choice.alpha)
        smooth = {
            value: None if factors is None or self.slots is None else factors[self.slots[value]]
            for value in self.readers
        }
        bounds = [stats[value].bounds(smooth[value]) for value in self.readers]
        least, greatest = (
            float(pick(column)) * choice.kept for pick, column in zip((min, max), zip(*bounds))
        )
        scale = (greatest - least) / 255 or 1.0
        zero = int(np.clip(np.rint(-least / scale), 0, 255))
        return {value: Coding(scale, zero, ops.U8, smooth[value]) for value in self.readers}


PLAIN = Choice()


def noise(group: Group, choice: Choice, stats: dict[str, ActivationStats]) -> float:
    """Sum of squared differences between int8 and float over the outputs of the layers for the
    pieces."""
    total, found = 0.0, group.codings(choice, stats)
    for value, layers in group.readers.items():
        for layer in layers:
            packed = QuantLayer(layer, found[value])
            for piece in stats[value].pieces:
                total += float(np.square(packed(piece) - layer(piece), dtype=np.float64).sum())
    return total


def _as_choice(found: layer_search.SearchResult, layer: Layer, shown: ActivationStats) -> Choice:
    """The library's search result in terms that fit any range: its range is a share of that of
    the pieces."""
    stats = ActivationStats.of(shown.pieces)
    whole = Group.of("", [layer]).codings(Choice(found.alpha), {"": stats})[""].scale
    assert found.coding.scale and whole  # both are static
    return Choice(found.alpha, min(1.0, found.coding.scale / whole))


def _clipped(group: Group, stats: dict[str, ActivationStats]) -> Choice:
    """The share of the range with the least squared error of the values, for what no layer
    reads."""
    whole = group.codings(PLAIN, stats)
    kept = []
    for value in group.readers:
        pieces = [np.ascontiguousarray(piece) for piece in stats[value].pieces]
        found = layer_search.observe(pieces, "mse").scale
        kept.append((found or 0.0) / (whole[value].scale or 1.0))
    return Choice(None, min(1.0, max(kept))) if max(kept) > 0 else PLAIN


def best(group: Group, stats: dict[str, ActivationStats], smooth: bool) -> Choice:
    """The library's choice for a group; of siblings' choices the one with the least noise over all
    of them."""
    if not group.layers:
        return _clipped(group, stats)
    found = [
        _as_choice(
            layer_search.search(layer, stats[value].pieces, smooth and group.slots is not None),
            layer,
            stats[value],
        )
        for value, layers in group.readers.items()
        for layer in layers
    ]
    found = list(dict.fromkeys(found))
    if len(found) == 1:
        return found[0]
    return min(found, key=lambda choice: noise(group, choice, stats))

# SPDX-License-Identifier: Apache-2.0
"""Finds how the inputs of layers are coded: what the calibration set showed of each, candidates for
each, the best one by the error that the int8 layers really make, and a check of the whole network
on a part of the set that was put aside."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import layer_search
from . import operators as ops
from .layer import Coding, Layer, QuantLayer

if TYPE_CHECKING:
    from .graph import Graph, QuantGraph

# the error is measured on pieces of so many lines and columns, so many of them
CROP, CROPS = 20, 12
# what a choice must gain over the plain one, on data put aside, to be kept
MARGIN_DB = 0.1


class ActivationStats:
    """What one value was in the calibration set: its range per channel, and pieces of it."""

    def __init__(self) -> None:
        self.least: Any = None  # arrays once something was added
        self.greatest: Any = None
        self.pieces: list[np.ndarray] = []

    def add(self, x: np.ndarray, rng: np.random.Generator) -> None:
        """x: [n, c, h, w] or [m, k]."""
        self._extend(x)
        piece = self._piece(x, rng)
        if len(self.pieces) < CROPS:
            self.pieces.append(piece)
        else:
            self.pieces[rng.integers(CROPS)] = piece

    def _extend(self, x: np.ndarray) -> None:
        axes = (0, 2, 3) if x.ndim == 4 else (0,)
        least, greatest = np.minimum(x.min(axis=axes), 0), np.maximum(x.max(axis=axes), 0)
        if self.least is not None:
            least, greatest = np.minimum(least, self.least), np.maximum(greatest, self.greatest)
        self.least, self.greatest = least, greatest

    @staticmethod
    def _piece(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Half of the pieces are where the largest value is: elsewhere clipping looks free."""
        extreme = rng.random() < 0.5
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
        both.pieces = self.pieces + other.pieces
        return both

    def silent(self) -> np.ndarray:
        """Channels that were 0 throughout."""
        return np.flatnonzero((self.least == 0) & (self.greatest == 0))


class Recorder:
    """Sees the values that layers read, over all calibration batches."""

    def __init__(self, seed: int = 1) -> None:
        self.stats: dict[str, ActivationStats] = {}
        self._rng = np.random.default_rng(seed)

    def __call__(self, key: str, x: np.ndarray) -> None:
        if not np.isfinite(x).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
            raise ValueError(f"calibration: {key}: {x[index]} at {index}: must be finite")
        self.stats.setdefault(key, ActivationStats()).add(x, self._rng)


@dataclasses.dataclass(frozen=True)
class Choice:
    """How a value is to be coded, whatever its range: smoothing's exponent, and the share of the
    range that is kept."""

    alpha: float | None = None
    kept: float = 1.0

    def coding(self, stats: ActivationStats, layers: list[Layer]) -> Coding:
        """The coding for what was seen; the layers that read the value share its smoothing
        factors."""
        smooth = None
        if self.alpha is not None:
            largest = np.max([layer.largest_weights() for layer in layers], axis=0)
            smooth = ops.smooth_factors(
                np.maximum(stats.greatest, -stats.least), largest, self.alpha
            )
        divisor: Any = 1 if smooth is None else smooth
        least, greatest = (
            float((bound / divisor).min() if low else (bound / divisor).max()) * self.kept
            for bound, low in ((stats.least, True), (stats.greatest, False))
        )
        scale = (greatest - least) / 255 or 1.0
        return Coding(scale, int(np.clip(np.rint(-least / scale), 0, 255)), ops.U8, smooth)


PLAIN = Choice()


# that refine() tries beside each value's own
ALTERNATIVES = (PLAIN, Choice(0.5), Choice(0.65), Choice(0.8))
CHECKED, TRIALS, STEP_DB = 2, 120, 0.02  # on so many batches, so often at most, for so much


def noise(layers: list[Layer], coding: Coding, pieces: list[np.ndarray]) -> float:
    """Sum of squared differences between int8 and float over the outputs of the layers for the
    pieces."""
    total = 0.0
    for layer in layers:
        packed = QuantLayer(layer, coding)
        for piece in pieces:
            total += float(np.square(packed(piece) - layer(piece), dtype=np.float64).sum())
    return total


def _as_choice(
    found: layer_search.SearchResult, layers: list[Layer], pieces: list[np.ndarray]
) -> Choice:
    """The library's search result in terms that fit any range: its range is a share of that of
    the pieces."""
    stats = ActivationStats.of(pieces)
    whole = Choice(found.alpha).coding(stats, layers).scale
    assert found.coding.scale and whole  # both are static
    return Choice(found.alpha, min(1.0, found.coding.scale / whole))


def best(layers: list[Layer], stats: ActivationStats, smooth: bool) -> Choice:
    """The library's choice for a value; of siblings' choices the one with the least noise over all
    of them."""
    found = [
        _as_choice(layer_search.search(layer, stats.pieces, smooth), [layer], stats.pieces)
        for layer in layers
    ]
    if len(found) == 1:
        return found[0]
    return min(found, key=lambda choice: noise(layers, choice.coding(stats, layers), stats.pieces))


# how the choice for each value is made, of the layers that read it and what was seen of it
POLICIES = {
    "plain": lambda layers, stats: PLAIN,
    "clipped": lambda layers, stats: best(layers, stats, smooth=False),
    "smoothed by 0.5": lambda layers, stats: Choice(0.5),
    "searched": lambda layers, stats: best(layers, stats, smooth=True),
}
UNSMOOTHED = {"smoothed by 0.5": "plain", "searched": "clipped"}  # where smoothing is refused


def choices(
    groups: dict[str, list[Layer]],
    stats: dict[str, ActivationStats],
    policy: str,
    silent: Container[str],
) -> dict[str, Choice]:
    """Value → Choice under a policy of POLICIES. groups: value → the layers that read it; silent:
    those not to smooth."""
    return {
        value: POLICIES[UNSMOOTHED.get(policy, policy) if value in silent else policy](
            layers, stats[value]
        )
        for value, layers in groups.items()
    }


def codings(
    groups: dict[str, list[Layer]], stats: dict[str, ActivationStats], chosen: dict[str, Choice]
) -> dict[str, Coding]:
    return {value: chosen[value].coding(stats[value], layers) for value, layers in groups.items()}


def sqnr(reference: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> float:
    """10·log10(energy of the reference / energy of the difference) over lists of arrays, in dB."""
    error = sum(
        float(np.square(np.subtract(b, a, dtype=np.float64)).sum())
        for a, b in zip(reference, other)
    )
    energy = sum(float(np.square(a, dtype=np.float64).sum()) for a in reference)
    return (
        float("inf")
        if error == 0
        else 10 * float(np.log10(energy / error))
        if energy
        else float("-inf")
    )


def candidates(
    groups: dict[str, list[Layer]],
    searched: dict[str, dict[str, Choice]],
    winner: str,
    silent: Container[str],
) -> dict[str, list[Choice]]:
    """Value → what refine() tries. Where the batches put aside refused smoothing, their own
    channels that the others leave silent among the reasons, it is no candidate for any value
    either."""
    smoothed = any(choice.alpha is not None for choice in searched[winner].values())
    alternatives = {
        value: [*ALTERNATIVES, *(found[value] for found in searched.values())] for value in groups
    }
    return {
        value: [
            choice for choice in found if (smoothed and value not in silent) or choice.alpha is None
        ]
        for value, found in alternatives.items()
    }


def refine(
    groups: dict[str, list[Layer]],
    stats: dict[str, ActivationStats],
    chosen: dict[str, Choice],
    alternatives: dict[str, list[Choice]],
    measure: Callable[..., float],
) -> tuple[dict[str, Choice], float]:
    """Tries other choices for one value after another on the whole network, and keeps what lowers
    its noise: the best choice of every layer is not always the best end to end. alternatives: value
    → choices to try. Ends when a round over all values changes nothing, or after TRIALS."""
    reached, trials, changed = measure(codings(groups, stats, chosen)), 0, True
    while changed and trials < TRIALS:
        changed = False
        for value in groups:
            for other in dict.fromkeys(alternatives[value]):
                if other == chosen[value] or trials == TRIALS:
                    continue
                made, trials = measure(codings(groups, stats, {**chosen, value: other})), trials + 1
                if made > reached + STEP_DB:
                    chosen, reached, changed = {**chosen, value: other}, made, True
    return chosen, reached


# what makes up for a layer's error in int8, of the layer, the coding of its input, and pieces of
# that
CORRECTIONS = {
    "bias corrected": lambda layer, *given: dataclasses.replace(
        layer, bias=layer_search.bias_correct(layer, *given)
    ),
    "weights rounded": layer_search.round_weights,
}


def corrections(
    groups: dict[str, list[Layer]],
    stats: dict[str, ActivationStats],
    found: dict[str, Coding],
    correct: Callable[..., Layer],
) -> dict[str, Layer]:
    """Layer → the layer in its place, by one of CORRECTIONS."""
    return {
        layer.name: correct(layer, found[value], stats[value].pieces)
        for value, layers in groups.items()
        for layer in layers
    }


def corrected(
    groups: dict[str, list[Layer]],
    part: dict[str, ActivationStats],
    whole: dict[str, ActivationStats],
    found: dict[str, Coding],
    measure: Callable[..., float],
) -> tuple[dict[str, Layer], dict[str, float]]:
    """What of CORRECTIONS helps the most on batches that it was not made of: ({name: layer} or
    nothing, name → SQNR). part: what was seen of the others; whole: of all, which the outcome is
    made of; measure(layers): the SQNR."""
    held_out = {
        name: measure(corrections(groups, part, found, correct))
        for name, correct in CORRECTIONS.items()
    }
    winner = max(held_out, key=held_out.__getitem__)
    helps = held_out[winner] >= measure({}) + STEP_DB
    return corrections(groups, whole, found, CORRECTIONS[winner]) if helps else {}, held_out


def silences(
    stats: dict[str, ActivationStats], sources: dict[str, list[Layer]]
) -> dict[str, list[int]]:
    """Value → channels that the calibration set left at 0 though the network can make them.
    sources: value → the layers that make it, their channels one behind the other, where that is
    known."""
    found = {}
    for value, shown in stats.items():
        makers = sources.get(value)
        dead: np.ndarray = (
            np.concatenate([layer.dead() for layer in makers])
            if makers
            else np.zeros(len(shown.least), np.bool_)
        )
        channels = [channel for channel in shown.silent() if not dead[channel]]
        if channels:
            found[value] = channels
    return found


@dataclasses.dataclass
class Calibrated:
    """What was chosen, and what it was chosen over."""

    policy: str
    choices: dict  # value → Choice
    codings: dict  # value → Coding
    # layer → the one in its place that makes up for its error; empty where that does not help
    corrected: dict
    held_out: dict  # policy → SQNR of the whole network, dB, on the batches put aside
    silent: dict  # value → channels that the calibration set left at 0 though they are not dead


def calibrate(
    groups: dict[str, list[Layer]],
    batches: Iterable,
    record: Callable[[Any, Recorder], None],
    measure: Callable[..., float],
    policies: tuple[str, ...] = tuple(POLICIES),
    sources: dict[str, list[Layer]] | None = None,
) -> Calibrated:
    """The codings of all values. record(batch, recorder) shows the recorder what the float
    network's layers read; measure(codings, batches, corrected) is the SQNR of the whole network.
    Every second batch is put aside for the check of the policies, whose ranges do not know it; the
    first of those refine the choice, and the others say whether that and what makes up for errors
    are kept. The ranges of the outcome are those of all batches.

    A value with channels that the set leaves silent is not smoothed: they would overflow later, and
    no batch put aside could tell. Channels that are dead by their weights do not count."""
    batches = list(batches)
    if not batches:
        raise ValueError("calibration: batches: 0: must be 1 or more")
    parts = [batches[0::2], batches[1::2] or batches]
    recorders = [Recorder(seed) for seed in (1, 2)]
    for recorder, part in zip(recorders, parts):
        for batch in part:
            record(batch, recorder)
    first, second = (recorder.stats for recorder in recorders)
    groups = {value: layers for value, layers in groups.items() if value in first}
    stats = {value: first[value].merged(second.get(value)) for value in groups}
    silent = silences(stats, sources or {})
    searched = {policy: choices(groups, first, policy, silent) for policy in policies}
    held_out = {
        policy: measure(codings(groups, first, found), parts[1])
        for policy, found in searched.items()
    }
    winner = max(held_out, key=held_out.__getitem__)
    if held_out[winner] < held_out["plain"] + MARGIN_DB:
        winner = "plain"
    checked, unseen = parts[1][:CHECKED], parts[1][CHECKED:] or parts[1]
    layers: dict[str, Layer] = {}
    if len(policies) > 1:
        alternatives = candidates(groups, searched, winner, silent)
        searched["refined"], _ = refine(
            groups, stats, searched[winner], alternatives, lambda found: measure(found, checked)
        )
        reached = {
            policy: measure(codings(groups, stats, searched[policy]), unseen)
            for policy in (winner, "refined")
        }
        winner = max(reached, key=reached.__getitem__)
        held_out["refined"], found = reached["refined"], codings(groups, stats, searched[winner])
        layers, made = corrected(
            groups, first, stats, found, lambda layers: measure(found, unseen, layers)
        )
        held_out.update(made)
    return Calibrated(
        winner, searched[winner], codings(groups, stats, searched[winner]), layers, held_out, silent
    )


def quantize_graph(
    graph: Graph, batches: Iterable, threads: int = 1, policies: tuple[str, ...] = tuple(POLICIES)
) -> tuple[QuantGraph, Calibrated]:
    """(QuantGraph, Calibrated) of a Graph. Each batch is an array, or a tuple of the graph's
    inputs."""
    from .graph import QuantGraph

    batches = [batch if isinstance(batch, tuple) else (batch,) for batch in batches]
    layers = graph.layers_alone()
    groups = {value: [layers[name] for name in names] for value, names in graph.groups().items()}

    def record(batch: tuple, recorder: Recorder) -> None:
        recorded = set()

        def watch(node: Any, x: np.ndarray, y: np.ndarray) -> None:
            if node.inputs[0] not in recorded:
                recorded.add(node.inputs[0])
                recorder(
                    node.inputs[0], x.reshape(-1, x.shape[-1]) if node.layer.kind == "linear" else x
                )

        graph(*batch, watch=watch)

    references = {}

    def measure(
        found: dict[str, Coding], part: list, corrected: dict[str, Layer] | None = None
    ) -> float:
        quantized, pairs = QuantGraph(graph, found, threads, corrected), []
        for batch in part:
            if id(batch) not in references:
                references[id(batch)] = graph(*batch)
            pairs.append(sqnr(references[id(batch)], quantized(*batch)))
        return float(np.mean(pairs))

    sources = {value: [layers[name] for name in graph.sources(value)] for value in groups}
    calibrated = calibrate(groups, batches, record, measure, policies, sources)
    return QuantGraph(graph, calibrated.codings, threads, calibrated.corrected), calibrated

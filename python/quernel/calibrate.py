# SPDX-License-Identifier: Apache-2.0
"""Finds how the inputs of layers are coded: candidates for each, the best one by the error that the
int8 layers really make, and a check of the whole network on a part of the calibration set that was
put aside."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import numpy as np

from . import layer_search
from .groups import PLAIN, ActivationStats, Choice, Group, Recorder, best
from .layer import Coding, Layer

# what a choice must gain over the plain one, on data put aside, to be kept
MARGIN_DB = 0.1
# that refine() tries beside each value's own
ALTERNATIVES = (PLAIN, Choice(0.5), Choice(0.65), Choice(0.8))
CHECKED, TRIALS, STEP_DB = 2, 120, 0.02  # on so many batches, so often at most, for so much


# how the choice for each group is made, of the group and what was seen of its values
POLICIES = {
    "plain": lambda group, stats: PLAIN,
    "clipped": lambda group, stats: best(group, stats, smooth=False),
    "smoothed by 0.5": lambda group, stats: Choice(0.5),
    "searched": lambda group, stats: best(group, stats, smooth=True),
}
UNCLIPPED = "searched, whole range"
UNSMOOTHED = {"smoothed by 0.5": "plain", "searched": "clipped"}  # where smoothing is refused


def choices(
    groups: dict[str, Group],
    stats: dict[str, ActivationStats],
    policy: str,
    silent: Container[str],
    known: dict[str, dict[str, Choice]],
    told: Callable[[float], None] = lambda share: None,
) -> dict[str, Choice]:
    """Group → Choice under a policy of POLICIES. silent: values not to smooth; known: the same of
    policies before; told: the share of the groups that is done."""
    found: dict[str, Choice] = {}
    for name, group in groups.items():
        used = policy if group.smooths(silent) else UNSMOOTHED.get(policy, policy)
        found[name] = known[used][name] if used in known else POLICIES[used](group, stats)
        told(len(found) / len(groups))
    return found


def codings(
    groups: dict[str, Group], stats: dict[str, ActivationStats], chosen: dict[str, Choice]
) -> dict[str, Coding]:
    """Value → Coding."""
    return {
        value: coding
        for name, group in groups.items()
        for value, coding in group.codings(chosen[name], stats).items()
    }


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
    groups: dict[str, Group],
    searched: dict[str, dict[str, Choice]],
    winner: str,
    silent: Container[str],
) -> dict[str, list[Choice]]:
    """Group → what refine() tries. Where the batches put aside refused smoothing, their own
    channels that the others leave silent among the reasons, it is no candidate for any group
    either."""
    smoothed = any(choice.alpha is not None for choice in searched[winner].values())

    def fits(name: str, choice: Choice) -> bool:
        return choice.alpha is None or (smoothed and groups[name].smooths(silent))

    return {
        name: [
            choice
            for choice in dict.fromkeys(
                [*ALTERNATIVES, *(found[name] for found in searched.values())]
            )
            if fits(name, choice)
        ]
        for name in groups
    }


@dataclasses.dataclass
class Effort:
    """How long refine() tries, and who is told how far the search is."""

    trials: int = TRIALS
    seconds: float = math.inf
    progress: Callable[[float, str], None] = lambda share, text: None  # share of the search
    started: float = dataclasses.field(default_factory=time.monotonic)

    def choosing(self, before: float, part: float, policy: str, share: float) -> None:
        """Policies are about the first half of the search."""
        self.progress(0.5 * (before + part * share), policy)

    def refining(self, trials: int) -> None:
        self.progress(0.5 + 0.5 * trials / self.trials, f"refined, trial {trials}")

    def over(self, trials: int) -> bool:
        return trials >= self.trials or time.monotonic() - self.started >= self.seconds


def refine(
    groups: dict[str, Group],
    stats: dict[str, ActivationStats],
    chosen: dict[str, Choice],
    alternatives: dict[str, list[Choice]],
    measure: Callable[..., float],
    effort: Effort,
) -> tuple[dict[str, Choice], float]:
    """Tries other choices for one group after another on the whole network, and keeps what lowers
    its noise: the best choice of every layer is not always the best end to end. alternatives: group
    → choices to try. Ends when a round over all groups changes nothing, or the effort is over."""
    reached, trials, changed = measure(codings(groups, stats, chosen)), 0, True
    while changed and not effort.over(trials):
        changed = False
        for name in groups:
            for other in alternatives[name]:
                if other == chosen[name] or effort.over(trials):
                    continue
                made, trials = measure(codings(groups, stats, {**chosen, name: other})), trials + 1
                effort.refining(trials)
                if made > reached + STEP_DB:
                    chosen, reached, changed = {**chosen, name: other}, made, True
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
    groups: dict[str, Group],
    stats: dict[str, ActivationStats],
    found: dict[str, Coding],
    correct: Callable[..., Layer],
) -> dict[str, Layer]:
    """Layer → the layer in its place, by one of CORRECTIONS."""
    return {
        layer.name: correct(layer, found[value], stats[value].usual())
        for group in groups.values()
        for value, layers in group.readers.items()
        for layer in layers
    }


def corrected(
    groups: dict[str, Group],
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


def parted(batches: Iterable) -> tuple[list, list]:
    """(batches to choose by, every second one to check by)."""
    batches = list(batches)
    if not batches:
        raise ValueError("calibration: batches: 0: must be 1 or more")
    return batches[0::2], batches[1::2] or batches


def calibrate(
    groups: dict[str, Group],
    batches: Iterable,
    record: Callable[[Any, Recorder], None],
    measure: Callable[..., float],
    policies: tuple[str, ...] = tuple(POLICIES),
    sources: dict[str, list[Layer]] | None = None,
) -> Calibrated:
    """The codings of all values. record(batch, recorder) shows the recorder what the float
    network's layers read; the rest is choose()'s."""
    parts = parted(batches)
    recorders = [Recorder(seed) for seed in (1, 2)]
    for recorder, part in zip(recorders, parts):
        for batch in part:
            record(batch, recorder)
    first, second = (recorder.stats for recorder in recorders)
    groups = {
        name: group for name, group in groups.items() if all(v in first for v in group.readers)
    }
    return choose(groups, (first, second), parts[1], measure, policies, sources)


def choose(
    groups: dict[str, Group],
    shown: tuple[dict[str, ActivationStats], dict[str, ActivationStats]],
    aside: list,
    measure: Callable[..., float],
    policies: tuple[str, ...] = tuple(POLICIES),
    sources: dict[str, list[Layer]] | None = None,
    effort: Effort | None = None,
) -> Calibrated:
    """The codings of all values. shown: what was seen in the batches that choose, and in those put
    aside; measure(codings, batches, corrected) is the SQNR of the whole network.
    The batches put aside check the policies, whose ranges do not know them; the first of those
    refine the choice, and the others say whether that and what makes up for errors are kept. The
    ranges of the outcome are those of all batches.

    A value with channels that the set leaves silent is not smoothed: they would overflow later, and
    no batch put aside could tell. Channels that are dead by their weights do not count."""
    first, second = shown
    effort = effort or Effort()
    stats = {
        value: first[value].merged(second.get(value))
        for group in groups.values()
        for value in group.readers
    }
    silent = silences(stats, sources or {})
    searched: dict[str, dict[str, Choice]] = {}
    for at, policy in enumerate(policies):
        told = functools.partial(effort.choosing, at / len(policies), 1 / len(policies), policy)
        searched[policy] = choices(groups, first, policy, silent, searched, told)
        if policy == "searched":  # what clips the least in a layer may cost the network the most
            searched[UNCLIPPED] = {
                name: Choice(found.alpha) for name, found in searched[policy].items()
            }
    held_out = {
        policy: measure(codings(groups, first, found), aside) for policy, found in searched.items()
    }
    winner = max(held_out, key=held_out.__getitem__)
    if held_out[winner] < held_out.get("plain", -np.inf) + MARGIN_DB:
        winner = "plain"
    checked, unseen = aside[:CHECKED], aside[CHECKED:] or aside
    layers: dict[str, Layer] = {}
    if len(policies) > 1:
        searched["refined"], _ = refine(
            groups,
            stats,
            searched[winner],
            candidates(groups, searched, winner, silent),
            lambda found: measure(found, checked),
            effort,
        )
        reached = {
            policy: measure(codings(groups, stats, searched[policy]), unseen)
            for policy in dict.fromkeys((winner, "refined", "plain"))
            if policy in searched
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

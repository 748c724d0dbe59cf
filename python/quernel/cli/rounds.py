# SPDX-License-Identifier: Apache-2.0
"""Contenders that are timed side by side: each in a process of its own, so that no thread pool nor
allocator of one is the other's; every round asks all of them, in random order, and stops the others
meanwhile, since threads of a pool may wait by spinning."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .errors import USAGE, Failed, failure

Feed = Mapping[str, np.ndarray]
Runner = Callable[[Feed], list[np.ndarray]]
Opening = Callable[[], tuple[Runner, list[str]]]
QUESTION = 2e-3  # seconds of calls that one question takes at least
TIMEOUT = 600  # seconds for an answer: a large network is loaded


def _serve(pipe: Any, start: Callable[..., Opening], arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    os.dup2(2, 1)  # what libraries print is no result
    try:
        opening = start(*arguments)
        base, before = _peak(), time.perf_counter()
        run, names = opening()
        pipe.send({"load": time.perf_counter() - before, "names": names, "base": base})
        while True:
            pipe.send(_answer(run, *pipe.recv()))
    except EOFError:
        pass
    except Exception as problem:
        pipe.send({"error": str(failure(problem) or f"{type(problem).__name__}: {problem}")})


def _answer(run: Runner, feed: Feed, calls: int) -> dict[str, Any]:
    """Runs as often; the outputs of the last run, and the seconds of one."""
    before = time.perf_counter()
    for _ in range(calls):
        made = run(feed)
    seconds = (time.perf_counter() - before) / calls
    return {"outputs": made, "seconds": seconds, "peak": _peak()}


def _peak() -> int:
    """The most bytes of memory that this process has held. getrusage's figure begins with the
    parent's, so it is for systems without /proc alone."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Contender:
    """In a process of its own start(*arguments) imports what it needs and returns what makes (run,
    names of outputs); that is timed as loading. start is a function of a module. memory: the most
    bytes that the process has held beyond those before loading."""

    def __init__(self, name: str, start: Callable, *arguments: Any) -> None:
        self.name, self.memory = name, 0
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(
            target=_serve, args=(theirs, start, arguments), daemon=True
        )
        self._process.start()
        theirs.close()
        self.feed: Feed = {}
        self.calls = 1
        try:
            found = self._receive()
        except BaseException:
            self.close()
            raise
        self.load, self.names, self._base = (found[key] for key in ("load", "names", "base"))

    def _receive(self) -> dict[str, Any]:
        try:
            found = self._pipe.recv() if self._pipe.poll(TIMEOUT) else None
        except EOFError:
            found = None
        if found is None:
            raise Failed(1, f"{self.name}: ended, or gave no answer within {TIMEOUT} s")
        if "error" in found:
            raise Failed(USAGE, f"{self.name}: {found['error']}")
        return found

    def _ask(self, feed: Feed, calls: int) -> dict[str, Any]:
        self._pipe.send((dict(feed), calls))
        found = self._receive()
        self.memory = found["peak"] - self._base
        return found

    def outputs(self, feed: Feed) -> dict[str, np.ndarray]:
        """By name."""
        return dict(zip(self.names, self._ask(feed, 1)["outputs"], strict=True))

    def warm(self, feed: Feed) -> None:
        """The feed of the rounds, run twice: first calls pack, allocate and wake threads."""
        self.feed = feed
        once = [self._ask(feed, 1)["seconds"] for _ in range(2)][-1]
        self.calls = max(1, int(QUESTION / once))

    def seconds(self) -> float:
        """Of one run, the mean of as many as a question takes."""
        return self._ask(self.feed, self.calls)["seconds"]

    def send(self, what: signal.Signals) -> None:
        if self._process.pid:
            os.kill(self._process.pid, what)

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def times(
    contenders: Iterable[Contender], rounds: int, tell: Callable[[int], None] = lambda _: None
) -> dict[str, np.ndarray]:
    """Seconds of each, a value a round."""
    racing, draw = list(contenders), random.Random(1)
    found: dict[str, list[float]] = {one.name: [] for one in racing}
    try:
        for one in racing:
            one.send(signal.SIGSTOP)
        for round_ in range(rounds):
            for one in draw.sample(racing, len(racing)):
                one.send(signal.SIGCONT)
                found[one.name].append(one.seconds())
                one.send(signal.SIGSTOP)
            tell(round_ + 1)
    finally:  # who was stopped could not be ended gently
        for one in racing:
            one.send(signal.SIGCONT)
    return {name: np.array(values) for name, values in found.items()}


def interval(values: Any) -> tuple[float, float, float]:
    """Median and its 95 % interval, by the ranks of a binomial law."""
    v = np.sort(values)
    half = 0.98 * np.sqrt(len(v))
    lo, hi = int(np.floor(len(v) / 2 - half)), int(np.ceil(len(v) / 2 + half))
    return float(np.median(v)), float(v[max(0, lo)]), float(v[min(len(v) - 1, hi)])


def sqnr(wanted: np.ndarray, made: np.ndarray) -> float:
    """Signal over noise, dB; infinite where they are equal, NaN where a value is not finite."""
    if wanted.shape != made.shape:
        return float("nan")
    w, m = wanted.astype(np.float64), made.astype(np.float64)
    noise, signal_ = np.square(w - m).sum(), np.square(w).sum()
    if not np.isfinite(noise):
        return float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * np.log10(signal_ / noise)) if noise else float("inf")

# SPDX-License-Identifier: Apache-2.0
"""What is done of a long command, and how long the rest may take: lines on stderr."""

from __future__ import annotations

import math
import sys
import time
from typing import Any


class Progress:
    """A line in PAUSE seconds at most, and the last one; on a terminal always the same line."""

    PAUSE = 1.0

    def __init__(self, stream: Any = None) -> None:
        self.stream = stream or sys.stderr
        self.start = self.told = time.monotonic()
        self.same = self.stream.isatty()

    def __call__(self, share: float, left: float, what: str) -> None:
        """share: what is done of it; left: seconds; infinite: not known."""
        now = time.monotonic()
        if now - self.told < self.PAUSE and share < 1:
            return
        self.told = now
        rest = f", about {left:.0f} s left" if math.isfinite(left) else ""
        text = f"{100 * share:3.0f} %{rest}: {what}"
        end = "\n" if not self.same or share >= 1 else ""
        print(f"\r\x1b[K{text}" if self.same else text, end=end, file=self.stream, flush=True)

    def step(self, done: int, of: int, what: str) -> None:
        """After each of several equal steps."""
        spent = time.monotonic() - self.start
        self(done / of, spent * (of - done) / done, what)

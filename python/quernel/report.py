# SPDX-License-Identifier: Apache-2.0
"""What was done to a network, as rows that print as a table."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .calibrate import Calibrated
    from .groups import Choice
    from .layer import Coding


@dataclasses.dataclass
class Row:
    """One layer. `how` says how its input is coded, or why it stays in float."""

    name: str
    kind: str
    int8: bool
    how: str
    chained: bool = False  # it writes int8 for the next layers
    kernel: str = ""
    macs: int = 0  # multiply-adds in one calibration batch
    sqnr: float | None = None  # of its int8 output, dB, on what it reads in calibration

    def __str__(self) -> str:
        writes = "" if not self.int8 else "writes int8" if self.chained else "writes float"
        type_ = "int8" if self.int8 else "float"
        reached = "" if self.sqnr is None else f"{self.sqnr:.1f} dB, "
        how = f"{reached}{self.how}"
        words = f"{self.name:32} {self.kind:9} {type_:5} {writes:12} {how}  {self.kernel}"
        return words.rstrip()


@dataclasses.dataclass
class Report:
    """The rows, the policy that won, and the SQNR of each policy on the batches put aside."""

    rows: list
    policy: str = "plain"
    held_out: dict = dataclasses.field(default_factory=dict)
    notes: list = dataclasses.field(default_factory=list)

    @property
    def int8_share(self) -> float:
        """Share of the multiply-adds that run in int8."""
        return sum(row.macs for row in self.rows if row.int8) / max(
            1, sum(row.macs for row in self.rows)
        )

    def __str__(self) -> str:
        checked = ", ".join(f"{name} {value:.1f} dB" for name, value in self.held_out.items())
        kept = [f"kept: {self.policy} (batches put aside: {checked})"] if checked else []
        share = f"int8: {100 * self.int8_share:.1f} % of the multiply-adds"
        return "\n".join([*map(str, self.rows), *self.notes, share, *kept])


def how(choice: Choice, coding: Coding) -> str:
    """A choice in words."""
    smooth = "not smoothed" if choice.alpha is None else f"alpha {choice.alpha:g}"
    kept = "" if choice.kept == 1 else f", {100 * choice.kept:g} % of the range"
    return f"scale {coding.scale:.4g}, zero {coding.zero}, {smooth}{kept}"


def kernel(lines: list[str]) -> str:
    """The C kernel that ran last, of a layer's explain()."""
    words = [word for word in (lines[-1].split() if lines else []) if word.startswith("kernel=")]
    return words[0].removeprefix("kernel=") if words else ""


def silences(calibrated: Calibrated) -> list[str]:
    """Warnings of channels that the calibration set never used: what holds them is not smoothed."""
    return [
        f"warning: {value}: not smoothed: {len(channels)} channels are silent in the calibration "
        "set"
        for value, channels in calibrated.silent.items()
    ]

# SPDX-License-Identifier: Apache-2.0
"""What was done to a network: prints as a table, and is a dictionary for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any


@dataclasses.dataclass
class Row:
    """One layer. how: how its input is coded, or why it stays float. sqnr: of it alone, dB."""

    name: str
    op: str
    int8: bool
    how: str
    sqnr: float | None = None
    macs: int = 0  # multiply-adds in one calibration batch


@dataclasses.dataclass
class Report:
    """The layers in their order, and the whole network. held_out: SQNR by policy, dB, on batches
    that chose no range; sqnr, plain: of the network that was written, and of plain u8."""

    rows: list[Row]
    policy: str
    held_out: dict[str, float]
    sqnr: float
    plain: float | None  # None: it was not tried
    floats: list[str]  # values between int8 operators that stay float for the error's sake
    notes: list[str]
    seconds: float

    @property
    def int8_share(self) -> float:
        """Share of the multiply-adds that run in int8."""
        total = sum(row.macs for row in self.rows)
        return sum(row.macs for row in self.rows if row.int8) / total if total else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Numbers, texts, lists and dictionaries alone."""
        return {**dataclasses.asdict(self), "int8_share": self.int8_share}

    def to_json(self) -> str:
        """… as JSON, where what is infinite or missing is null."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(inner) for key, inner in value.items()}
            if isinstance(value, list):
                return [plain(inner) for inner in value]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        return json.dumps(plain(self.as_dict()), indent=1)

    def __str__(self) -> str:
        cells = [("layer", "op", "type", "dB", "multiply-adds", "coding, or why it stays float")]
        for row in self.rows:
            sqnr = "" if row.sqnr is None else f"{row.sqnr:.1f}"
            type_ = "int8" if row.int8 else "float"
            cells.append((_cut(row.name), row.op, type_, sqnr, f"{row.macs:,}", row.how))
        widths = [max(len(line[at]) for line in cells) for at in range(5)]
        lines = [
            "  ".join(
                text.rjust(width) if at in (3, 4) else text.ljust(width)
                for at, (text, width) in enumerate(zip(line, [*widths, 0]))
            ).rstrip()
            for line in cells
        ]
        tried = ", ".join(f"{name} {value:.1f}" for name, value in self.held_out.items())
        count = sum(row.int8 for row in self.rows)
        lines += self.notes
        lines += [f"stays float for the error's sake: {value}" for value in self.floats]
        lines += [
            f"int8: {count} of {len(self.rows)} layers, {100 * self.int8_share:.1f} % of the "
            "multiply-adds",
            f"whole network on batches put aside: {self.sqnr:.1f} dB"
            + ("" if self.plain is None else f", plain u8 {self.plain:.1f} dB"),
            f"kept: {self.policy} (tried: {tried}; dB)",
            f"seconds: {self.seconds:.0f}",
        ]
        return "\n".join(lines)


def _cut(name: str, width: int = 40) -> str:
    """A name that fits: its end tells more than its beginning."""
    return name if len(name) <= width else "…" + name[1 - width :]

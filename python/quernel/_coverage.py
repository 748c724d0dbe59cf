# SPDX-License-Identifier: Apache-2.0
"""What of a model a session's provider runs: the plugin's account (the file that its option
`report` names) beside ONNX Runtime's own and the multiply-adds of the model's layers."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

# ONNX Runtime names what it makes of a MatMul and its Add after the MatMul.
FUSED = "/MatMulAddFusion"
EDGES = ("QuantizeLinear", "DequantizeLinear")  # they follow what they belong to


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A node that the plugin left to others, and why."""

    node: str
    op: str
    reason: str

    def __str__(self) -> str:
        return f"{self.node} ({self.op}): {self.reason}"


@dataclasses.dataclass(frozen=True)
class Coverage:
    """macs: multiply-adds of the convolutions and products of a run, covered: those that Quernel
    runs (both None where shapes are not known). nodes: by provider, of the graph as ONNX Runtime
    showed it. islands: pieces that run as one. notes: what is odd."""

    macs: int | None
    covered: int | None
    nodes: dict[str, int]
    islands: int
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """Share of the multiply-adds that Quernel runs; None where it is not known."""
        if self.macs is None or self.covered is None:
            return None
        return self.covered / self.macs if self.macs else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {"share": self.share, **dataclasses.asdict(self)}

    def __str__(self) -> str:
        share = "unknown" if self.share is None else f"{100 * self.share:.1f} %"
        nodes = ", ".join(f"{provider} {count}" for provider, count in self.nodes.items())
        lines = [
            f"Quernel runs: {share} of the multiply-adds, in {self.islands} islands",
            f"nodes: {nodes or 'none'}",
            *self.notes,
        ]
        alike: dict[tuple[str, str], list[str]] = {}
        for one in sorted(self.refused, key=lambda one: one.op in EDGES):
            alike.setdefault((one.op, one.reason), []).append(one.node)
        for (op, reason), names in alike.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            lines.append(f"not taken: {op}: {reason}: {names[0]}{more}")
        return "\n".join(lines)


def _assigned(session: Any) -> dict[str, int] | None:
    """Nodes of each provider as ONNX Runtime has them, from 1.24 on."""
    try:
        parts = session.get_provider_graph_assignment_info()
    except Exception:  # an older host has no such call; ONNX Runtime's exceptions have no base
        return None
    counts: collections.Counter[str] = collections.Counter()
    for part in parts:
        counts[part.ep_name] += len(part.get_nodes())
    return dict(counts)


def _nodes(
    session: Any, provider: str, taken: list[str], refused: tuple[Refusal, ...]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Counts by provider, and a note where the two accounts differ."""
    said = {provider: len(taken), "CPUExecutionProvider": len(refused)}
    found = _assigned(session)
    if found is None:
        return said, ()
    if found.get(provider, 0) == len(taken):
        return found, ()
    return found, (
        f"note: the plugin says {len(taken)} nodes, ONNX Runtime {found.get(provider, 0)}",
    )


def _macs(
    session: Any, taken: set[str], shapes: dict[str, tuple] | None
) -> tuple[int | None, int | None, tuple[str, ...]]:
    """(all, covered, why not known)."""
    try:
        from .model_layers import Unknown, layers, load
    except ImportError as problem:
        return None, None, (f"note: multiply-adds: {problem}",)
    try:
        found = layers(load(session._model_path or session._model_bytes), shapes or {})
    except Unknown as problem:
        return None, None, (f"note: multiply-adds: {problem}",)
    names = {name.partition(FUSED)[0] for name in taken} - {""}
    covered = sum(one.macs for one in found if names & {one.node, one.output, one.sum})
    return sum(one.macs for one in found), covered, ()


def measure(
    session: Any, provider: str, account: dict | None, shapes: dict[str, tuple] | None
) -> Coverage:
    """account: {"islands": [{"nodes": [name], "outputs": [name]}], "refused": [{"node", "op",
    "reason"}]}. Layers without a name are known by what they make."""
    if account is None:
        notes = ("note: the plugin wrote no report of this session",)
        return Coverage(None, None, _assigned(session) or {}, 0, (), notes)
    islands = account.get("islands", [])
    taken = [name for island in islands for name in island["nodes"]]
    refused = tuple(
        Refusal(one["node"], one["op"], one["reason"]) for one in account.get("refused", [])
    )
    nodes, odd = _nodes(session, provider, taken, refused)
    made = {name for island in islands for name in island.get("outputs", [])}
    macs, covered, unknown = _macs(session, made.union(taken), shapes)
    return Coverage(macs, covered, nodes, len(islands), refused, odd + unknown)

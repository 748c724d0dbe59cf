# SPDX-License-Identifier: Apache-2.0
"""How far the int8 network is from the float one: the QDQ model as it will be written, run by ONNX
Runtime without any optimization, so that each operator is what the file says."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import onnx

from ..calibrate import sqnr
from ..layer import Coding, Layer
from .feeds import Feed
from .model import LEVELS, Net
from .numbers import Numbers, quantized
from .places import Places
from .record import run, showing
from .write import Draft, filled

# the number of what they give depends on what they read: not to be subtracted one from one
COUNTING = {"NonMaxSuppression", "NonZero", "Unique", "Compress", "If", "Loop", "SequenceMap"}
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
BOUND_DB = 200.0  # beyond it rounding of float itself decides


def compared(net: Net, places: Places) -> list[str]:
    """The values that tell how good the network is: its float outputs; where there are none, or
    where they may change their shapes, what the last layers make."""
    outputs = [o.name for o in net.model.graph.output if o.type.tensor_type.elem_type in FLOATS]
    if outputs and not any(node.op_type in COUNTING for node in net.nodes):
        return outputs
    ends = [unit.outputs[0] for unit in places.heads().values()]
    last = [value for value in ends if value not in places.coded]
    return last or ends[-1:]


class Measure:
    """measure(codings, batches, corrected): the SQNR of the whole network, dB."""

    def __init__(self, net: Net, draft: Draft, threads: int) -> None:
        self.draft, self.threads = draft, threads
        self.outputs = compared(net, draft.places)
        self._reference = showing(net.model, self.outputs, threads, LEVELS.ORT_ENABLE_ALL)
        self._wanted: dict[int, tuple[Feed, list[np.ndarray]]] = {}
        self._session: Any = None
        self._numbers: dict[tuple, tuple[Layer, Numbers]] = {}

    def of_draft(self, draft: Draft) -> Measure:
        """The same for another graph of the network."""
        other = copy.copy(self)
        other.draft, other._session = draft, None
        return other

    def wanted(self, feed: Feed) -> list[np.ndarray]:
        """What the float network makes of a batch; the batch is kept, so that its id stays its
        own."""
        if id(feed) not in self._wanted:
            self._wanted[id(feed)] = feed, run(self._reference, feed)
        return self._wanted[id(feed)][1]

    def layers(self, codings: dict[str, Coding], layers: dict[str, Layer]) -> dict[str, Numbers]:
        """Each layer in int8; kept for the codings that were seen."""
        found = {}
        for name, unit in self.draft.heads.items():
            coding, layer = codings[unit.inputs[0]], layers[name]
            smooth = b"" if coding.smooth is None else coding.smooth.tobytes()
            key = name, id(layer), coding.scale, smooth
            if key not in self._numbers:  # with the layer, so that its id stays its own
                self._numbers[key] = layer, quantized(layer, coding)
            found[name] = self._numbers[key][1]
        return found

    def numbers(
        self, codings: dict[str, Coding], corrected: dict[str, Layer] | None = None
    ) -> dict[str, np.ndarray]:
        """The constants of the graph. corrected: layers in the place of the network's own."""
        layers = {**self.draft.places.layers(), **(corrected or {})}
        return self.draft.numbers(codings, layers, self.layers(codings, layers))

    def __call__(
        self,
        codings: dict[str, Coding],
        part: list[Feed],
        corrected: dict[str, Layer] | None = None,
    ) -> float:
        numbers = self.numbers(codings, corrected)
        if self._session is None:
            self._session = self._made(filled(self.draft.model, numbers, inputs=True))
        return float(np.mean([self._sqnr(self._session, feed, numbers) for feed in part]))

    def of_model(self, model: onnx.ModelProto, part: list[Feed]) -> float:
        """The same of a model as it is."""
        made = self._made(model)
        return float(np.mean([self._sqnr(made, feed, {}) for feed in part]))

    def _made(self, model: onnx.ModelProto) -> Any:
        return showing(model, self.outputs, self.threads, LEVELS.ORT_DISABLE_ALL)

    def _sqnr(self, made: Any, feed: Feed, numbers: dict[str, np.ndarray]) -> float:
        """Over what is finite in float."""
        wanted, found = self.wanted(feed), run(made, {**feed, **numbers})
        known = [np.isfinite(y) for y in wanted]
        with np.errstate(all="ignore"):
            value = sqnr(
                [y[at] for y, at in zip(wanted, known)], [y[at] for y, at in zip(found, known)]
            )
        return -BOUND_DB if np.isnan(value) else float(np.clip(value, -BOUND_DB, BOUND_DB))

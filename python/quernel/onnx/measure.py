# SPDX-License-Identifier: Apache-2.0
"""How far the int8 network is from the float one: the QDQ model as it will be written, run by ONNX
Runtime without any optimization, so that each operator is what the file says."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from ..calibrate import sqnr
from ..layer import Coding, Layer
from .feeds import Feed
from .model import LEVELS, Net, options, session
from .numbers import Numbers, quantized
from .record import run, showing
from .write import Draft, filled


class Measure:
    """measure(codings, batches, corrected): the SQNR of the whole network, dB."""

    def __init__(self, net: Net, draft: Draft, threads: int) -> None:
        self.net, self.draft, self.threads = net, draft, threads
        self._reference = showing(net, net.outputs, threads, LEVELS.ORT_ENABLE_ALL)
        self._wanted: dict[int, list[np.ndarray]] = {}
        self._session: Any = None
        self._numbers: dict[tuple, tuple[Layer, Numbers]] = {}

    def _compared(self, made: list[np.ndarray]) -> list[np.ndarray]:
        return [y for y in made if isinstance(y, np.ndarray) and y.dtype == np.float32]

    def wanted(self, feed: Feed) -> list[np.ndarray]:
        """What the float network makes of a batch."""
        key = id(feed)
        if key not in self._wanted:
            self._wanted[key] = self._compared(run(self._reference, feed))
        return self._wanted[key]

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

    def __call__(
        self,
        codings: dict[str, Coding],
        part: list[Feed],
        corrected: dict[str, Layer] | None = None,
    ) -> float:
        layers = {**self.draft.places.layers(), **(corrected or {})}
        numbers = self.draft.numbers(codings, layers, self.layers(codings, layers))
        if self._session is None:
            model = filled(self.draft.model, numbers, inputs=True)
            self._session = session(model, options(LEVELS.ORT_DISABLE_ALL, self.threads))
        found = []
        for feed in part:
            made = self._compared(run(self._session, {**feed, **numbers}))
            found.append(sqnr(self.wanted(feed), made))
        return float(np.mean(found))

    def of_model(self, model: onnx.ModelProto, part: list[Feed]) -> float:
        """The same of a model as it is."""
        made = session(model, options(LEVELS.ORT_DISABLE_ALL, self.threads))
        return float(
            np.mean([sqnr(self.wanted(feed), self._compared(run(made, feed))) for feed in part])
        )

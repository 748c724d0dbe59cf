# SPDX-License-Identifier: Apache-2.0
"""Observers and calibrators, the search of a layer's quantization, and the audit of it, on
arrays."""

from __future__ import annotations

import ctypes as c
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from . import _native as native
from . import arrays
from ._native import S8
from .layer import Coding, Layer, about
from .operators import epilogue_desc, weights_desc

CALIBRATORS = {"absmax": 0, "mean": 1, "percentile": 2, "entropy": 3, "mse": 4}
GRANULARITIES = {"tensor": 0, "channel": 1, "row": 2}
OFF, CHANNEL = 0, 1
CAUSES = ("weights", "rounding", "clipping", "smoothing")
FINDINGS = (
    "non-finite values",
    "silent input channels",
    "dead output channels",
    "a scale too wide",
    "a scale too narrow",
    "a missing bias",
    "a missing factor",
)


@dataclasses.dataclass(frozen=True)
class Group:
    """What one group of values has shown."""

    count: int
    zeros: int
    nans: int
    infs: int
    least: float
    greatest: float


class Observer:
    """Collects; granularity "tensor", "channel" (of so many channels) or "row" (of so many
    rows)."""

    def __init__(
        self, granularity: str = "tensor", channels: int = 0, rows: int = 0, histogram: bool = True
    ) -> None:
        if granularity not in GRANULARITIES:
            raise ValueError(
                f"observe: granularity: {granularity}: must be one of {', '.join(GRANULARITIES)}"
            )
        d = native.ObserverDesc(
            c.sizeof(native.ObserverDesc),
            GRANULARITIES[granularity],
            channels,
            rows,
            int(histogram),
            1,
            1,
            1,
            1,
            1,
            1,
        )
        self.handle = c.c_void_p()
        native.call(native.lib.quernel_observer_create, c.byref(d), c.byref(self.handle))
        self.groups = native.lib.quernel_observer_groups(self.handle)

    def update(self, x: np.ndarray) -> Observer:
        x, tensor = arrays.source("observe: x", x)
        native.call(native.lib.quernel_observer_update, self.handle, c.byref(tensor), x.ctypes.data)
        return self

    def merge(self, other: Observer) -> Observer:
        native.call(native.lib.quernel_observer_merge, self.handle, other.handle)
        return self

    def __getitem__(self, group: int) -> Group:
        s = native.ObserverStats(c.sizeof(native.ObserverStats))
        native.call(native.lib.quernel_observer_get, self.handle, group, c.byref(s))
        return Group(s.count, s.zeros, s.nans, s.infs, s.min, s.max)

    def absmax(self) -> np.ndarray:
        """The largest |x| of each group."""
        most = np.empty(self.groups, np.float32)
        native.call(native.lib.quernel_observer_absmax, self.handle, most.ctypes.data)
        return most

    def coding(
        self,
        calibrator: str = "absmax",
        nonzero: bool = False,
        signed: bool = False,
        percentile: float = 0.9999,
        group: int = 0,
    ) -> tuple[Coding, float]:
        """(Coding, share of the values that it clips; −1 without a histogram)."""
        if calibrator not in CALIBRATORS:
            raise ValueError(
                f"observe: calibrator: {calibrator}: must be one of {', '.join(CALIBRATORS)}"
            )
        o = native.CalibrationOptions(
            c.sizeof(native.CalibrationOptions),
            CALIBRATORS[calibrator],
            int(nonzero),
            int(signed),
            percentile,
        )
        made = native.Calibration(c.sizeof(native.Calibration))
        native.call(
            native.lib.quernel_observer_calibrate, self.handle, group, c.byref(o), c.byref(made)
        )
        return Coding(
            made.quant.scale, made.quant.zero, S8 if signed else made.quant.type
        ), made.clipped

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            native.lib.quernel_observer_destroy(self.handle)


def observe(
    batches: Iterable[np.ndarray],
    calibrator: str = "absmax",
    nonzero: bool = False,
    signed: bool = False,
    percentile: float = 0.9999,
) -> Coding:
    """The coding of a tensor by what float32 batches of it show: type, scale and zero point."""
    observer = Observer(histogram=calibrator not in ("absmax", "mean"))
    for x in batches:
        observer.update(x)
    return observer.coding(calibrator, nonzero, signed, percentile)[0]


class _FloatLayer:
    """A Layer and samples of its input as the library takes them, with everything that they point
    to."""

    def __init__(
        self,
        layer: Layer,
        samples: Sequence[np.ndarray],
        expected: Sequence[np.ndarray] | None = None,
    ) -> None:
        self.keep: list = []
        stride = layer.stride if layer.kind == "deconv2d" else (0, 0)
        weights, data = weights_desc(layer.weights, layer.kind, layer.groups, stride)
        self.keep.append(data)
        op = native.Conv2dDesc(size=c.sizeof(native.Conv2dDesc), threads=1, isa=-1)
        (op.stride_h, op.stride_w), (op.dilation_h, op.dilation_w) = layer.stride, layer.dilation
        op.pad_top, op.pad_left, op.pad_bottom, op.pad_right = layer.pad
        op.out_pad_h, op.out_pad_w = layer.output_pad
        op.epilogue = epilogue_desc(
            layer.channels[1], self.keep, bias=layer.bias, **layer.activation.epilogue()
        )
        self.desc = native.FloatLayer(
            c.sizeof(native.FloatLayer), c.pointer(weights), c.pointer(op)
        )
        self.count = len(samples)
        if expected is not None and len(expected) != self.count:
            raise ValueError(f"expected: {len(expected)} arrays: must be {self.count}")
        self.samples = (native.Sample * self.count)(
            *(
                self._sample(layer, at, x, None if expected is None else expected[at])
                for at, x in enumerate(samples)
            )
        )

    def _sample(self, layer: Layer, at: int, x: Any, expected: Any) -> native.Sample:
        name, rank = f"samples[{at}]", 2 if layer.kind == "linear" else 4
        if arrays.float32(name, x).ndim != rank:
            raise ValueError(f"{name}: {x.ndim} dimensions: must be {rank}")
        if expected is not None:
            shape = layer.output_shape(x.shape)
            expected = np.array(arrays.expect(f"expected[{at}]", expected, shape), order="C")
        x, tensor = arrays.source(name, x)
        self.keep += [x, expected]
        return native.Sample(tensor, arrays.address(x), arrays.address(expected))


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What the search chose for a layer: alpha None is off. The dB are those of the samples that
    chose."""

    coding: Coding
    alpha: float | None
    calibrator: str
    sqnr: float
    off_sqnr: float
    plain_sqnr: float
    tried: int
    silent: int


def search(layer: Layer, samples: Sequence[np.ndarray], smooth: bool = True) -> SearchResult:
    """Chooses a layer's quantization by the error of its int8 output on float32 samples of its
    input; every third one chooses, the others calibrate."""
    held, choice = _FloatLayer(layer, samples), native.Choice(c.sizeof(native.Choice))
    options = native.SearchOptions(
        c.sizeof(native.SearchOptions),
        None,
        0,
        int(smooth) << CHANNEL,
        1 | 4 | 16,
        1,
        1,
        1,
        0.9999,
        1 / 3,
        0.1,
        1 / 20,
        1 / 1024,
    )
    s = np.ones(layer.channels[0], np.float32)
    with about(layer):
        native.call(
            native.lib.quernel_search_layer,
            c.byref(held.desc),
            c.byref(held.samples),
            held.count,
            c.byref(options),
            c.byref(choice),
            s.ctypes.data,
        )
    off = choice.smooth_kind == OFF
    coding = Coding(choice.quant.scale, choice.quant.zero, choice.quant.type, None if off else s)
    names = {number: name for name, number in CALIBRATORS.items()}
    return SearchResult(
        coding,
        None if off else choice.alpha,
        names[choice.calibrator],
        choice.sqnr,
        choice.off_sqnr,
        choice.plain_sqnr,
        choice.tried,
        choice.silent,
    )


def _chosen(
    layer: Layer, coding: Coding, calibrator: str = "absmax"
) -> tuple[native.Choice, np.ndarray]:
    """A coding as the library's choice, and its smoothing factors."""
    choice = native.Choice(c.sizeof(native.Choice))
    choice.quant = native.Quant(type=coding.type, scale=coding.scale, zero=coding.zero)
    choice.smooth_kind, choice.calibrator = (
        (OFF if coding.smooth is None else CHANNEL),
        CALIBRATORS[calibrator],
    )
    inputs = layer.channels[0]
    if coding.smooth is None:
        return choice, np.ones(inputs, np.float32)
    return choice, arrays.floats("coding: smooth", coding.smooth, inputs)


def bias_correct(layer: Layer, coding: Coding, samples: Sequence[np.ndarray]) -> np.ndarray:
    """The bias with what the int8 layer lacks on average over the samples, per output channel."""
    held, (choice, s) = _FloatLayer(layer, samples), _chosen(layer, coding)
    bias = np.empty(layer.channels[1], np.float32)
    with about(layer):
        native.call(
            native.lib.quernel_bias_correct,
            c.byref(held.desc),
            c.byref(choice),
            s.ctypes.data,
            c.byref(held.samples),
            held.count,
            bias.ctypes.data,
        )
    return bias


def round_weights(layer: Layer, coding: Coding, samples: Sequence[np.ndarray]) -> Layer:
    """The layer with weights whose errors in int8 cancel on the samples, their scales, and the bias
    that goes with them."""
    held, (choice, s) = _FloatLayer(layer, samples), _chosen(layer, coding)
    codes = np.empty(layer.weights.shape, np.int8)
    scale, bias = (np.empty(layer.channels[1], np.float32) for _ in range(2))
    with about(layer):
        native.call(
            native.lib.quernel_weights_round,
            c.byref(held.desc),
            c.byref(choice),
            s.ctypes.data,
            c.byref(held.samples),
            held.count,
            codes.ctypes.data,
            scale.ctypes.data,
            bias.ctypes.data,
        )
    first, second = (layer.groups, -1, 1, 1), (layer.groups, 1, -1, 1)
    inputs, outputs = (first, second) if layer.kind == "deconv2d" else (second, first)
    grouped = codes.reshape(
        layer.groups, -1, layer.weights.shape[1], int(np.prod(layer.weights.shape[2:]))
    )
    # the same codes again when packed
    weights = grouped * scale.astype(np.float64).reshape(outputs) / s.reshape(inputs)
    return dataclasses.replace(
        layer, weights=weights.astype(np.float32).reshape(codes.shape), bias=bias, scale=scale
    )


@dataclasses.dataclass(frozen=True)
class Audit:
    """What int8 costs a layer: SQNR in dB, relative L1, cosine; the SQNR with one cause switched
    off; what is out of order."""

    sqnr: float
    l1: float
    cosine: float
    without: dict
    findings: list
    nonfinite: tuple | None  # (sample, channel, index) of the first
    clipped: float
    scale_ratio: float


def audit(
    layer: Layer,
    coding: Coding,
    samples: Sequence[np.ndarray],
    expected: Sequence[np.ndarray] | None = None,
    calibrator: str = "absmax",
) -> Audit:
    """Measures a layer with a coding of its input on float32 samples; expected: what the float
    network gave there."""
    held, made = _FloatLayer(layer, samples, expected), native.Report(c.sizeof(native.Report))
    choice, s = _chosen(layer, coding, calibrator)
    native.call(
        native.lib.quernel_audit_layer,
        c.byref(held.desc),
        c.byref(choice),
        s.ctypes.data,
        c.byref(held.samples),
        held.count,
        c.byref(made),
    )
    where = (
        (made.nonfinite_sample, made.nonfinite_channel, made.nonfinite_index)
        if made.nonfinite_place
        else None
    )
    return Audit(
        made.total.sqnr,
        made.total.l1,
        made.total.cosine,
        dict(zip(CAUSES, made.sqnr_without)),
        [text for bit, text in enumerate(FINDINGS) if made.findings >> bit & 1],
        where,
        made.clipped,
        made.scale_ratio,
    )

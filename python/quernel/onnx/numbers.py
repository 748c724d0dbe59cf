# SPDX-License-Identifier: Apache-2.0
"""A layer's weights and bias as integers for a coding of its input, by the rules of
QuantizeLinear."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..layer import Coding, Layer

REACH = float(2**31 - 1)  # of an accumulator
# the scale of a channel without weights holds its bias to so many steps
BIAS_STEPS = np.float32(2**24)
LEAST_SCALE = np.float32(2**-96)  # as the library's


@dataclasses.dataclass
class Numbers:
    """codes in the shape of the weights; scales per output channel; bias None where it has none."""

    codes: np.ndarray
    scale: np.ndarray
    bias: np.ndarray | None
    bias_scale: np.ndarray


def _rows(layer: Layer, w: np.ndarray) -> np.ndarray:
    """Weights as [out, …]."""
    if layer.kind != "deconv2d":
        return w.reshape(len(w), -1)
    by_group = w.reshape(layer.groups, -1, w.shape[1], int(np.prod(w.shape[2:])))
    return by_group.swapaxes(1, 2).reshape(layer.channels[1], -1)


def _unrowed(layer: Layer, rows: np.ndarray) -> np.ndarray:
    """… in the layer's own order."""
    shape = layer.weights.shape
    if layer.kind != "deconv2d":
        return rows.reshape(shape)
    by_group = rows.reshape(layer.groups, shape[1], -1, int(np.prod(shape[2:])))
    return by_group.swapaxes(1, 2).reshape(shape)


def _smoothed(layer: Layer, smooth: np.ndarray | None) -> np.ndarray:
    """Weights times the factors of their input channels."""
    if smooth is None:
        return layer.weights
    w, (g, deconv) = layer.weights, (layer.groups, layer.kind == "deconv2d")
    per = (g, -1, 1, 1) if deconv else (g, 1, -1, 1)
    grouped = w.reshape(g, -1, w.shape[1], int(np.prod(w.shape[2:])))
    return (grouped * smooth.astype(np.float32).reshape(per)).reshape(w.shape)


def _tied(layer: Layer) -> bool:
    """Whether ONNX has one scale for the same channel of all groups."""
    return layer.kind == "deconv2d" and layer.groups > 1


def _scales(layer: Layer, rows: np.ndarray, x_scale: np.float32) -> np.ndarray:
    """Of the weights; wider where the bias would else leave no room for the sums."""
    if layer.scale is not None and not _tied(layer):
        scale = layer.scale.astype(np.float32)
    else:
        scale = np.abs(rows).max(axis=1) / np.float32(127)
    scale = np.where(scale < LEAST_SCALE, np.float32(1), scale)
    if layer.bias is not None:
        size = np.abs(layer.bias.astype(np.float64)) / float(x_scale)
        dead = ~rows.any(axis=1) & (size / BIAS_STEPS > LEAST_SCALE)
        scale = np.where(dead, size / BIAS_STEPS, np.maximum(scale, size / (REACH / 2)))
    if _tied(layer):
        scale = np.tile(scale.reshape(layer.groups, -1).max(axis=0), layer.groups)
    return scale.astype(np.float32)


def quantized(layer: Layer, coding: Coding) -> Numbers:
    """A layer in int8."""
    assert coding.scale is not None
    x_scale, rows = np.float32(coding.scale), _rows(layer, _smoothed(layer, coding.smooth))
    scale = _scales(layer, rows, x_scale)
    codes = np.clip(np.rint(rows / scale[:, None]), -127, 127).astype(np.int8)
    made = Numbers(_unrowed(layer, codes), scale, None, x_scale * scale)
    if layer.bias is not None:
        steps = np.rint(layer.bias.astype(np.float64) / made.bias_scale.astype(np.float64))
        made.bias = np.clip(steps, -REACH, REACH).astype(np.int32)
    return made

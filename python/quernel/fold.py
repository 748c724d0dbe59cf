# SPDX-License-Identifier: Apache-2.0
"""Steps that scale and shift channels, batch norms among them, folded into the layer before."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .layer import Layer

AFFINE = ("BatchNormalization", "Mul", "Add", "Div", "Sub")


def scaled(layer: Layer, factor: Any, shift: Any) -> Layer:
    """The layer whose outputs are factor·y + shift, both per output channel; in double, rounded
    once."""
    factor, shift = (
        np.broadcast_to(np.asarray(v, np.float64), (layer.channels[1],)) for v in (factor, shift)
    )
    w = layer.weights.astype(np.float64)
    if layer.kind == "deconv2d":
        by_group = w.reshape(layer.groups, -1, *w.shape[1:]) * factor.reshape(
            layer.groups, 1, -1, 1, 1
        )
        w = by_group.reshape(w.shape)
    else:
        w = w * factor.reshape(-1, *(1,) * (w.ndim - 1))
    bias = shift + (0 if layer.bias is None else layer.bias * factor)
    return dataclasses.replace(layer, weights=w.astype(np.float32), bias=bias.astype(np.float32))


def batch_norm(
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    mean: np.ndarray,
    variance: np.ndarray,
    eps: float,
) -> tuple[Any, Any]:
    """A batch norm as (factor, shift) per channel. gamma and beta may be None."""
    factor = (1 if gamma is None else np.float64(gamma)) / np.sqrt(np.float64(variance) + eps)
    return factor, (0 if beta is None else np.float64(beta)) - np.float64(mean) * factor


def _per_channel(constant: np.ndarray, layer: Layer) -> np.ndarray | None:
    """A constant that is one number, or one per output channel in the right place, as [out]; else
    None."""
    channels, places = layer.channels[1], constant.shape
    if constant.size == 1:
        return np.full(channels, float(constant.ravel()[0]))
    right = (
        places[-1:] == (channels,)
        if layer.kind == "linear"
        else len(places) >= 3 and places[-3:] == (channels, 1, 1)
    )
    return constant.ravel().astype(np.float64) if right and constant.size == channels else None


def arithmetic(op: str, constant: np.ndarray, layer: Layer, first: bool) -> tuple[Any, Any] | None:
    """(factor, shift) where a constant is added to what the layer made, and so on, or None. first:
    the layer's result is the first operand, the constant the second."""
    other = _per_channel(constant, layer)
    if other is None or (op in ("Div", "Sub") and not first):
        return None
    return {"Mul": (other, 0), "Div": (1 / other, 0), "Add": (1, other), "Sub": (1, -other)}[op]

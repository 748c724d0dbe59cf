# SPDX-License-Identifier: Apache-2.0
"""Calibration batches as ONNX Runtime takes them, and what is wrong with them in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx

from .model import Net, refuse

Feed = dict[str, np.ndarray]


def _arrays(batch: Any, net: Net, where: str) -> dict[str, Any]:
    """Input → array."""
    names = list(net.inputs)
    if isinstance(batch, Mapping):
        for name in batch:
            if name not in net.inputs:
                refuse(f"{where}: {name}: is no input; those are {', '.join(names)}")
        for name in names:
            if name not in batch:
                refuse(f"{where}: {name}: is missing")
        return dict(batch)
    given = batch if isinstance(batch, (tuple, list)) else (batch,)
    if len(given) != len(names):
        refuse(f"{where}: {len(given)} arrays: must be {len(names)} ({', '.join(names)})")
    return dict(zip(names, given))


def _check(array: np.ndarray, value: onnx.ValueInfoProto, where: str) -> None:
    tensor = value.type.tensor_type
    wanted = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    if array.dtype != wanted:
        refuse(f"{where}: {array.dtype}: must be {wanted}")
    if tensor.HasField("shape"):
        dims = [d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim]
        text = "x".join(str(d) if d > 0 else "?" for d in dims)
        if len(dims) != array.ndim:
            refuse(f"{where}: shape {array.shape}: must have {len(dims)} dimensions ({text})")
        if any(d > 0 and d != size for d, size in zip(dims, array.shape)):
            refuse(f"{where}: shape {array.shape}: must be {text}")
    if not array.size:
        refuse(f"{where}: shape {array.shape}: is empty")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        refuse(f"{where}: {array[at]} at {at}: must be finite")


def checked(batches: Iterable[Any], net: Net) -> list[Feed]:
    """Every batch as {input: array}. A batch is an array, a tuple of them, or a mapping."""
    if isinstance(batches, (str, bytes, Mapping)) or not isinstance(batches, Iterable):
        refuse(f"calibration: batches: {type(batches).__name__}: must be an iterable of batches")
    found = []
    for at, batch in enumerate(batches):
        where = f"calibration: batch {at}"
        feed = {}
        for name, given in _arrays(batch, net, where).items():
            if not isinstance(given, np.ndarray):
                refuse(f"{where}: {name}: {type(given).__name__}: must be an array")
            _check(given, net.inputs[name], f"{where}: {name}")
            feed[name] = np.ascontiguousarray(given)
        found.append(feed)
    if not found:
        refuse("calibration: batches: 0: must be 1 or more")
    return found

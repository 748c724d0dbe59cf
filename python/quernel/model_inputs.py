# SPDX-License-Identifier: Apache-2.0
"""The inputs of an ONNX Runtime session: their types, and shapes for those that a model leaves
open."""

from __future__ import annotations

from typing import Any

import numpy as np


class Unknown(ValueError):
    """A model that cannot be read, or whose shapes cannot be found; the text says why."""


def line(problem: BaseException) -> str:
    """What an exception says, in one line."""
    return " ".join(str(problem).split()) or type(problem).__name__


TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def input_shapes(inputs: Any, shapes: dict[str, tuple]) -> dict[str, tuple[int, ...]]:
    """The shape of every input of a session: the model's, or the given one where it fits."""
    unknown = set(shapes) - {one.name for one in inputs}
    if unknown:
        names = ", ".join(one.name for one in inputs)
        raise Unknown(f"shape: {sorted(unknown)[0]}: is no input; the model has {names}")
    found = {}
    for one in inputs:
        wanted = tuple(one.shape)
        given = tuple(shapes.get(one.name, wanted))
        text = "x".join(map(str, wanted))
        if any(not isinstance(n, int) or n < 0 for n in given):
            raise Unknown(f"shape: {one.name}: the model leaves it open ({text}): give --shape")
        fits = len(given) == len(wanted) and all(
            not isinstance(n, int) or n < 0 or n == g for n, g in zip(wanted, given)
        )
        if not fits:
            asked = "x".join(map(str, given))
            raise Unknown(f"shape: {one.name}: {asked}: does not fit the model's {text}")
        found[one.name] = given
    return found


def zeros(inputs: Any, shapes: dict[str, tuple]) -> dict[str, np.ndarray]:
    """An input for a session, of zeros."""
    found = input_shapes(inputs, shapes)
    for one in inputs:
        if one.type not in TYPES:
            raise Unknown(f"input: {one.name}: {one.type}: is not supported")
    return {one.name: np.zeros(found[one.name], TYPES[one.type]) for one in inputs}

# SPDX-License-Identifier: Apache-2.0
"""What the float network computes between its layers, as ONNX Runtime shows it: values as extra
outputs, so many at a time as memory allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper

from ..groups import CROPS, Recorder
from .feeds import Feed
from .model import LEVELS, Net, options, refuse, session


def showing(given: onnx.ModelProto, values: Iterable[str], threads: int, level: Any) -> Any:
    """A session of a model whose outputs are these values."""
    model = onnx.ModelProto()
    model.CopyFrom(given)
    del model.graph.output[:]
    model.graph.output.extend(helper.make_empty_tensor_value_info(value) for value in values)
    return session(model, options(level, threads))


def run(made: Any, feed: Feed, outputs: list[str] | None = None) -> list[np.ndarray]:
    """A session's outputs; what it refuses in one line."""
    try:
        return made.run(outputs, feed)
    except Exception as problem:
        refuse(f"onnx: ONNX Runtime cannot run the network on a batch: {problem}")


def shapes(net: Net, values: list[str], feed: Feed) -> dict[str, tuple]:
    """Value → its shape, without holding the values."""
    model = onnx.ModelProto()
    model.CopyFrom(net.model)
    del model.graph.output[:]
    names = [net.free(f"{value}.shape") for value in values]
    for value, name in zip(values, names):
        model.graph.node.append(helper.make_node("Shape", [value], [name]))
        model.graph.output.append(
            helper.make_tensor_value_info(name, onnx.TensorProto.INT64, [None])
        )
    made = run(session(model, options(LEVELS.ORT_DISABLE_ALL)), feed)
    return {value: tuple(int(n) for n in shape) for value, shape in zip(values, made)}


def _portions(values: list[str], sizes: dict[str, int], memory: int) -> Iterator[list[str]]:
    """The values in lists that fit a number of bytes, one value at least."""
    portion, used = [], 0  # type: ignore[var-annotated]
    for value in values:
        if portion and used + sizes[value] > memory:
            yield portion
            portion, used = [], 0
        portion.append(value)
        used += sizes[value]
    if portion:
        yield portion


def as_layer_input(x: np.ndarray, channels: str) -> np.ndarray:
    """[n, c, h, w] or [m, k] of a value of any rank. channels: "first", "last", or "none": whose
    axis means nothing."""
    if channels == "none":
        return x.reshape(-1, 1)
    if channels == "last" or x.ndim < 3:
        return x.reshape(-1, x.shape[-1] if x.ndim else 1)
    if x.ndim == 4:
        return x
    return x.reshape(*x.shape[:2], 1, -1)


def record(
    net: Net,
    values: dict[str, str],
    parts: list[list[Feed]],
    memory: int,
    threads: int,
    progress: Any = lambda share: None,
) -> tuple[list[Recorder], dict[str, str]]:
    """What was seen of the values in each part, and value → why it cannot be coded. values: name →
    where its channels are, as for as_layer_input; memory: bytes of values held at a time."""
    recorders = [Recorder(seed, -(-CROPS // len(part))) for seed, part in enumerate(parts, 1)]
    refused: dict[str, str] = {}
    largest = max(
        (feed for part in parts for feed in part), key=lambda f: sum(map(np.size, f.values()))
    )
    sizes = {v: 4 * int(np.prod(s)) for v, s in shapes(net, list(values), largest).items()}
    portions = list(_portions(list(values), sizes, memory))
    for at, portion in enumerate(portions):
        made = showing(net.model, portion, threads, LEVELS.ORT_ENABLE_ALL)
        for recorder, part in zip(recorders, parts):
            for feed in part:
                for value, x in zip(portion, run(made, feed)):
                    why = _unfit(x)
                    if why:
                        refused.setdefault(value, why)
                    elif value not in refused:
                        recorder(value, as_layer_input(x, values[value]))
        progress((at + 1) / len(portions))
    return recorders, refused


def _unfit(x: np.ndarray) -> str:
    if x.dtype != np.float32:
        return f"what it reads is {x.dtype}: must be float32"
    if not x.size:
        return f"what it reads has the shape {x.shape} in the calibration set"
    if not np.isfinite(x).all():
        return "what it reads is not finite in the calibration set"
    return ""

# SPDX-License-Identifier: Apache-2.0
"""What a model is fed with: arrays of a file or folder, or drawn ones. Pictures are in
pictures.py."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..model_inputs import TYPES, input_shapes
from .errors import Failed
from .options import numbers
from .pictures import SUFFIXES, Pictures

SEED = 1
HELP = """FILE.npz holds an array for each input, by name; FILE.npy is for a model of one
input. An array of the input's rank is cut along its first axis into batches of the model's size
(of 1 where the model leaves it open); an array of one axis more holds batches. A FOLDER holds such
files, a batch each, or pictures: these become value / 255, less --mean, over --std, resized to the
model's input."""


def add_data(parser: argparse.ArgumentParser, required: bool, otherwise: str = "") -> None:
    group = parser.add_argument_group("data", HELP)
    group.add_argument(
        "--data",
        required=required,
        metavar="FOLDER|FILE.npz|FILE.npy",
        help="inputs" + (f" (default: {otherwise})" if otherwise else ""),
    )
    group.add_argument("--mean", type=numbers, help="of pictures, of each channel or of all")
    group.add_argument("--std", type=numbers, help="of pictures, likewise")
    group.add_argument(
        "--layout", choices=("nchw", "nhwc"), help="of pictures, as the model wants them"
    )
    group.add_argument(
        "--colours", choices=("rgb", "bgr"), default="rgb", help="order of channels (default: rgb)"
    )


class Batches(Sequence[dict[str, np.ndarray]]):
    """Inputs of runs, each made when it is asked for."""

    def __init__(self, count: int, make: Callable[[int], dict[str, np.ndarray]]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._make(at) for at in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._make(index % self._count)


def checked(where: str, array: np.ndarray, wanted: Any) -> np.ndarray:
    """An array as an input takes it: type, shape, and all of it finite."""
    if wanted.type not in TYPES:
        raise Failed(2, f"{where}: {wanted.name}: {wanted.type}: is not supported")
    kind = np.dtype(TYPES[wanted.type])
    if not np.can_cast(array.dtype, kind, "same_kind"):
        raise Failed(2, f"{where}: {wanted.name}: {array.dtype}: must be {kind}")
    sizes = tuple(wanted.shape)
    fits = array.ndim == len(sizes) and all(
        not isinstance(n, int) or n < 0 or n == m for n, m in zip(sizes, array.shape)
    )
    if not fits or 0 in array.shape:
        got, want = ("x".join(map(str, s)) or "a number" for s in (array.shape, sizes))
        raise Failed(2, f"{where}: {wanted.name}: {got}: must be {want}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = np.argwhere(~np.isfinite(array))[0].tolist()
        raise Failed(2, f"{where}: {wanted.name}{at}: {array[tuple(at)]}: must be finite")
    return np.ascontiguousarray(array, kind)


def _batches_of(where: str, array: np.ndarray, wanted: Any) -> np.ndarray:
    """An array with its batches along the first axis."""
    rank = len(wanted.shape)
    if array.ndim == rank + 1:
        return array
    if array.ndim != rank or rank == 0:
        return array[None]
    batch = wanted.shape[0]
    size = batch if isinstance(batch, int) and batch > 0 else 1
    if len(array) == 0 or len(array) % size:
        raise Failed(
            2, f"{where}: {wanted.name}: {len(array)} items: must be some, and a multiple of {size}"
        )
    return array.reshape(-1, size, *array.shape[1:])


def _named(path: pathlib.Path, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
    """The arrays of a file, by the names of a model's inputs."""
    try:
        held = np.load(path, allow_pickle=False)
        arrays = {name: held[name] for name in held} if path.suffix == ".npz" else {"": held}
    except Exception as problem:  # zipfile's, zlib's, NumPy's own
        raise Failed(2, f"--data: {path}: cannot be read: {problem}") from problem
    if path.suffix == ".npy":
        if len(inputs) != 1:
            raise Failed(2, f"--data: {path}: the model has {len(inputs)} inputs: give a .npz file")
        return {inputs[0].name: arrays[""]}
    wanted, given = {one.name for one in inputs}, set(arrays)
    for name in sorted(given ^ wanted):
        what = "is no input of the model" if name in given else "is missing"
        raise Failed(2, f"--data: {path}: {name}: {what}")
    return arrays


def _of_file(path: pathlib.Path, inputs: Sequence[Any]) -> Batches:
    arrays = _named(path, inputs)
    cut = {one.name: _batches_of(f"--data: {path}", arrays[one.name], one) for one in inputs}
    counts = {len(batches) for batches in cut.values()}
    if len(counts) != 1 or 0 in counts:
        counted = ", ".join(f"{name} {len(batches)}" for name, batches in cut.items())
        raise Failed(2, f"--data: {path}: batches: {counted}: must be as many for each, and some")
    return Batches(
        counts.pop(),
        lambda at: {one.name: checked(f"--data: {path}", cut[one.name][at], one) for one in inputs},
    )


def _of_folder(folder: pathlib.Path, inputs: Sequence[Any], options: argparse.Namespace) -> Batches:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
    arrays = [path for path in files if path.suffix in (".npy", ".npz")]
    if bool(pictures) == bool(arrays):
        what = "pictures and arrays" if pictures else "neither pictures nor arrays"
        raise Failed(2, f"--data: {folder}: holds {what}")
    if pictures:
        made = Pictures(pictures, inputs, options)
        return Batches(len(made), made.batch)

    def batch(at: int) -> dict[str, np.ndarray]:
        held = _named(arrays[at], inputs)
        return {one.name: checked(f"--data: {arrays[at]}", held[one.name], one) for one in inputs}

    return Batches(len(arrays), batch)


def load(inputs: Sequence[Any], options: argparse.Namespace) -> Batches:
    """The batches that --data names. inputs: of an ONNX Runtime session."""
    path = pathlib.Path(options.data)
    if path.is_dir():
        return _of_folder(path, inputs, options)
    if path.suffix not in (".npz", ".npy") or not path.is_file():
        raise Failed(2, f"--data: {path}: must be a folder, or a .npz or .npy file")
    return _of_file(path, inputs)


def _draw(rng: np.random.Generator, kind: Any, size: tuple[int, ...]) -> np.ndarray:
    if np.dtype(kind).kind == "f":
        return rng.standard_normal(size).astype(kind)
    if np.dtype(kind).kind == "b" or np.dtype(kind).itemsize > 1:
        return rng.integers(0, 2, size).astype(kind)  # an index may be meant: small ones exist
    lo, hi = np.iinfo(kind).min, np.iinfo(kind).max
    return rng.integers(lo, hi + 1, size).astype(kind)


def drawn(inputs: Sequence[Any], shapes: dict[str, tuple], count: int) -> Batches:
    """As many batches of noise."""
    sizes = input_shapes(inputs, shapes)
    for one in inputs:
        if one.type not in TYPES:
            raise Failed(2, f"input: {one.name}: {one.type}: is not supported: give --data")

    def batch(at: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([SEED, at])
        return {one.name: _draw(rng, TYPES[one.type], sizes[one.name]) for one in inputs}

    return Batches(count, batch)


def of(inputs: Sequence[Any], options: argparse.Namespace, count: int = 1) -> Batches:
    """What --data names, else noise."""
    if options.data:
        return load(inputs, options)
    return drawn(inputs, dict(options.shape), count)


def joined(runs: Sequence[Sequence[np.ndarray]], names: Sequence[str]) -> Iterator[tuple]:
    """(name, array) of outputs: batches behind one another along the first axis where they fit,
    else each by itself."""
    for name, arrays in zip(names, zip(*runs, strict=True), strict=True):
        alike = {(a.ndim, a.shape[1:]) for a in arrays}
        if len(arrays) == 1:
            yield name, arrays[0]
        elif len(alike) == 1 and arrays[0].ndim:
            yield name, np.concatenate(arrays)
        else:
            yield from ((f"{name}.{at}", array) for at, array in enumerate(arrays))

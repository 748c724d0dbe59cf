# SPDX-License-Identifier: Apache-2.0
"""Arguments that several commands have, and how they are read."""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import sys
from typing import Any

from .errors import Failed


def count(text: str) -> int:
    """A number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be a number of 1 or more")
    return int(text)


def seconds(text: str) -> float:
    """60, 60s, 2m or 1h."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    number = text[:-1] if unit else text
    try:
        value = float(number) * (unit or 1)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: must be as 60s or 2m")
    return value


def shape(text: str) -> tuple[str, tuple[int, ...]]:
    """name=1x3x224x224."""
    name, _, sizes = text.rpartition("=")
    numbers = sizes.split("x")
    if not name or not all(n.isdecimal() and int(n) > 0 for n in numbers):
        raise argparse.ArgumentTypeError(f"{text}: must be as name=1x3x224x224")
    return name, tuple(map(int, numbers))


def numbers(text: str) -> tuple[float, ...]:
    """One number, or one for each channel with commas between them."""
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: must be as 0.485,0.456,0.406") from None


COMMON: dict[str, dict[str, Any]] = {
    "--threads": {"type": count, "default": 1, "help": "threads of a run (default: 1)"},
    "--isa": {"help": "the highest instruction set, as `quernel info` names them"},
    "--json": {"metavar": "FILE", "help": "the report as JSON; - is stdout"},
    "--shape": {
        "type": shape,
        "action": "append",
        "default": [],
        "metavar": "NAME=1x3x224x224",
        "help": "shape of an input that the model leaves open; may be given again",
    },
}


def add(parser: argparse.ArgumentParser, *names: str) -> None:
    """Arguments that several commands have."""
    for name in names:
        parser.add_argument(name, **COMMON[name])


def existing(text: str, what: str) -> str:
    """The path of a file that can be read."""
    if not os.path.isfile(text):
        raise Failed(2, f"{what}: {text}: is no file")
    return text


def writable(text: str | None, what: str) -> None:
    """Refuses, before the work, a file that could not be written after it."""
    folder = pathlib.Path(text or ".").parent
    if text and text != "-" and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise Failed(2, f"{what}: {text}: no file can be written there")


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def write(path: str | os.PathLike, data: bytes) -> None:
    """A whole file or none: by rename, but into what is no regular file directly."""
    target = pathlib.Path(path)
    if target.is_symlink() or (target.exists() and not target.is_file()):
        target.write_bytes(data)
        return
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """For JSON, which has no word for what is not finite: null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(path: str, report: dict[str, Any]) -> None:
    """A report into a file, or to stdout for "-"."""
    text = json.dumps(_plain(report), indent=1, allow_nan=False) + "\n"
    if path == "-":
        sys.stdout.write(text)
    else:
        write(path, text.encode())

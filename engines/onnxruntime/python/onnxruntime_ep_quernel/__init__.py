# SPDX-License-Identifier: Apache-2.0
"""Quernel's plugin of ONNX Runtime: where its library is, and what it is called.

    import onnxruntime as ort, onnxruntime_ep_quernel as ep

    ort.register_execution_provider_library(ep.get_ep_name(), ep.get_library_path())
    devices = [d for d in ort.get_ep_devices() if d.ep_name == ep.get_ep_name()]
    options = ort.SessionOptions()
    options.add_provider_for_devices(devices, {"threads": "1"})
    session = ort.InferenceSession("int8.onnx", options)

ONNX Runtime 1.23.1 or newer is needed, and comes from a package of its own. Register once in a
process, and never unregister: a session that lives would be left without its code."""

from __future__ import annotations

import pathlib

__all__ = ["get_ep_name", "get_ep_names", "get_library_path"]

LIBRARY = "libquernel_onnxruntime.so"


def get_library_path() -> str:
    """The shared library to register."""
    path = pathlib.Path(__file__).resolve().parents[1] / ".onnxruntime_ep_quernel.mesonpy.libs"
    if not (path / LIBRARY).is_file():
        raise FileNotFoundError(f"onnxruntime_ep_quernel: {path / LIBRARY}: is missing")
    return str(path / LIBRARY)


def get_ep_name() -> str:
    """The execution provider's name."""
    return "QuernelExecutionProvider"


def get_ep_names() -> list[str]:
    """Names of all execution providers of the library: one."""
    return [get_ep_name()]

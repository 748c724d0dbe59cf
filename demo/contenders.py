# SPDX-License-Identifier: Apache-2.0
"""One network three ways: its float file by ONNX Runtime, and the int8 file that Quernel makes of
it by ONNX Runtime alone and with Quernel's plugin."""

import pathlib
import tempfile

import onnx
import quernel.onnx
import quernel.ort

from . import onnx_graph

FLOAT, STOCK, QUERNEL = "float", "int8 by ONNX Runtime", "int8 with Quernel"
SMOOTHED = "smoothed by 0.5"  # SmoothQuant's own choice of alpha, not searched


def quantized(model, inputs, policy):
    """(int8 model, report) of a path or a ModelProto, by one policy."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = pathlib.Path(folder, "float.onnx"), pathlib.Path(folder, "int8.onnx")
        source.write_bytes(
            model.SerializeToString() if hasattr(model, "SerializeToString") else model.read_bytes()
        )
        report = quernel.onnx.quantize(source, inputs, made, policies=(policy,), threads=1)
        return onnx.load(made), report


def sessions(model, int8, threads):
    """Contender → session."""
    return {
        FLOAT: onnx_graph.session(model, threads),
        STOCK: onnx_graph.session(int8, threads),
        QUERNEL: quernel.ort.session(int8, threads),
    }


def told(int8):
    """How much of it Quernel runs, as text."""
    found = quernel.ort.coverage(int8)
    share = "" if found.share is None else f"{100 * found.share:.0f} % of the multiply-adds in "
    return f"Quernel runs {share}{found.islands} piece(s)"

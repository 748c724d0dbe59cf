# SPDX-License-Identifier: Apache-2.0
"""Sessions of ONNX Runtime: its own operators one by one, or with the plugin.

QUERNEL_ORT_PLUGIN names the plugin's library; without it the newest of the builds is taken."""

import functools
import os
import pathlib

import onnx
import onnxruntime as ort

Level = ort.GraphOptimizationLevel
ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = "engines/onnxruntime/libquernel_onnxruntime.so"
NAME = "Quernel"
STATE = vars(ort.capi.onnxruntime_pybind11_state).values()
ERRORS = tuple(e for e in STATE if isinstance(e, type) and issubclass(e, Exception))
QUIET = 4  # only what ends the program


class Absent(Exception):
    """There is no plugin here."""


@functools.cache
def library():
    named = os.environ.get("QUERNEL_ORT_PLUGIN")
    if named:
        return pathlib.Path(named)
    built = sorted(ROOT.glob(f"build*/{LIBRARY}"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise Absent(f"no {LIBRARY} in any build")
    return built[-1]


@functools.cache
def devices():
    """The plugin's devices; the library is loaded once and never let go."""
    ort.register_execution_provider_library(NAME, str(library()))
    mine = [d for d in ort.get_ep_devices() if "quernel" in d.ep_name.lower()]
    if not mine:
        raise RuntimeError(f"{library()}: registered, and offers no device")
    return mine


def why_absent():
    """Empty where the plugin is here."""
    try:
        devices()
    except Absent as reason:
        return str(reason)
    return ""


def options_of(level, threads):
    so = ort.SessionOptions()
    so.graph_optimization_level = level
    so.intra_op_num_threads = threads
    so.log_severity_level = QUIET
    so.add_session_config_entry("session.intra_op.allow_spinning", "0")
    so.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return so


def session(model, options, **more):
    """Without this package's habit to try again with other providers."""
    return ort.InferenceSession(model, options, enable_fallback=0, **more)


def stock(model, level=Level.ORT_DISABLE_ALL):
    return session(model, options_of(level, 1), providers=["CPUExecutionProvider"])


def plugin(model, alone=False, level=Level.ORT_DISABLE_ALL, **options):
    """`alone`: what the plugin does not take is an error.

    Without optimizations the plugin sees the graph as it is written, and what it leaves is computed
    in float. ORT_ENABLE_BASIC drops pairs of Q and DQ and quantizes biases; above it are integer
    kernels that saturate on AVX2."""
    so = options_of(level, int(options.get("threads", 1)))
    if alone:
        so.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    so.add_provider_for_devices(devices(), {key: str(v) for key, v in options.items()})
    return session(model, so)


@functools.cache
def newest_opset():
    """The newest that this ONNX Runtime quantizes in."""
    text = "agraph (float[4] x, float s) => (uint8[4] y) {y = QuantizeLinear(x, s)}"
    for opset in range(onnx.defs.onnx_opset_version(), 13, -1):
        head = f'<ir_version: 10, opset_import: ["": {opset}]>'
        try:
            stock(onnx.parser.parse_model(head + text).SerializeToString())
        except ERRORS:
            continue
        return opset
    return 13


def assigned(session):
    """Operators that the plugin computes, and those that others do."""
    mine, others = [], []
    for part in session.get_provider_graph_assignment_info():
        side = mine if "quernel" in part.ep_name.lower() else others
        side += [node.op_type for node in part.get_nodes()]
    return mine, others

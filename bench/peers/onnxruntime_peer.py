# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime, CPU provider."""

import onnxruntime

from . import onnx_model

Unsupported = onnx_model.Unsupported


def version():
    return onnxruntime.__version__


def make(problem):
    numbers, x = problem.draw()
    y = problem.empty()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = problem.threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        onnx_model.make(problem, x, y, numbers), options, providers=["CPUExecutionProvider"]
    )
    return *bound(session, x, y), ""


def bound(session, x, y):
    """A session's run on arrays of its own, and how its result is read."""
    binding = session.io_binding()
    place = onnxruntime.OrtValue.ortvalue_from_numpy
    given, made = place(x), place(y)
    binding.bind_ortvalue_input("x", given)
    binding.bind_ortvalue_output("y", made)
    return lambda: session.run_with_iobinding(binding), made.numpy

# SPDX-License-Identifier: Apache-2.0
"""LiteRT (TensorFlow Lite): its XNNPACK delegate runs the layer, exact on every x86 instruction
set."""

import importlib.metadata

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from . import tflite_model

Unsupported = tflite_model.Unsupported


def version():
    return importlib.metadata.version("ai-edge-litert")


def signed(codes):
    """u8 codes as the s8 codes 128 lower, which mean the same values; and back."""
    return (codes ^ 0x80).view(np.int8)


def make(problem):
    numbers, x = problem.draw()
    y = problem.empty()
    model = tflite_model.make(problem, x, y, numbers)
    session = Interpreter(model_content=model, num_threads=problem.threads)
    session.allocate_tensors()
    session.set_tensor(
        session.get_input_details()[0]["index"], signed(x) if x.dtype == np.uint8 else x
    )
    result = session.get_output_details()[0]["index"]

    def read():
        made = session.get_tensor(result)
        return made.view(np.uint8) ^ 0x80 if made.dtype == np.int8 else made

    return session.invoke, read, ""

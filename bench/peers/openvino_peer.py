# SPDX-License-Identifier: Apache-2.0
"""OpenVINO, CPU plugin, latency hint."""

import openvino

from . import onnx_model

Unsupported = onnx_model.Unsupported


def version():
    return openvino.get_version().split("-")[0]


def make(problem):
    numbers, x = problem.draw()
    y = problem.empty()
    core = openvino.Core()
    model = core.read_model(onnx_model.make(problem, x, y, numbers))
    compiled = core.compile_model(
        model,
        "CPU",
        {
            "INFERENCE_NUM_THREADS": problem.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        },
    )
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
    request.set_output_tensor(openvino.Tensor(y, shared_memory=True))
    request.keep = (x, y)
    kinds = {
        op.get_rt_info()["layerType"].astype(str)
        + ":"
        + op.get_rt_info()["runtimePrecision"].astype(str)
        for op in compiled.get_runtime_model().get_ops()
        if op.get_rt_info()["layerType"].astype(str)
        in ("Convolution", "Deconvolution", "FullyConnected", "MatMul")
    }
    return request.infer, lambda: y, " ".join(sorted(kinds))

# SPDX-License-Identifier: Apache-2.0
"""Exact int8 layers on CPUs, for NumPy; quernel.torch has modules for PyTorch, quernel.onnx and quernel.ncnn read
networks."""
from ._native import QuernelError
from .layer_search import Audit, Observer, audit, bias_correct, observe, round_weights, search
from .layer import Activation, Coded, Coding, Layer, QuantLayer
from .operators import (BF16, CLAMP, DYNAMIC_CALL, DYNAMIC_ROW, F32, LEAKY, NCHW, NHWC, NONE, PRELU, RELU, S8, S32, STATIC,
                        U8, Chain, Operator, Pool, Weights, conv2d, deconv2d, dequantize, linear, quantize,
                        smooth_factors, version)

__all__ = ["Activation", "Audit", "Chain", "Coded", "Coding", "Layer", "Observer", "Operator", "Pool", "QuantLayer",
           "QuernelError", "Weights", "audit", "bias_correct", "conv2d", "deconv2d", "dequantize", "linear", "observe", "quantize", "round_weights",
           "search", "smooth_factors", "version",
           "F32", "BF16", "S32", "S8", "U8", "NHWC", "NCHW", "STATIC", "DYNAMIC_CALL", "DYNAMIC_ROW",
           "NONE", "RELU", "CLAMP", "LEAKY", "PRELU"]

# SPDX-License-Identifier: Apache-2.0
"""A layer as an ONNX model with QuantizeLinear and DequantizeLinear, as ONNX Runtime and OpenVINO
take quantized networks. At the f32 boundary the result goes through u8 as well: without it both run
the layer in float."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .problems import INT8


class Unsupported(Exception):
    pass


def _nodes(layer, x, y):
    """Nodes of the layer itself, between float tensors x and y."""
    if layer.op == "gemm":
        return [
            helper.make_node("MatMul", [x, "w_float"], ["product"]),
            helper.make_node("Add", ["product", "bias"], [y]),
        ]
    window = dict(
        strides=[layer.stride, layer.stride_w],
        pads=[layer.pad, layer.pad_w] * 2,
        group=layer.groups,
        dilations=[layer.dilation] * 2,
        kernel_shape=[layer.kernel, layer.kernel_w],
    )
    op = "ConvTranspose" if layer.op == "deconv" else "Conv"
    made = y if layer.activation == "none" else "made"
    nodes = [helper.make_node(op, [x, "w_float", "bias"], [made], **window)]
    if layer.activation == "relu":
        nodes.append(helper.make_node("Relu", [made], [y]))
    elif layer.activation == "relu6":
        nodes.append(helper.make_node("Clip", [made, "zero_float", "six"], [y]))
    elif layer.activation != "none":
        raise Unsupported(f"activation {layer.activation} is not compared")
    return nodes


def _weights(layer, numbers):
    """Weights in ONNX's order and the axis of their scales."""
    if layer.op == "gemm":
        return np.ascontiguousarray(numbers.weights.T), 1
    return numbers.weights, 1 if layer.op == "deconv" else 0


def make(problem, x, y, numbers):
    """The model's bytes. Inputs and outputs are called x and y, and are laid out as the boundary
    says."""
    layer, int8 = problem.layer, problem.boundary == INT8
    weights, axis = _weights(layer, numbers)
    constants = {
        "w": weights,
        "w_scale": numbers.w_scale,
        "w_zero": np.zeros_like(numbers.w_scale, np.int8),
        "bias": numbers.bias,
        "x_scale": np.float32(numbers.x_scale),
        "y_scale": np.float32(numbers.y_scale),
        "zero": np.uint8(0),
        "y_zero": np.uint8(numbers.y_zero),
        "zero_float": np.float32(0),
        "six": np.float32(6),
    }
    image = layer.op != "gemm"
    turn = lambda a, b, order: helper.make_node("Transpose", [a], [b], perm=order)
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["w_float"], axis=axis)
    ]
    if int8:
        nodes += [turn("x", "x_codes", (0, 3, 1, 2))] if image else []
    else:
        nodes.append(helper.make_node("QuantizeLinear", ["x", "x_scale", "zero"], ["x_codes"]))
    codes = "x" if int8 and not image else "x_codes"
    nodes.append(helper.make_node("DequantizeLinear", [codes, "x_scale", "zero"], ["x_float"]))
    nodes += _nodes(layer, "x_float", "y_float")
    result = "y" if int8 and not image else "y_codes"
    nodes.append(helper.make_node("QuantizeLinear", ["y_float", "y_scale", "y_zero"], [result]))
    if not int8:
        nodes.append(helper.make_node("DequantizeLinear", ["y_codes", "y_scale", "y_zero"], ["y"]))
    elif image:
        nodes.append(turn("y_codes", "y", (0, 2, 3, 1)))
    of = TensorProto.UINT8 if int8 else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("x", of, x.shape)],
        [helper.make_tensor_value_info("y", of, y.shape)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()

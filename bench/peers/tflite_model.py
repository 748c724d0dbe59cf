# SPDX-License-Identifier: Apache-2.0
"""A layer as a TensorFlow Lite model in int8: s8 activations (the codes of u8 minus 128), s8
weights with a scale per output channel, s32 bias. At the f32 boundary it begins with a transpose
and QUANTIZE and ends with DEQUANTIZE and a transpose."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .problems import INT8

TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
}
ACTIVATIONS = {
    "none": schema.ActivationFunctionType.NONE,
    "relu": schema.ActivationFunctionType.RELU,
    "relu6": schema.ActivationFunctionType.RELU6,
}


class Unsupported(Exception):
    pass


def _options(kind, **members):
    """(builtin options type, filled options) of a kind by its name in the schema."""
    options = getattr(schema, kind + "T")()
    for name, value in members.items():
        setattr(options, name, value)
    return getattr(schema.BuiltinOptions, kind), options


class _Graph:
    """A model with one subgraph that grows by tensors and operators."""

    def __init__(self):
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.subgraphs, self.model.operatorCodes = 3, [self.graph], []
        self.model.buffers = [schema.BufferT()]  # the first one is empty by convention
        self.graph.tensors, self.graph.operators = [], []

    def tensor(self, shape, dtype, data=None, scale=None, zero=0, axis=0):
        """The index of a new tensor; a constant where `data` is given, quantized where `scale`
        is."""
        t = schema.TensorT()
        t.shape, t.type, t.name, t.buffer = (
            list(shape),
            TYPES[np.dtype(dtype)],
            f"t{len(self.graph.tensors)}",
            0,
        )
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            t.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        if scale is not None:
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale = np.atleast_1d(np.float32(scale))
            t.quantization.zeroPoint = np.full(t.quantization.scale.shape, zero, np.int64)
            t.quantization.quantizedDimension = axis
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def constant(self, data, **quantization):
        return self.tensor(data.shape, data.dtype, data, **quantization)

    def operator(self, name, inputs, output, version=1, options=None):
        code, op = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, name), version
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        op.opcodeIndex, op.inputs, op.outputs = len(self.model.operatorCodes), inputs, [output]
        if options:
            op.builtinOptionsType, op.builtinOptions = options
        self.model.operatorCodes.append(code)
        self.graph.operators.append(op)
        return output

    def transposed(self, x, shape, order):
        """f32 x of `shape` in another order."""
        y = self.tensor([shape[i] for i in order], np.float32)
        return self.operator("TRANSPOSE", [x, self.constant(np.array(order, np.int32))], y)

    def finished(self, x, y):
        self.graph.inputs, self.graph.outputs = [x], [y]
        builder = flatbuffers.Builder()
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _padded(graph, layer, x, quantization):
    """(x with its border, how the layer pads): SAME where that is the layer's padding, else an
    operator of its own."""
    same = layer.stride == layer.stride_w == 1 and all(
        2 * pad == layer.dilation * (kernel - 1)
        for pad, kernel in ((layer.pad, layer.kernel), (layer.pad_w, layer.kernel_w))
    )
    if same or not (layer.pad or layer.pad_w):
        return x, schema.Padding.SAME if same else schema.Padding.VALID
    border = graph.constant(
        np.array([[0, 0], [layer.pad] * 2, [layer.pad_w] * 2, [0, 0]], np.int32)
    )
    shape = (layer.batch, layer.h + 2 * layer.pad, layer.w + 2 * layer.pad_w, layer.c_in)
    return graph.operator(
        "PAD", [x, border], graph.tensor(shape, np.int8, **quantization), 2
    ), schema.Padding.VALID


def _product(graph, layer, n, x, y, bias):
    w = graph.constant(n.weights, scale=n.w_scale)
    options = _options(
        "FullyConnectedOptions", fusedActivationFunction=ACTIVATIONS[layer.activation]
    )
    graph.operator("FULLY_CONNECTED", [x, w, bias], y, 5, options)


def _deconvolution(graph, layer, n, x, y, bias):
    if layer.pad or layer.activation != "none":
        raise Unsupported(
            "deconvolutions with padding or an activation are not compared with this peer"
        )
    w = graph.constant(n.weights.transpose(1, 2, 3, 0), scale=n.w_scale)
    size = graph.constant(np.array([layer.batch, *layer.size, layer.c_out], np.int32))
    options = _options(
        "TransposeConvOptions",
        padding=schema.Padding.VALID,
        strideH=layer.stride,
        strideW=layer.stride_w,
    )
    graph.operator("TRANSPOSE_CONV", [size, w, x, bias], y, 3, options)


def _convolution(graph, layer, n, x, y, bias, quantization):
    x, padding = _padded(graph, layer, x, quantization)
    common = dict(
        padding=padding,
        strideH=layer.stride,
        strideW=layer.stride_w,
        dilationHFactor=layer.dilation,
        dilationWFactor=layer.dilation,
        fusedActivationFunction=ACTIVATIONS[layer.activation],
    )
    if layer.op == "depthwise":
        w = graph.constant(n.weights.transpose(1, 2, 3, 0), scale=n.w_scale, axis=3)
        graph.operator(
            "DEPTHWISE_CONV_2D",
            [x, w, bias],
            y,
            3,
            _options("DepthwiseConv2DOptions", depthMultiplier=1, **common),
        )
    else:
        w = graph.constant(n.weights.transpose(0, 2, 3, 1), scale=n.w_scale)
        graph.operator("CONV_2D", [x, w, bias], y, 3, _options("Conv2DOptions", **common))


def make(problem, x, y, n):
    """The model's bytes."""
    layer, int8 = problem.layer, problem.boundary == INT8
    if layer.activation not in ACTIVATIONS:
        raise Unsupported(f"activation {layer.activation} is not compared")
    graph, image = _Graph(), layer.op != "gemm"
    x_shape, y_shape = (
        ((layer.batch, layer.h, layer.w, layer.c_in), (layer.batch, *layer.size, layer.c_out))
        if image
        else (x.shape, y.shape)
    )
    of_x, of_y = dict(scale=n.x_scale, zero=-128), dict(scale=n.y_scale, zero=n.y_zero - 128)
    codes, made = graph.tensor(x_shape, np.int8, **of_x), graph.tensor(y_shape, np.int8, **of_y)
    bias = graph.constant(
        np.rint(n.bias / (n.x_scale * n.w_scale)).astype(np.int32), scale=n.x_scale * n.w_scale
    )
    first, last = codes, made
    if not int8:
        first = graph.tensor(x.shape, np.float32)
        graph.operator(
            "QUANTIZE", [graph.transposed(first, x.shape, (0, 2, 3, 1)) if image else first], codes
        )
    if image and layer.op != "deconv":
        _convolution(graph, layer, n, codes, made, bias, of_x)
    else:
        (_deconvolution if image else _product)(graph, layer, n, codes, made, bias)
    if not int8:
        last = graph.operator("DEQUANTIZE", [made], graph.tensor(y_shape, np.float32), 2)
        last = graph.transposed(last, y_shape, (0, 3, 1, 2)) if image else last
    return graph.finished(first, last)

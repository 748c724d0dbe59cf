# SPDX-License-Identifier: Apache-2.0
"""What a quantized ONNX graph means: node by node in float64, DequantizeLinear and QuantizeLinear
by their formulas. Codes that an engine computed can be put in the place of the graph's own
(`forced`), so that every operator is judged on the inputs that the engine gave it; and of each
code the exact value before it was rounded is kept."""

import dataclasses

import numpy as np
import onnx
from onnx import helper, numpy_helper
from operators import FLOAT, Rounded, gemm, real, sigmoid, softmax
from windows import average_pool, conv

CODES = {onnx.TensorProto.UINT8: np.uint8, onnx.TensorProto.INT8: np.int8}
CODES |= {onnx.TensorProto.UINT16: np.uint16, onnx.TensorProto.INT16: np.int16}


@dataclasses.dataclass
class Values:
    """All values of a run by name; of codes what they were rounded from, in code units, and of
    other values that were forced what the graph makes of its inputs."""

    of: dict
    before_rounding: dict
    reach: dict  # where a code may be further from it than half a code


def along(axis, parameter, x):
    """A scale or zero point as it broadcasts over `x`."""
    if parameter is None:
        return np.int64(0)
    parameter = parameter if parameter.dtype.kind == "f" else parameter.astype(np.int64)
    if parameter.size == 1:
        return parameter.reshape(())
    if parameter.ndim > 1:
        raise NotImplementedError("blocked quantization")
    return parameter.reshape([-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])


def dequantize(x, scale, zero=None, axis=1):
    return (x.astype(np.int64) - along(axis, zero, x)) * along(axis, scale, x)


def quantize(x, scale, zero=None, axis=1, kind=np.uint8):
    """Half to even, then the zero point, then the range of the type."""
    kind = zero.dtype if zero is not None else kind
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = x / along(axis, scale, x)
        rounded = np.rint(exact) + along(axis, zero, x)
    info = np.iinfo(kind)
    codes = np.clip(np.nan_to_num(rounded, posinf=info.max, neginf=info.min), info.min, info.max)
    return Rounded(codes.astype(kind), exact + along(axis, zero, x))


def quantize_node(inputs, attrs, opset):
    blocked(attrs)
    x, scale, zero = [*inputs, None][:3]
    kind = CODES[attrs["output_dtype"]] if attrs.get("output_dtype") else np.uint8
    return quantize(x, scale, zero, attrs.get("axis", 1), kind)


def dynamic_quantize(inputs, attrs, opset):
    """The codes follow from the scale and zero point in `attrs` where an engine found them."""
    x = inputs[0]
    lo, hi = min(x.min(), 0), max(x.max(), 0)
    scale = np.float64(np.float32((hi - lo) / 255)) if hi > lo else np.float64(1)
    zero = quantize(-lo, scale)
    codes = quantize(x, attrs.get("scale", scale), attrs.get("zero", zero.codes))
    return codes, np.asarray(scale), zero


def less(x, zero, axis):
    return x.astype(np.int64) - along(axis, zero, x)


def conv_integer(inputs, attrs, opset):
    x, w, zx, zw = [*inputs, None, None][:4]
    sums = conv(less(x, zx, 1).astype(np.float64), less(w, zw, 0).astype(np.float64), None, attrs)
    return sums.astype(np.int64).astype(np.int32)


def matmul_integer(inputs, attrs, opset):
    a, b, za, zb = [*inputs, None, None][:4]
    left = less(a, za, -2 if a.ndim > 1 else 0)
    return (left @ less(b, zb, -1)).astype(np.int32)


def qlinear_conv(inputs, attrs, opset):
    x, xs, xz, w, ws, wz, ys, yz, bias = [*inputs, None][:9]
    bias = None if bias is None else bias * (xs * ws).ravel()
    y = conv(dequantize(x, xs, xz), dequantize(w, ws, wz, 0), bias, attrs)
    return quantize(y, ys, yz)


def qlinear_matmul(inputs, attrs, opset):
    a, as_, az, b, bs, bz, ys, yz = inputs
    return quantize(dequantize(a, as_, az, -2) @ dequantize(b, bs, bz, -1), ys, yz, -1)


def qgemm(inputs, attrs, opset):
    a, as_, az, b, bs, bz, c, ys, yz = [*inputs, None, None, None][:9]
    c = None if c is None else c * (as_ * bs) * attrs.get("alpha", 1.0)
    axis = 0 if attrs.get("transB", 0) else 1
    y = gemm([dequantize(a, as_, az), dequantize(b, bs, bz, axis), c], attrs, opset)
    return y if ys is None else quantize(y, ys, yz)


def binary(function):
    def run(inputs, attrs, opset):
        a, as_, az, b, bs, bz, ys, yz = [*inputs, None][:8]
        return quantize(
            function(dequantize(a, as_, az), dequantize(b, bs, bz)), ys, yz, kind=a.dtype
        )

    return run


def unary(function):
    def run(inputs, attrs, opset):
        x, xs, xz, ys, yz = [*inputs, None][:5]
        return quantize(function(dequantize(x, xs, xz), attrs), ys, yz, kind=x.dtype)

    return run


def mean(x, attrs):
    if attrs.get("channels_last", 0):
        raise NotImplementedError("channels_last")
    return x.mean(tuple(range(2, x.ndim)), keepdims=True)


def qlinear_concat(inputs, attrs, opset):
    ys, yz, *parts = inputs
    triples = [parts[i : i + 3] for i in range(0, len(parts), 3)]
    return quantize(np.concatenate([dequantize(*t) for t in triples], attrs["axis"]), ys, yz)


QUANTIZED = {
    "DequantizeLinear": lambda i, a, o: blocked(a) or dequantize(*[*i, None][:3], a.get("axis", 1)),
    "QuantizeLinear": quantize_node,
    "DynamicQuantizeLinear": dynamic_quantize,
    "ConvInteger": conv_integer,
    "MatMulInteger": matmul_integer,
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "QLinearAdd": binary(np.add),
    "QLinearMul": binary(np.multiply),
    "QLinearSigmoid": unary(lambda x, a: sigmoid(x)),
    "QLinearLeakyRelu": unary(lambda x, a: np.where(x < 0, a.get("alpha", 0.01) * x, x)),
    "QLinearGlobalAveragePool": unary(mean),
    "QLinearAveragePool": unary(average_pool),
    "QLinearSoftmax": unary(lambda x, a: softmax([x], a, a["opset"])),
    "QLinearConcat": qlinear_concat,
    "QGemm": qgemm,
}


def blocked(attrs):
    if attrs.get("block_size"):
        raise NotImplementedError("blocked quantization")


def attributes(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def run_node(node, inputs, opset, found=()):
    """The outputs of one node; codes that were rounded as Rounded. `found`: more attributes."""
    function = QUANTIZED.get(node.op_type) or FLOAT.get(node.op_type)
    if function is None:
        raise NotImplementedError(node.op_type)
    attrs = attributes(node) | {"outputs": len(node.output)} | dict(found)
    while inputs and inputs[-1] is None:
        inputs.pop()
    made = function(inputs, attrs, opset)
    return made if isinstance(made, (list, tuple)) else [made]


def opset_of(model):
    return next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))


def record(values, name, result, forced):
    if isinstance(result, Rounded):
        values.before_rounding[name] = result.exact
        values.reach[name] = result.reach
        result = result.codes
    elif name in forced:
        values.before_rounding[name] = result
    values.of[name] = real(forced[name]) if name in forced else result


def evaluate(model, feeds, forced=None):
    """Values of the whole graph. `forced`: what stands in the place of computed values."""
    values, forced = Values({}, {}, {}), forced or {}
    for tensor in model.graph.initializer:
        values.of[tensor.name] = real(numpy_helper.to_array(tensor))
    values.of |= {name: real(array) for name, array in feeds.items()}
    opset = opset_of(model)
    for node in model.graph.node:
        inputs = [values.of[name] if name else None for name in node.input]
        found = {}
        if node.op_type == "DynamicQuantizeLinear":
            keys = zip(("scale", "zero"), node.output[1:])
            found = {key: real(forced[name]) for key, name in keys if name in forced}
        for name, result in zip(node.output, run_node(node, inputs, opset, found)):
            if name:
                record(values, name, result, forced)
    return values

# SPDX-License-Identifier: Apache-2.0
"""The float and shape operators of ONNX in NumPy: f(inputs, attrs, opset) -> output or outputs.
Floats are float64; integers and codes stay as they are."""

import dataclasses
import math

import numpy as np
import resizing
import windows
from onnx import numpy_helper


@dataclasses.dataclass
class Rounded:
    """Codes, what they were rounded from, and how far from it a code may be."""

    codes: np.ndarray
    exact: np.ndarray
    reach: float = 0.5


erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


def gelu(x, attrs):
    if attrs.get("approximate", b"none") == b"tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def clip(inputs, attrs, opset):
    x, lo, hi = [*inputs, None, None][:3]
    lo = attrs.get("min") if lo is None else lo
    hi = attrs.get("max") if hi is None else hi
    x = x if lo is None else np.maximum(x, np.asarray(lo, x.dtype))
    return x if hi is None else np.minimum(x, np.asarray(hi, x.dtype))


def gemm(inputs, attrs, opset):
    a, b, c = [*inputs, None][:3]
    a = a.T if attrs.get("transA", 0) else a
    b = b.T if attrs.get("transB", 0) else b
    y = attrs.get("alpha", 1.0) * (a @ b)
    return y if c is None else y + attrs.get("beta", 1.0) * c


def concat(inputs, attrs, opset):
    return np.concatenate(inputs, attrs["axis"])


def split(inputs, attrs, opset):
    x, axis = inputs[0], attrs.get("axis", 0)
    parts = inputs[1] if len(inputs) > 1 else attrs.get("split")
    if parts is None:
        count = attrs["outputs"]
        each = -(-x.shape[axis] // count)
        parts = [each] * (count - 1) + [x.shape[axis] - each * (count - 1)]
    return np.split(x, np.cumsum(parts)[:-1], axis)


def slice_(inputs, attrs, opset):
    x = inputs[0]
    given = inputs[1:] or [attrs[key] for key in ("starts", "ends", "axes") if key in attrs]
    starts, ends, *more = map(np.asarray, given)
    axes = more[0] if more else np.arange(len(starts))
    steps = more[1] if len(more) > 1 else np.ones_like(starts)
    where = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        last = None if step < 0 and end < -x.shape[axis] else end
        where[axis] = slice(start, last, step)
    return x[tuple(where)]


def pad(inputs, attrs, opset):
    x, pads, value, axes = [*inputs, None, None, None][:4]
    pads = attrs["pads"] if pads is None else pads.tolist()
    value = attrs.get("value", 0.0) if value is None else value.ravel()[0]
    mode = attrs.get("mode", b"constant").decode()
    axes = range(x.ndim) if axes is None else axes.tolist()
    widths = [(0, 0)] * x.ndim
    for i, axis in enumerate(axes):
        widths[axis] = (pads[i], pads[len(axes) + i])
    for axis, (first, last) in enumerate(widths):  # negative: cut
        x = x.take(range(max(-first, 0), x.shape[axis] - max(-last, 0)), axis)
    widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode == "constant":
        return np.pad(x, widths, constant_values=value)
    return np.pad(x, widths, mode=mode)


def depth_to_space(inputs, attrs, opset):
    x, b = inputs[0], attrs["blocksize"]
    n, c, h, w = x.shape
    if attrs.get("mode", b"DCR") == b"CRD":
        return (
            x.reshape(n, c // b**2, b, b, h, w)
            .transpose(0, 1, 4, 2, 5, 3)
            .reshape(n, c // b**2, h * b, w * b)
        )
    return (
        x.reshape(n, b, b, c // b**2, h, w)
        .transpose(0, 3, 4, 1, 5, 2)
        .reshape(n, c // b**2, h * b, w * b)
    )


def space_to_depth(inputs, attrs, opset):
    x, b = inputs[0], attrs["blocksize"]
    n, c, h, w = x.shape
    order = (0, 1, 3, 5, 2, 4) if attrs.get("mode", b"DCR") == b"CRD" else (0, 3, 5, 1, 2, 4)
    blocks = x.reshape(n, c, h // b, b, w // b, b).transpose(order)
    return blocks.reshape(n, c * b**2, h // b, w // b)


def reshape(inputs, attrs, opset):
    x, shape = inputs[0], inputs[1].tolist()
    if not attrs.get("allowzero", 0):
        shape = [x.shape[i] if s == 0 else s for i, s in enumerate(shape)]
    return x.reshape(shape)


def flatten(inputs, attrs, opset):
    x, axis = inputs[0], attrs.get("axis", 1)
    return x.reshape(int(np.prod(x.shape[: axis if axis >= 0 else axis + x.ndim])), -1)


def max_pool(inputs, attrs, opset):
    if attrs["outputs"] > 1:
        raise NotImplementedError("MaxPool: indices")
    return windows.max_pool(inputs[0], attrs)


def axes_of(inputs, attrs):
    return tuple(inputs[1].tolist() if len(inputs) > 1 else attrs.get("axes") or ())


def squeeze(inputs, attrs, opset):
    return np.squeeze(inputs[0], axes_of(inputs, attrs) or None)


def unsqueeze(inputs, attrs, opset):
    return np.expand_dims(inputs[0], axes_of(inputs, attrs))


def reduce_mean(inputs, attrs, opset):
    axes = axes_of(inputs, attrs)
    if not axes and attrs.get("noop_with_empty_axes", 0):
        return inputs[0]
    return inputs[0].mean(axes or None, keepdims=bool(attrs.get("keepdims", 1)))


def resize(inputs, attrs, opset):
    """Between codes, engines round as they like: ONNX Runtime cuts off."""
    x, *more = inputs
    if opset < 11:
        y = resizing.resize_10(x.astype(np.float64), more[0], attrs)
    else:
        y = resizing.resize(x.astype(np.float64), *[*more, None, None, None][:3], attrs)
    if x.dtype.kind == "f":
        return y
    reach = 1.0 if b"linear" in attrs.get("mode", b"") else 0.5
    return Rounded(y.astype(x.dtype), y, reach)


def global_average(inputs, attrs, opset):
    return inputs[0].mean(tuple(range(2, inputs[0].ndim)), keepdims=True)


def global_max(inputs, attrs, opset):
    return inputs[0].max(tuple(range(2, inputs[0].ndim)), keepdims=True)


def reduce_max(inputs, attrs, opset):
    return inputs[0].max(axes_of(inputs, attrs) or None, keepdims=bool(attrs.get("keepdims", 1)))


def softmax(inputs, attrs, opset):
    """Before opset 13 over all axes from the one that is named."""
    x, axis = inputs[0], attrs.get("axis", 1 if opset < 13 else -1)
    axes = tuple(range(axis % x.ndim, x.ndim)) if opset < 13 else axis
    e = np.exp(x - x.max(axes, keepdims=True))
    return e / e.sum(axes, keepdims=True)


def layer_norm(inputs, attrs, opset):
    x, scale, bias = [*inputs, None][:3]
    axes = tuple(range(attrs.get("axis", -1) % x.ndim, x.ndim))
    mean = x.mean(axes, keepdims=True)
    x = x - mean
    factor = 1 / np.sqrt(np.square(x).mean(axes, keepdims=True) + attrs.get("epsilon", 1e-5))
    return [x * factor * scale + (0 if bias is None else bias), mean, factor]


def rms_norm(inputs, attrs, opset):
    x, scale = inputs
    axes = tuple(range(attrs.get("axis", -1) % x.ndim, x.ndim))
    mean = np.square(x).mean(axes, keepdims=True)
    return x / np.sqrt(mean + attrs.get("epsilon", 1e-5)) * scale


def batch_norm(inputs, attrs, opset):
    x = inputs[0]
    shape = (-1, *[1] * (x.ndim - 2))
    scale, bias, mean, variance = (p.reshape(shape) for p in inputs[1:])
    return (x - mean) / np.sqrt(variance + attrs.get("epsilon", 1e-5)) * scale + bias


def cast(inputs, attrs, opset):
    if attrs["to"] == 10:
        return inputs[0].astype(np.float16).astype(np.float64)
    kinds = {1: np.float64, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 11: np.float64}
    if attrs["to"] not in kinds:
        raise NotImplementedError(f"Cast: to {attrs['to']}")
    return inputs[0].astype(kinds[attrs["to"]])


def constant(inputs, attrs, opset):
    if "value" in attrs:
        return real(numpy_helper.to_array(attrs["value"]))
    key = next(key for key in attrs if key.startswith("value_"))
    return np.array(attrs[key], np.float64 if "float" in key else np.int64)


def real(array):
    """Floats of any width as float64; the rest as it is."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def whole(function):
    """Division of integers goes towards zero."""
    return lambda i, a, o: function(*i)


def divide(inputs, attrs, opset):
    x, y = inputs
    if x.dtype.kind in "iu":
        return (np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y))).astype(x.dtype)
    return x / y


FLOAT = {
    "Add": lambda i, a, o: i[0] + i[1],
    "Sum": lambda i, a, o: sum(i[1:], i[0]),
    "Sub": lambda i, a, o: i[0] - i[1],
    "Mul": lambda i, a, o: i[0] * i[1],
    "Div": divide,
    "MatMul": lambda i, a, o: i[0] @ i[1],
    "Gemm": gemm,
    "Conv": lambda i, a, o: windows.conv(*[*i, None][:3], a),
    "ConvTranspose": lambda i, a, o: windows.conv_transpose(*[*i, None][:3], a),
    "Relu": lambda i, a, o: np.maximum(i[0], 0),
    "LeakyRelu": lambda i, a, o: np.where(i[0] < 0, a.get("alpha", 0.01) * i[0], i[0]),
    "PRelu": lambda i, a, o: np.where(i[0] < 0, i[1] * i[0], i[0]),
    "Sigmoid": lambda i, a, o: sigmoid(i[0]),
    "HardSigmoid": lambda i, a, o: np.clip(a.get("alpha", 0.2) * i[0] + a.get("beta", 0.5), 0, 1),
    "HardSwish": lambda i, a, o: i[0] * np.clip(i[0] / 6 + 0.5, 0, 1),
    "Swish": lambda i, a, o: i[0] * sigmoid(a.get("alpha", 1.0) * i[0]),
    "Tanh": lambda i, a, o: np.tanh(i[0]),
    "Erf": lambda i, a, o: erf(i[0]),
    "Gelu": lambda i, a, o: gelu(i[0], a),
    "Exp": lambda i, a, o: np.exp(i[0]),
    "Sqrt": lambda i, a, o: np.sqrt(i[0]),
    "Softplus": lambda i, a, o: np.logaddexp(0, i[0]),
    "Clip": clip,
    "MaxPool": max_pool,
    "AveragePool": lambda i, a, o: windows.average_pool(i[0], a),
    "GlobalAveragePool": global_average,
    "GlobalMaxPool": global_max,
    "ReduceMean": reduce_mean,
    "ReduceMax": reduce_max,
    "Softmax": softmax,
    "LayerNormalization": layer_norm,
    "RMSNormalization": rms_norm,
    "SimplifiedLayerNormalization": rms_norm,
    "BatchNormalization": batch_norm,
    "Resize": resize,
    "Concat": concat,
    "Split": split,
    "Slice": slice_,
    "Pad": pad,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "Transpose": lambda i, a, o: i[0].transpose(a.get("perm")),
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Identity": lambda i, a, o: i[0],
    "Dropout": lambda i, a, o: i[0],
    "Cast": cast,
    "Constant": constant,
    "Shape": lambda i, a, o: np.array(i[0].shape[a.get("start", 0) : a.get("end")], np.int64),
    "Gather": lambda i, a, o: np.take(i[0], i[1], a.get("axis", 0)),
}

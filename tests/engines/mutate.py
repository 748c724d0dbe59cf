# SPDX-License-Identifier: Apache-2.0
"""Graphs made wrong, or only unusual, in one to three places: `mutant(rng, model)` gives bytes."""

import contextlib

import numpy as np
import onnx
from onnx import AttributeProto, numpy_helper

INTS = [-1, 0, 1, 2, 3, 7, 100, 2**31, 2**40, -(2**63), 2**63 - 1]
FLOATS = [0.0, -0.0, -1.0, 1e-45, 1e-39, 1e-30, 1e30, 3e38, np.inf, -np.inf, np.nan, 0.5]
WORDS = "SAME_UPPER SAME_LOWER VALID NOTSET nearest linear cubic floor ceil half_pixel asymmetric"
WORDS += " align_corners tf_crop_and_resize constant reflect edge wrap CRD DCR none tanh nothing"
OPERATORS = "Conv ConvTranspose Gemm MatMul Add Sub Mul Div Relu Clip LeakyRelu PRelu Sigmoid Tanh"
OPERATORS += " HardSigmoid HardSwish Erf Gelu MaxPool AveragePool GlobalAveragePool Resize Concat"
OPERATORS += " Split Slice Pad DepthToSpace SpaceToDepth Transpose Reshape Flatten QLinearConv"
OPERATORS += " QLinearMatMul QLinearAdd ConvInteger MatMulInteger DynamicQuantizeLinear Softmax"
OPERATORS += " DequantizeLinear QuantizeLinear Identity Cast Unknown"


def pick(rng, items):
    return items[rng.integers(len(items))]


def change_attribute(rng, model):
    node = pick(rng, model.graph.node)
    if not node.attribute:
        name = pick(rng, "axis group pads strides kernel_shape auto_pad alpha".split())
        node.attribute.append(onnx.helper.make_attribute(name, int(pick(rng, INTS))))
        return
    attribute = pick(rng, node.attribute)
    if attribute.type == AttributeProto.INT:
        attribute.i = pick(rng, INTS)
    elif attribute.type == AttributeProto.INTS and attribute.ints:
        attribute.ints[rng.integers(len(attribute.ints))] = pick(rng, INTS)
        if rng.random() < 0.2:
            attribute.ints.append(1)
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = pick(rng, FLOATS)
    elif attribute.type == AttributeProto.STRING:
        attribute.s = pick(rng, WORDS.split()).encode()
    if rng.random() < 0.1:
        attribute.type = pick(rng, [AttributeProto.INT, AttributeProto.INTS, AttributeProto.FLOAT])
    if rng.random() < 0.2:
        node.attribute.remove(attribute)


def change_values(rng, model):
    """Scales, zero points, weights, shapes: one of their elements, or all of them."""
    if not model.graph.initializer:
        return
    tensor = pick(rng, model.graph.initializer)
    array = numpy_helper.to_array(tensor).copy()
    if array.size == 0:
        return
    many = rng.random() < 0.3
    where = slice(None) if many else int(rng.integers(array.size))
    if array.dtype.kind == "f":
        array.reshape(-1)[where] = pick(rng, FLOATS)
    else:
        info = np.iinfo(array.dtype)
        value = int(np.clip(pick(rng, INTS), info.min, info.max))
        array.reshape(-1)[where] = value if rng.random() < 0.5 else info.min
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def change_tensor(rng, model):
    """A type, a shape or a length that is not the data's."""
    if not model.graph.initializer:
        return
    tensor = pick(rng, model.graph.initializer)
    form = rng.integers(5)
    if form == 0:
        tensor.data_type = int(rng.integers(0, 24))
    elif form == 1:
        tensor.raw_data = tensor.raw_data[: rng.integers(len(tensor.raw_data) + 1)]
    elif form == 2 and tensor.dims:
        tensor.dims[rng.integers(len(tensor.dims))] = pick(rng, INTS)
    elif form == 3:
        array = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(array.reshape(*array.shape, 1), tensor.name))
    else:
        array = numpy_helper.to_array(tensor)
        kind = pick(rng, [np.uint8, np.int8, np.int32, np.float32, np.int64, np.float16])
        with np.errstate(invalid="ignore", over="ignore"):
            tensor.CopyFrom(numpy_helper.from_array(array.astype(kind), tensor.name))


def rewire(rng, model):
    node = pick(rng, model.graph.node)
    names = [n for other in model.graph.node for n in [*other.input, *other.output]]
    form = rng.integers(5)
    if form == 0 and node.input:
        node.input[rng.integers(len(node.input))] = pick(rng, [*names, "", "nowhere"])
    elif form == 1:
        node.input.append(pick(rng, [*names, ""]))
    elif form == 2 and node.input:
        node.input.pop()
    elif form == 3:
        node.output[rng.integers(len(node.output))] = pick(rng, [*names, ""])
    else:
        model.graph.node.remove(node)


def change_node(rng, model):
    node = pick(rng, model.graph.node)
    if rng.random() < 0.7:
        node.op_type = pick(rng, OPERATORS.split())
    else:
        node.domain = pick(rng, ["", "com.microsoft", "ai.onnx", "other"])


def change_edges(rng, model):
    """Inputs of another type or shape, outputs that are others."""
    form = rng.integers(4)
    if form == 0:
        kind = pick(rng, model.graph.input).type.tensor_type
        kind.elem_type = int(rng.integers(1, 12))
    elif form == 1:
        shape = pick(rng, model.graph.input).type.tensor_type.shape
        if shape.dim:
            pick(rng, shape.dim).dim_value = pick(rng, INTS)
    elif form == 2:
        names = [n for node in model.graph.node for n in [*node.output, *node.input] if n]
        model.graph.output.append(onnx.ValueInfoProto(name=pick(rng, names)))
    else:
        model.opset_import[0].version = int(rng.integers(1, 30))


GRAPH = [change_attribute] * 5 + [change_values] * 9 + [change_tensor] * 3
GRAPH += [rewire] * 2 + [change_node, change_edges, change_edges]


def flip(rng, data):
    """Some bytes changed, or the end cut off."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 9)):
        data[rng.integers(len(data))] = rng.integers(256)
    return bytes(data[: rng.integers(len(data))] if rng.random() < 0.1 else data)


def mutant(rng, model):
    if rng.random() < 0.15:
        return flip(rng, model.SerializeToString())
    for _ in range(pick(rng, [1, 1, 1, 1, 2, 3])):
        if model.graph.node and model.graph.input:
            with contextlib.suppress(ValueError, TypeError, KeyError):  # already too wrong
                pick(rng, GRAPH)(rng, model)
    return model.SerializeToString()

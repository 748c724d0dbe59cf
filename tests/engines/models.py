# SPDX-License-Identifier: Apache-2.0
"""Small float models that readers of ONNX have got wrong without a word."""

import itertools

import engine
import numpy as np
import onnx
from onnx import helper, numpy_helper

N = helper.make_node
SHAPE = (1, 6, 6, 6)  # as many channels as columns: what goes by size alone takes one for another
RESIZES = "half_pixel pytorch_half_pixel align_corners asymmetric tf_half_pixel_for_nn"
RESIZES += " tf_crop_and_resize half_pixel_symmetric"
ROUNDINGS = "round_prefer_floor round_prefer_ceil floor ceil"


def normal(*shape, seed=3):
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def weights():
    return {"w": normal(6, 6, 3, 3)}


def conv(name="", more=()):
    return N("Conv", ["x", "w", *more], ["c"], name, pads=[1, 1, 1, 1])


def resize(coordinates, **attrs):
    made = N(
        "Resize", ["c", "roi", "scales"], ["y"], coordinate_transformation_mode=coordinates, **attrs
    )
    arrays = {
        "roi": np.array([0, 0, 0.13, 0.22, 1, 1, 0.91, 0.79], np.float32),
        "scales": np.array([1, 1, 1.5, 2], np.float32),
    }
    # opset 11 alone has tf_half_pixel_for_nn, from 19 on is half_pixel_symmetric, from 18 antialias
    opset = {"tf_half_pixel_for_nn": 11, "half_pixel_symmetric": 19}.get(coordinates, 13)
    if "antialias" in attrs:
        opset = 19
    return [conv(), made], {**weights(), **arrays}, opset


def statistics(count):
    """Inputs of a batch norm behind the first."""
    return {
        "g": normal(count) + 1,
        "b": normal(count, seed=4),
        "m": normal(count, seed=5),
        "v": np.abs(normal(count, seed=6)) + 1,
    }


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


UNTYPED = "an output without a shape"
F16, F32 = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT

# name: nodes from x to y, arrays, opset
MODELS: dict = {
    "DepthToSpace without mode": (
        [N("Conv", ["x", "w"], ["c"]), N("DepthToSpace", ["c"], ["y"], blocksize=2)],
        {"w": normal(8, 6, 1, 1)}, 13),
    "DepthToSpace DCR": (
        [N("Conv", ["x", "w"], ["c"]), N("DepthToSpace", ["c"], ["y"], blocksize=2, mode="DCR")],
        {"w": normal(8, 6, 1, 1)}, 13),
    "DepthToSpace CRD": (
        [N("Conv", ["x", "w"], ["c"]), N("DepthToSpace", ["c"], ["y"], blocksize=2, mode="CRD")],
        {"w": normal(8, 6, 1, 1)}, 13),
    "Sum of two": ([conv(), N("Sum", ["c", "x"], ["y"])], weights(), 13),
    "Sum of three": ([conv(), N("Sum", ["c", "x", "x"], ["y"])], weights(), 13),
    "Softmax of opset 11": ([conv(), N("Softmax", ["c"], ["y"])], weights(), 11),
    "Softmax of opset 13": ([conv(), N("Softmax", ["c"], ["y"])], weights(), 13),
    "LayerNormalization": (
        [conv(), N("Reshape", ["c", "to"], ["t"]),
         N("LayerNormalization", ["t", "g", "b"], ["y"])],
        {**weights(), "to": ints(1, 6, 36), "g": normal(36) + 1, "b": normal(36, seed=4)}, 17),
    "negative integer Div": (
        [conv(), N("Shape", ["x"], ["s"]), N("Mul", ["s", "minus"], ["n"]),
         N("Div", ["n", "four"], ["d"]), N("Cast", ["d"], ["f"], to=F32),
         N("ReduceMean", ["f"], ["r"], axes=[0], keepdims=0), N("Add", ["c", "r"], ["y"])],
        {**weights(), "minus": ints(-1), "four": ints(4)}, 13),
    "Clip with a computed bound": (
        [conv(), N("ReduceMax", ["x"], ["top"], keepdims=0), N("Mul", ["top", "half"], ["hi"]),
         N("Clip", ["c", "lo", "hi"], ["y"])],
        {**weights(), "half": np.float32(0.5), "lo": np.float32(-0.5)}, 13),
    "PRelu along the width": (
        [conv(), N("PRelu", ["c", "slope"], ["y"])], {**weights(), "slope": normal(6)}, 13),
    "PRelu along the channels": (
        [conv(), N("PRelu", ["c", "slope"], ["y"])],
        {**weights(), "slope": normal(6, 1, 1)}, 13),
    "MatMul, batch norm in 3-D": (
        [N("Reshape", ["x", "to"], ["t"]), N("MatMul", ["t", "w"], ["c"]),
         N("BatchNormalization", ["c", "g", "b", "m", "v"], ["y"])],
        {"to": ints(6, 6, 6), "w": normal(6, 6), **statistics(6)}, 13),
    "MatMul, PRelu in 3-D": (
        [N("Reshape", ["x", "to"], ["t"]), N("MatMul", ["t", "w"], ["c"]),
         N("PRelu", ["c", "slope"], ["y"])],
        {"to": ints(6, 6, 6), "w": normal(6, 6), "slope": normal(6, 1)}, 13),
    "ConvTranspose output_shape": (
        [N("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], output_shape=[12, 11])],
        {"w": normal(6, 5, 3, 3)}, 13),
    "ConvTranspose output_shape, SAME_UPPER": (
        [N("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], output_shape=[12, 11],
           auto_pad="SAME_UPPER")],
        {"w": normal(6, 5, 3, 3)}, 13),
    "a node Conv_2 and one without a name": (
        [conv("Conv_2"), N("Conv", ["c", "w2"], ["y"], "")],
        {**weights(), "w2": normal(4, 6, 1, 1)}, 13),
    "nodes without names": (
        [conv(), N("Relu", ["c"], ["r"]), N("Conv", ["r", "w2"], ["y"])],
        {**weights(), "w2": normal(4, 6, 1, 1)}, 13),
    "Clip lo > hi": (
        [conv(), N("Clip", ["c", "lo", "hi"], ["y"])],
        {**weights(), "lo": np.float32(1), "hi": np.float32(-0.25)}, 13),
    "Gemm with scalar C": (
        [N("Flatten", ["x"], ["f"]), N("Gemm", ["f", "w", "c0"], ["y"])],
        {"w": normal(216, 9), "c0": np.float32(2)}, 13),
    "Gemm with C of one column": (
        [N("Reshape", ["x", "to"], ["f"]), N("Gemm", ["f", "w", "c0"], ["y"], beta=0.5)],
        {"to": ints(6, 36), "w": normal(36, 6), "c0": normal(6, 1)}, 13),
    "Constant value_float, value_ints": (
        [conv(), N("Constant", [], ["k"], value_float=0.5), N("Mul", ["c", "k"], ["m"]),
         N("Constant", [], ["to"], value_ints=[1, 36, 6]), N("Reshape", ["m", "to"], ["y"])],
        weights(), 13),
    "Cast to fp16": (
        [conv(), N("Cast", ["c"], ["h"], to=F16), N("Relu", ["h"], ["r"]),
         N("Cast", ["r"], ["y"], to=F32)], weights(), 13),
    "ReduceMean of opset 18, axes as input": (
        [conv(), N("ReduceMean", ["c", "axes"], ["y"])], {**weights(), "axes": ints(2, 3)}, 18),
    "ReduceMean of opset 18, without axes": (
        [conv(), N("ReduceMean", ["c"], ["r"]), N("Sub", ["c", "r"], ["y"])], weights(), 18),
    "Slice-9": (
        [conv(), N("Slice", ["c"], ["y"], starts=[1, 0], ends=[4, -1], axes=[1, 3])],
        weights(), 9),
    "Resize-10": ([conv(), N("Resize", ["c", "scales"], ["y"], mode="nearest")],
                  {**weights(), "scales": floats(1, 1, 2, 2)}, 10),
    "Resize-10, smaller": ([conv(), N("Resize", ["c", "scales"], ["y"], mode="nearest")],
                           {**weights(), "scales": floats(1, 1, 0.5, 0.5)}, 10),
    "a constant output": (
        [conv(), N("Relu", ["c"], ["y"]), N("Identity", ["k"], ["also"])],
        {**weights(), "k": normal(3)}, 13),
    UNTYPED: ([conv(), N("Relu", ["c"], ["y"])], weights(), 13),
    "an empty bias name": ([conv(more=[""]), N("Relu", ["c"], ["y"])], weights(), 13),
}  # fmt: skip
MODELS |= {
    f"Resize nearest {c} {r}": resize(c, mode="nearest", nearest_mode=r)
    for c, r in itertools.product(RESIZES.split(), ROUNDINGS.split())
}
BLENDS: list[tuple[str, dict]] = [
    ("linear", {}),
    ("cubic", {}),
    ("cubic", {"cubic_coeff_a": -0.5, "exclude_outside": 1}),
    ("linear", {"antialias": 1}),
    ("cubic", {"antialias": 1}),
]
MODELS |= {
    f"Resize {m} {c} {attrs}": resize(c, mode=m, **attrs)
    for c, (m, attrs) in itertools.product(
        [c for c in RESIZES.split() if c != "tf_half_pixel_for_nn"], BLENDS
    )
}
MODELS |= {
    f"Pad {mode}": (
        [conv(), N("Pad", ["c", "pads"], ["y"], mode=mode)],
        {**weights(), "pads": ints(0, 0, 2, 3, 0, 0, 1, 4)},
        19,
    )
    for mode in ("edge", "reflect", "wrap")
}


def untyped_model(name):
    nodes, arrays, opset = MODELS[name]
    outputs = [o for node in nodes for o in node.output if o in ("y", "also")]
    graph = helper.make_graph(
        nodes, "pattern", [helper.make_tensor_value_info("x", F32, SHAPE)],
        [helper.make_tensor_value_info(o, F32, None) for o in outputs],
        [numpy_helper.from_array(np.asarray(a), key) for key, a in arrays.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def float_model(name):
    """With the ranks of its outputs, which ONNX demands and ONNX Runtime does not."""
    model = untyped_model(name)
    if name != UNTYPED:
        shapes = {o.name: o.shape for o in engine.stock(model.SerializeToString()).get_outputs()}
        for output in model.graph.output:
            kind = helper.make_tensor_type_proto(F32, [None] * len(shapes[output.name]))
            output.type.CopyFrom(kind)
    return model


def image(seed=1):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)

# SPDX-License-Identifier: Apache-2.0
"""oneDNN, its primitives chained by hand: a quantizing reorder, the layer in layouts of its own
choice, a reorder back where the boundary wants one. Weights are reordered beforehand."""

import numpy as np

from . import dnnl
from .problems import INT8, QDQ

Unsupported = dnnl.Refused
ACTIVATIONS = {"none": None, "relu": (dnnl.RELU, 0.0, 0.0), "relu6": (dnnl.CLIP, 0.0, 6.0)}
version = dnnl.version


def _activation(layer):
    if layer.activation not in ACTIVATIONS:
        raise Unsupported(f"activation {layer.activation} is not compared")
    return ACTIVATIONS[layer.activation]


def _nhwc(shape):
    n, h, w, channels = shape
    return (n, channels, h, w), (h * w * channels, 1, w * channels, channels)


def _nchw(shape):
    _, channels, h, w = shape
    return shape, (channels * h * w, h * w, w, 1)


def _plain(boundary, array):
    return (
        (array.shape, (array.shape[1], 1))
        if array.ndim == 2
        else (_nhwc if boundary == INT8 else _nchw)(array.shape)
    )


def _weights(layer, numbers):
    """Sizes and strides in the library's order, and the mask of the output channels."""
    w = numbers.weights
    if layer.op == "gemm":
        return (w.shape[1], w.shape[0]), (1, w.shape[1]), 2
    if layer.op == "deconv":
        i, o, kh, kw = w.shape
        return (o, i, kh, kw), (kh * kw, o * kh * kw, kw, 1), 1
    o, i, kh, kw = w.shape
    if layer.groups == 1:
        return w.shape, (i * kh * kw, kh * kw, kw, 1), 1
    g = layer.groups
    return (g, o // g, i, kh, kw), (o // g * i * kh * kw, i * kh * kw, kh * kw, kw, 1), 3


def _describe(layer, numbers, src, dst, dst_type):
    """The layer's primitive description. src and dst are memory descriptions."""
    sizes, _, mask = _weights(layer, numbers)
    scales = {dnnl.SRC: 0, dnnl.WEIGHTS: mask} | ({dnnl.DST: 0} if dst_type == dnnl.U8 else {})
    attr = dnnl.attributes(scales, _activation(layer), dst_type == dnnl.U8 and numbers.y_zero != 0)
    weights = dnnl.any_layout(sizes, dnnl.S8)
    if layer.op == "gemm":
        bias = dnnl.strided((1, layer.c_out), (layer.c_out, 1), dnnl.F32)
        return dnnl.call(
            dnnl.lib.dnnl_matmul_primitive_desc_create, dnnl.engine, src, weights, bias, dst, attr
        )
    bias = dnnl.strided((layer.c_out,), (1,), dnnl.F32)
    up = layer.op == "deconv"
    create = (
        dnnl.lib.dnnl_deconvolution_forward_primitive_desc_create
        if up
        else dnnl.lib.dnnl_convolution_forward_primitive_desc_create
    )
    pad = dnnl.dims((layer.pad, layer.pad_w))
    return dnnl.call(
        create,
        dnnl.engine,
        dnnl.FORWARD_INFERENCE,
        dnnl.DECONVOLUTION_DIRECT if up else dnnl.CONVOLUTION_DIRECT,
        src,
        weights,
        bias,
        dst,
        dnnl.dims((layer.stride, layer.stride_w)),
        dnnl.dims((layer.dilation - 1,) * 2),
        pad,
        pad,
        attr,
    )


def _arguments(layer, numbers, desc, src, dst, dst_type):
    """The primitive's arguments; weights go to its layout now."""
    sizes, strides, _ = _weights(layer, numbers)
    given = dnnl.memory_of(numbers.weights, sizes, strides)
    weights = dnnl.Memory(dnnl.layout_of(desc, dnnl.WEIGHTS))
    dnnl.reorder(given, weights).execute()
    dnnl.wait()
    bias = numbers.bias.reshape(1, -1) if layer.op == "gemm" else numbers.bias
    one = lambda value: dnnl.memory_of(np.array([value], np.float32), (1,), (1,))
    arguments = {
        dnnl.SRC: src,
        dnnl.WEIGHTS: weights,
        dnnl.DST: dst,
        dnnl.BIAS: dnnl.memory_of(bias, bias.shape, (bias.shape[-1], 1)[-bias.ndim :]),
        dnnl.SCALES | dnnl.SRC: one(numbers.x_scale),
        dnnl.SCALES | dnnl.WEIGHTS: dnnl.memory_of(numbers.w_scale, (layer.c_out,), (1,)),
    }
    if dst_type == dnnl.U8:
        arguments[dnnl.SCALES | dnnl.DST] = one(numbers.y_scale)
        if numbers.y_zero:
            arguments[dnnl.ZEROS | dnnl.DST] = dnnl.memory_of(
                np.array([numbers.y_zero], np.int32), (1,), (1,)
            )
    return arguments


class _Chain:
    """Primitives that run one after another."""

    def __init__(self):
        self.primitives, self.notes = [], []

    def add(self, primitive):
        self.primitives.append(primitive)

    def layer(self, layer, numbers, src, dst_sizes, dst_type, dst_desc=None):
        """Adds a layer; the memory of its output. src: a memory, whose layout is taken, or (plain
        memory, scale): it is quantized into the layout that the layer likes best."""
        entry = None if isinstance(src, dnnl.Memory) else src
        wanted = dnnl.any_layout(self._sizes(layer), dnnl.U8) if entry else src.desc
        desc = _describe(
            layer, numbers, wanted, dst_desc or dnnl.any_layout(dst_sizes, dst_type), dst_type
        )
        if entry:
            src = dnnl.Memory(dnnl.layout_of(desc, dnnl.SRC))
            self.add(dnnl.reorder(entry[0], src, entry[1]))
        dst = dnnl.Memory(dnnl.layout_of(desc, dnnl.DST))
        self.add(dnnl.Primitive(desc, _arguments(layer, numbers, desc, src, dst, dst_type)))
        self.notes.append(dnnl.implementation(desc))
        return dst

    @staticmethod
    def _sizes(layer):
        return (
            (layer.h, layer.c_in)
            if layer.op == "gemm"
            else (layer.batch, layer.c_in, layer.h, layer.w)
        )

    def run(self):
        for primitive in self.primitives:
            primitive.execute()
        dnnl.wait()


def make(problem):
    if problem.boundary == QDQ:
        raise Unsupported("codes between f32 tensors are not compared with this peer")
    layer, (numbers, x), y = problem.layer, problem.draw(), problem.empty()
    int8, chain = problem.boundary == INT8, _Chain()
    sizes, strides = _plain(problem.boundary, y)
    src = dnnl.memory_of(x, *_plain(problem.boundary, x))
    if int8:  # plain u8 NHWC on both sides: the layout that its int8 kernels use
        out = chain.layer(
            layer, numbers, src, sizes, dnnl.U8, dnnl.strided(sizes, strides, dnnl.U8)
        )
    else:
        made = chain.layer(layer, numbers, (src, numbers.x_scale), sizes, dnnl.F32)
        out = dnnl.Memory(dnnl.strided(sizes, strides, dnnl.F32))
        chain.add(dnnl.reorder(made, out))
    return chain.run, lambda: out.read(y), " ".join(chain.notes)


def make_network(problem):
    numbers, x = problem.draw()
    y, chain = problem.empty(), _Chain()
    dst_type = dnnl.U8 if problem.boundary == INT8 else dnnl.F32
    out = dnnl.Memory(dnnl.strided(*_plain(problem.boundary, y), dst_type))
    made = {-1: (dnnl.memory_of(x, *_nchw(x.shape)), numbers[0].x_scale)}
    for i, ((layer, source, start), n) in enumerate(zip(problem.rows, numbers)):
        sizes = (1, layer.c_out, *layer.size)
        if start is None:
            made[i] = chain.layer(layer, n, made[source], sizes, dnnl.U8)
            continue
        part = dnnl.slice_of(out.desc, sizes, (0, start, 0, 0))
        result = chain.layer(layer, n, made[source], sizes, dst_type)
        chain.add(dnnl.reorder(result, dnnl.Memory(part, of=out)))
    return chain.run, lambda: out.read(y), " ".join(sorted(set(chain.notes)))

# SPDX-License-Identifier: Apache-2.0
"""Quernel, through its NumPy binding; networks through its structures; at the qdq boundary as users
of ONNX Runtime have it, by the plugin."""

import ctypes as c
from typing import Any

import numpy as np
import quernel
from quernel import _native as native

from .problems import INT8, QDQ

INNER, INPUT, OUTPUT = range(3)  # quernel_network_role
ACTIVATIONS: dict[str, dict[str, Any]] = {
    "none": dict(activation=quernel.NONE),
    "relu": dict(activation=quernel.RELU),
    "relu6": dict(activation=quernel.CLAMP, lo=0.0, hi=6.0),
}


class Unsupported(Exception):
    pass


def version():
    return quernel.version()


def _packed(layer, numbers):
    kind = {"gemm": "linear", "deconv": "deconv2d"}.get(layer.op, "conv2d")
    return quernel.Weights(numbers.weights, kind=kind, groups=layer.groups, scale=numbers.w_scale)


def _epilogue(layer, numbers):
    if layer.activation not in ACTIVATIONS:
        raise Unsupported(f"activation {layer.activation} is not compared")
    return dict(
        ACTIVATIONS[layer.activation],
        bias=numbers.bias,
        y_scale=numbers.y_scale,
        y_zero=numbers.y_zero,
    )


def _in_onnxruntime(problem):
    from quernel import ort

    from . import onnx_model, onnxruntime_peer

    numbers, x = problem.draw()
    y = problem.empty()
    session = ort.session(onnx_model.make(problem, x, y, numbers), threads=problem.threads)
    return *onnxruntime_peer.bound(session, x, y), str(ort.coverage(session))


def make(problem):
    if problem.boundary == QDQ:
        return _in_onnxruntime(problem)
    layer, (numbers, x), y = problem.layer, problem.draw(), problem.empty()
    weights, common = (
        _packed(layer, numbers),
        dict(
            quant=dict(scale=numbers.x_scale),
            epilogue=_epilogue(layer, numbers),
            threads=problem.threads,
        ),
    )
    pool = quernel.Pool(problem.threads) if problem.threads > 1 else None
    if layer.op == "gemm":
        op = quernel.linear(weights, x, y, **common)
    else:
        common["layout"] = quernel.NHWC if problem.boundary == INT8 else quernel.NCHW
        if layer.op == "deconv":
            if (layer.kernel, layer.pad) != (layer.stride, 0):
                raise Unsupported("a deconvolution whose stride is not its kernel is not compared")
            op = quernel.deconv2d(weights, x, y, **common)
        else:
            op = quernel.conv2d(
                weights,
                x,
                y,
                stride=(layer.stride, layer.stride_w),
                dilation=(layer.dilation,) * 2,
                pad=(layer.pad, layer.pad_w) * 2,
                **common,
            )
    return op.bind(x, y, pool=pool), lambda: y, op.explain()


def _tensor(role, type, layout, scale, sizes=()):
    return native.NetworkTensor(
        c.sizeof(native.NetworkTensor),
        role,
        native.Tensor(type, layout, *sizes),
        native.Quant(quernel.STATIC, quernel.U8, scale),
    )


def _conv(layer, numbers, weights):
    epilogue = _epilogue(layer, numbers)
    d = native.Conv2dDesc(c.sizeof(native.Conv2dDesc), weights.handle)
    d.stride_h, d.stride_w, d.dilation_h, d.dilation_w = (
        layer.stride,
        layer.stride_w,
        layer.dilation,
        layer.dilation,
    )
    d.pad_top = d.pad_bottom = layer.pad
    d.pad_left = d.pad_right = layer.pad_w
    d.epilogue.bias, d.epilogue.activation = numbers.bias.ctypes.data, epilogue["activation"]
    return d


def make_network(problem):
    numbers, x = problem.draw()
    y, keep = problem.empty(), []
    out_type, out_layout = (
        (quernel.U8, quernel.NHWC) if problem.boundary == INT8 else (quernel.F32, quernel.NCHW)
    )
    tensors = [
        _tensor(INPUT, quernel.F32, quernel.NCHW, numbers[0].x_scale, x.shape),
        _tensor(OUTPUT, out_type, out_layout, numbers[-1].y_scale),
    ]
    place, layers = {-1: 0}, []
    for i, ((layer, source, start), n) in enumerate(zip(problem.rows, numbers)):
        keep.append(_packed(layer, n))
        if start is None:
            place[i] = len(tensors)
            tensors.append(_tensor(INNER, quernel.U8, quernel.NHWC, n.y_scale))
        y_place = place[i] if start is None else 1
        layers.append(
            native.NetworkLayer(
                c.sizeof(native.NetworkLayer),
                place[source],
                0,
                y_place,
                start or 0,
                -1,
                conv=_conv(layer, n, keep[-1]),
            )
        )
    desc = native.NetworkDesc(
        c.sizeof(native.NetworkDesc),
        (native.NetworkTensor * len(tensors))(*tensors),
        len(tensors),
        (native.NetworkLayer * len(layers))(*layers),
        len(layers),
        problem.threads,
        -1,
        None,
    )
    lib, handle = native.lib, c.c_void_p()
    native.call(lib.quernel_network_create, c.byref(desc), c.byref(handle))
    size = lib.quernel_network_workspace(handle)
    memory = np.zeros(size + 64, np.uint8)
    workspace = memory.ctypes.data + -memory.ctypes.data % 64
    inputs, outputs = (c.c_void_p * 1)(x.ctypes.data), (c.c_void_p * 1)(y.ctypes.data)
    pool = quernel.Pool(problem.threads) if problem.threads > 1 else None
    parallel = c.byref(pool.parallel) if pool else None

    def run():
        native.call(
            lib.quernel_network_run,
            handle,
            inputs,
            outputs,
            c.c_void_p(workspace),
            c.c_size_t(size),
            parallel,
        )

    # By setattr, since functions have no such attribute in the eyes of mypy.
    setattr(run, "keep", (keep, x, y, memory, desc, pool))  # noqa: B010
    return run, lambda: y, f"workspace {size} bytes"

# SPDX-License-Identifier: Apache-2.0
"""Random units around a sum of products: convolutions, deconvolutions, products, in QDQ form, as
QLinear operators and as integer operators behind DynamicQuantizeLinear. Each takes a Builder and a
code and gives codes."""

import activations
import numpy as np
from builder import MICROSOFT


def codes_of_weights(b, shape, kind):
    kind = kind or b.pick("i1", "i1", "i1", "u1")
    info = np.iinfo(kind)
    if b.chance(0.3):
        return b.rng.integers(info.min, info.max + 1, shape, kind)
    middle = 0 if kind == "i1" else 128
    w = np.clip(np.rint(b.rng.normal(middle, 40, shape)), info.min, info.max).astype(kind)
    if shape[0] > 1 and b.chance(0.1):
        w[0] = middle  # a channel without weights
    return w


def weights(b, shape, fan_in, axis, beside=None):
    """Codes, scale and zero point of weights: arrays. Per channel along `axis`, or per tensor.
    `beside`: the code that they meet in an operator on codes, which has only some types."""
    signed = beside and b.values[beside.name].dtype == np.int8
    w = codes_of_weights(b, shape, "i1" if signed else None)
    channel = b.opset >= 13 and b.chance(0.6)
    size = (shape[axis],) if channel else b.pick((), (1,))
    scale = np.exp(b.rng.normal(0, 0.5 if channel else 0, size)) / (60 * np.sqrt(fan_in))
    if beside or (w.dtype == np.int8 and b.chance(0.8)):
        zero = np.full(size, 0 if w.dtype == np.int8 else 128, w.dtype)
    else:
        info = np.iinfo(w.dtype)
        zero = b.rng.integers(info.min, info.max + 1, size).astype(w.dtype)
    return w, np.asarray(scale, np.float32), zero


def dequantized(b, w, scale, zero, axis):
    """A DequantizeLinear of constants; or, as NNCF writes it, of a QuantizeLinear of floats."""
    names = [b.floats(scale), b.const(zero)]
    axes = {"axis": axis} if b.opset >= 13 and (scale.size > 1 or b.chance(0.5)) else {}
    if axes and b.chance(0.1):
        axes = {"axis": axis - w.ndim}
    source = b.const(w)
    if b.chance(0.1):
        shape = [-1 if a == axis else 1 for a in range(w.ndim)] if scale.size > 1 else ()
        real = (w.astype(np.float64) - zero.reshape(shape)) * scale.reshape(shape)
        source = b.node("QuantizeLinear", [b.floats(real), *names], **axes)
    if not zero.any() and zero.dtype == np.uint8 and b.chance(0.5):
        names.pop()
    return b.node("DequantizeLinear", [source, *names], **axes)


def bias_codes(b, count, scale):
    return (
        np.asarray(b.rng.normal(0, 1, count) / np.maximum(np.abs(scale), 1e-9))
        .clip(-(2**30), 2**30)
        .astype(np.int32)
    )


def bias(b, count, code, scale):
    """No bias, floats, or s32 codes of the scale that the sums have. A name, or nothing."""
    form = b.pick("none", "float", "s32", "s32")
    if form == "none":
        return []
    if form == "float":
        return [b.floats(b.rng.normal(0, 1, count))]
    sums = (b.values[code.scale].reshape(()) * scale.astype(np.float64)).astype(np.float32)
    sums = sums.reshape(-1)
    names = [b.const(bias_codes(b, count, sums)), b.floats(sums if sums.size > 1 else sums[0])]
    if b.chance(0.5):
        names.append(b.const(np.zeros(sums.shape if sums.size > 1 else (), np.int32)))
    return [b.node("DequantizeLinear", names, **({"axis": 0} if sums.size > 1 else {}))]


def window(b, size, transposed=False):
    """A random window that leaves something of an input of this size, as attributes."""
    kernel = [b.pick(1, 1, 2, 3, 3, 3, 5) for _ in size]
    if b.chance(0.3):
        kernel = [1] * len(size)
    attrs = {"strides": [b.pick(1, 1, 2, 3) for _ in size]} if b.chance(0.6) else {}
    if b.chance(0.2):
        attrs["dilations"] = [b.pick(1, 2, 3) for _ in size]
    rank = len(size)
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, attrs.get("dilations", [1] * rank))]
    if b.chance(0.15) and not transposed and "dilations" not in attrs:
        attrs["auto_pad"] = b.pick("SAME_UPPER", "SAME_LOWER", "VALID")
    pads = [b.number(0, e - 1) for e in extents * 2]
    if b.chance(0.5):
        pads = [(e - 1) // 2 for e in extents * 2]
    if attrs.get("auto_pad") == "VALID" or b.chance(0.3):
        pads = [0] * (2 * rank)
    room = [n + p + q - e for n, p, q, e in zip(size, pads[:rank], pads[rank:], extents)]
    if min(room) < 0 and "SAME" not in attrs.get("auto_pad", "") and not transposed:
        return window(b, size)
    if "auto_pad" not in attrs and (any(pads) or b.chance(0.3)):
        attrs["pads"] = pads
    return attrs | {"kernel_shape": kernel}


def groups_of(b, channels):
    """Groups and output channels."""
    if b.chance(0.2):
        return channels, channels * b.pick(1, 1, 2)
    some = [g for g in range(2, channels) if channels % g == 0]
    if some and b.chance(0.2):
        g = b.pick(*some)
        return g, g * b.number(1, 5)
    return 1, b.number(1, 24)


def conv_parts(b, code):
    c, *size = b.shape(code.name)[1:]
    attrs = window(b, size)
    group, out = groups_of(b, c)
    if group > 1 or b.chance(0.3):
        attrs["group"] = group
    shape = (out, c // group, *attrs["kernel_shape"])
    if b.chance(0.3):
        del attrs["kernel_shape"]
    return shape, attrs


def conv(b, code):
    shape, attrs = conv_parts(b, code)
    w, scale, zero = weights(b, shape, np.prod(shape[1:]), 0)
    names = [b.dq(code), dequantized(b, w, scale, zero, 0), *bias(b, shape[0], code, scale)]
    return [b.q(activations.draw(b, b.node("Conv", names, **attrs)))]


def residual(b, code):
    """x + conv(x), with or without codes between, and an activation behind."""
    c = b.shape(code.name)[1]
    kernel = b.pick(1, 3)
    w, scale, zero = weights(b, (c, c, kernel, kernel), c * kernel**2, 0)
    names = [b.dq(code), dequantized(b, w, scale, zero, 0), *bias(b, c, code, scale)]
    y = b.node("Conv", names, pads=[kernel // 2] * 4)
    y = b.pair(y) if b.chance(0.7) else y
    return [b.q(activations.draw(b, b.node("Add", [y, b.dq(code)][:: b.pick(1, -1)])))]


def deconv(b, code):
    c, *size = b.shape(code.name)[1:]
    attrs = window(b, size, transposed=True)
    if b.chance(0.5):
        attrs = {"kernel_shape": [2, 2], "strides": [2, 2]}
    strides = attrs.get("strides", [1, 1])
    extents = [
        d * (k - 1) + 1 for k, d in zip(attrs["kernel_shape"], attrs.get("dilations", [1, 1]))
    ]
    attrs["pads"] = [min(p, (e - 1) // 2) for p, e in zip(attrs.get("pads", [0] * 4), extents * 2)]
    if b.chance(0.15) and max(strides) > 1:
        attrs["output_padding"] = [b.number(0, s - 1) for s in strides]
    group = c if b.chance(0.1) else 1
    shape = (c, b.number(1, 3) if group > 1 else b.number(1, 20), *attrs["kernel_shape"])
    per_channel = b.chance(0.6) and group == 1
    w, scale, zero = weights(b, shape, c // group * 4, 1 if per_channel else 0)
    if not per_channel and scale.size > 1:
        scale, zero = scale[:1], zero[:1]
    attrs["group"] = group
    names = [b.dq(code), dequantized(b, w, scale, zero, 1), *bias(b, shape[1] * group, code, scale)]
    return [b.q(activations.draw(b, b.node("ConvTranspose", names, **attrs)))]


def flat(b, code):
    """The code as a matrix."""
    shape = b.shape(code.name)
    if len(shape) == 2:
        return code
    if b.chance(0.5):
        return (
            b.like(b.node("Flatten", [code.name]), code)
            if b.opset >= 13
            else b.q(b.node("Flatten", [b.dq(code)]), like=code)
        )
    to = b.const(np.array([b.pick(0, shape[0]), -1], np.int64))
    return b.q(b.node("Reshape", [b.dq(code), to]), like=code)


def gemm(b, code):
    code = flat(b, code)
    k, out, turned = b.shape(code.name)[1], b.number(1, 33), b.chance(0.6)
    shape, axis = ((out, k), 0) if turned else ((k, out), 1)
    w, scale, zero = weights(b, shape, k, axis)
    names = [b.dq(code), dequantized(b, w, scale, zero, axis), *bias(b, out, code, scale)]
    attrs: dict = {"transB": 1} if turned else {}
    if b.chance(0.1):
        attrs |= {"alpha": 0.5, "beta": b.pick(1.0, 2.0)}
    if b.opset < 11 and len(names) < 3:
        names.append(b.floats(np.zeros(out)))
    return [b.q(activations.draw(b, b.node("Gemm", names, **attrs)))]


def matmul(b, code):
    """A product with constants over the last axis."""
    shape = b.shape(code.name)
    k, out = shape[-1], b.number(1, 33)
    w, scale, zero = weights(b, (k, out), k, 1)
    y = b.node("MatMul", [b.dq(code), dequantized(b, w, scale, zero, 1)])
    if b.chance(0.5):
        pair = [b.pair(y) if b.chance(0.3) else y, b.floats(b.rng.normal(0, 1, out))]
        y = b.node("Add", pair[:: b.pick(1, -1)])
    return [b.q(activations.draw(b, y))]


def matmul_of_two(b, code):
    """A product of two tensors of the graph, as attention has."""
    shape = list(range(len(b.shape(code.name))))
    turned = b.node("Transpose", [b.dq(code)], perm=[*shape[:-2], shape[-1], shape[-2]])
    form = b.pick("paired", "plain", "turned first", "codes")
    if form == "plain":
        return [b.q(b.node("MatMul", [b.dq(code), turned]))]
    if form == "paired":
        return [b.q(b.node("MatMul", [b.dq(code), b.pair(turned)]))]
    other, kind = b.q(turned), b.values[code.name].dtype
    if form == "turned first" or b.values[other.name].dtype != kind:
        return [b.q(b.node("MatMul", [b.dq(other), b.dq(code)]))]
    before = [*b.triple(code), *b.triple(other)]
    return [b.quantized("QLinearMatMul", before, (), kind)]


def operands(b, code, w, scale, zero):
    """Six inputs of an operator in QLinear form."""
    return [*b.triple(code), b.const(w), b.floats(scale), b.const(zero)]


def qlinear_conv(b, code):
    shape, attrs = conv_parts(b, code)
    w, scale, zero = weights(b, shape, np.prod(shape[1:]), 0, beside=code)
    sums = scale * b.values[code.scale].reshape(())
    bias = [b.const(bias_codes(b, shape[0], sums))] if b.chance(0.6) else []
    kind = b.values[code.name].dtype
    return [b.quantized("QLinearConv", operands(b, code, w, scale, zero), bias, kind, **attrs)]


def qlinear_matmul(b, code):
    k, out = b.shape(code.name)[-1], b.number(1, 33)
    w, scale, zero = weights(b, (k, out), k, 1, beside=code)
    kind = b.values[code.name].dtype
    return [b.quantized("QLinearMatMul", operands(b, code, w, scale, zero), (), kind)]


def qgemm(b, code):
    code = flat(b, code)
    k, out = b.shape(code.name)[1], b.number(1, 33)
    w, scale, zero = weights(b, (k, out), k, 1, beside=code)
    sums = scale * b.values[code.scale].reshape(())
    bias = b.const(bias_codes(b, out, sums)) if b.chance(0.6) else ""
    before, kind = [*operands(b, code, w, scale, zero), bias], b.values[code.name].dtype
    return [b.quantized("QGemm", before, (), kind, MICROSOFT)]


def dynamic(b, code):
    """DynamicQuantizeLinear and an integer operator, whose sums become floats."""
    if b.opset < 11:
        return conv(b, code)
    x, scale, zero = b.node("DynamicQuantizeLinear", [b.dq(code)], 3)
    if b.chance(0.6):
        shape, attrs = conv_parts(b, code)
        w, ws, wz = weights(b, shape, np.prod(shape[1:]), 0)
        over = (-1, *[1] * (len(shape) - 2))
        op = "ConvInteger"
    else:
        k, out = b.shape(code.name)[-1], b.number(1, 33)
        attrs, over, op = {}, (-1,), "MatMulInteger"
        w, ws, wz = weights(b, (k, out), k, 1)
    sums = b.node(op, [x, b.const(w), zero, b.const(wz.reshape(-1)[0])], **attrs)
    scales = b.node("Mul", [scale, b.floats(ws.reshape(over) if ws.size > 1 else ws.reshape(()))])
    y = b.node("Mul", [b.node("Cast", [sums], to=1), scales])
    if b.chance(0.6):
        count = b.shape(y)[1] if op == "ConvInteger" else b.shape(y)[-1]
        y = b.node("Add", [y, b.floats(b.rng.normal(0, 1, count).reshape(over))])
    y = activations.draw(b, y, pairs=False)
    if b.chance(0.5):
        b.float_outputs.append(y)
        return []
    return [b.q(y)]


MOVES = [conv] * 8 + [residual] * 3 + [deconv] * 2 + [gemm, matmul, matmul_of_two]
MOVES += [qlinear_conv] * 2 + [qlinear_matmul, qgemm] + [dynamic] * 2

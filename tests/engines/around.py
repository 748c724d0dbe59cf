# SPDX-License-Identifier: Apache-2.0
"""Random units of everything that stands between products: sums, products by numbers, pools,
resizes, and what only moves codes. Each takes a Builder and a code and gives codes."""

import activations
import numpy as np
from builder import MICROSOFT, Code
from products import window


def rank(b, code):
    return len(b.shape(code.name))


def activation(b, code):
    return [b.q(activations.draw(b, b.dq(code), none=0))]


def requantize(b, code):
    return [b.q(b.dq(code))]


def partner(b, code):
    """A float value to combine with: a tensor of the same shape that is there or comes from
    outside, one of a pixel, a constant."""
    shape = b.shape(code.name)
    form = b.pick("earlier", "earlier", "same", "gate", "channel", "scalar")
    if form == "earlier":
        return b.dq(b.pick(*(c for c in b.codes if b.shape(c.name) == shape)))
    if form == "same":
        return b.dq(b.input(shape))
    gate = [n if i < 2 else 1 for i, n in enumerate(shape)]
    if form == "gate":
        return b.dq(b.input(gate))
    numbers = b.rng.normal(0, 1, (1, *gate[1:]) if form == "channel" else b.pick((), (1,)))
    name = b.floats(numbers)
    return b.pair(name) if b.chance(0.5) else name


def combine(b, code):
    op, other = b.pick("Add", "Add", "Mul", "Mul", "Sub", "Div"), partner(b, code)
    if op == "Div":
        other = b.floats(b.pick(2.0, 0.3, -1.5))
    pair = [b.dq(code), other][:: b.pick(1, 1, -1) if op != "Div" else 1]
    return [b.q(activations.draw(b, b.node(op, pair), none=0.7))]


def squeeze_and_excite(b, code):
    """x times a gate made of its own means."""
    if rank(b, code) != 4:
        return requantize(b, code)
    c = b.shape(code.name)[1]
    mean = b.pair(b.node("GlobalAveragePool", [b.dq(code)]))
    w = b.rng.integers(-128, 128, (c, c, 1, 1), np.int8)
    w = b.node(
        "DequantizeLinear", [b.const(w), b.floats(1 / (60 * np.sqrt(c))), b.const(np.int8(0))]
    )
    gate = b.pair(b.node("Conv", [mean, w]))
    gate = b.node(b.pick("Sigmoid", "HardSigmoid"), [gate])
    gate = b.pair(gate) if b.chance(0.7) else gate
    return [b.q(b.node("Mul", [b.dq(code), gate]))]


def pool_window(b, code):
    attrs = window(b, b.shape(code.name)[2:])
    if b.opset < 19 or b.chance(0.7):
        attrs.pop("dilations", None)
    if "pads" in attrs:  # less than the window, and one pixel at least in each
        attrs["pads"] = [
            min(p, (k - 1) // 2) for p, k in zip(attrs["pads"], attrs["kernel_shape"] * 2)
        ]
    size = b.shape(code.name)[2:]
    if any(
        k * d > n
        for k, n, d in zip(attrs["kernel_shape"], size, attrs.get("dilations", [1] * len(size)))
    ):
        return pool_window(b, code)
    strides = attrs.get("strides", [1] * len(size))
    if min(k - s for k, s in zip(attrs["kernel_shape"], strides)) < 0:
        attrs.pop("auto_pad", None)  # engines differ where windows leave gaps at the end
    elif "auto_pad" not in attrs and b.chance(0.3):
        attrs["ceil_mode"] = 1
    return attrs


def max_pool(b, code):
    attrs = pool_window(b, code)
    if b.opset >= 12 and b.chance(0.2):
        return [b.like(b.node("MaxPool", [code.name], **attrs), code)]
    y = b.node("MaxPool", [b.dq(code)], **attrs)
    return [b.q(y, like=code if b.chance(0.7) else None)]


def average_pool(b, code):
    attrs = pool_window(b, code)
    if b.opset >= 7 and b.chance(0.3):
        attrs["count_include_pad"] = 1
    return [b.q(b.node("AveragePool", [b.dq(code)], **attrs))]


def global_pool(b, code):
    form = b.pick("GlobalAveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean")
    if form != "ReduceMean":
        return [b.q(b.node(form, [b.dq(code)]))]
    keep = b.pick(0, 1)
    if b.opset >= 18:
        axes = b.const(np.array([2, 3], np.int64))
        return [b.q(b.node("ReduceMean", [b.dq(code), axes], keepdims=keep))]
    return [b.q(b.node("ReduceMean", [b.dq(code)], axes=[2, 3], keepdims=keep))]


def by_channel(b, code):
    """A scale for each channel, as of codes whose channels were divided by factors."""
    if b.opset < 13:
        return requantize(b, code)
    channels, scale = b.shape(code.name)[1], b.values[code.scale].reshape(())
    scales = b.floats(scale * b.rng.uniform(0.3, 3, channels))
    zero = b.values[code.zero].reshape(()) if code.zero else None
    more = [b.const(np.full(channels, zero, zero.dtype))] if code.zero else []
    return [b.q(b.node("DequantizeLinear", [code.name, scales, *more], axis=1))]


def batch_norm(b, code):
    """One that no convolution took in: factors of either sign, and none."""
    channels = b.shape(code.name)[1]
    scale = b.rng.normal(0, 1, channels) * (b.rng.random(channels) < 0.9)
    mean, variance = b.rng.normal(0, 1, channels), b.rng.uniform(0.1, 4, channels)
    made = [b.floats(array) for array in (scale, b.rng.normal(0, 1, channels))]
    if b.chance(0.4):  # as ONNX Runtime's quantizer leaves them
        made = [b.dq(b.q(name, np.int8)) for name in made]
    x = b.dq(code)
    x = b.node("Add", [x, b.floats(b.rng.normal())]) if b.chance(0.3) else x  # of floats
    inputs = [x, *made, b.floats(mean), b.floats(variance)]
    y = b.node("BatchNormalization", inputs, epsilon=b.pick(1e-5, 1e-3))
    return [b.q(activations.draw(b, y, none=0.3))]


def resize_attrs(b):
    if b.chance(0.4):  # what networks have
        return b.pick(
            {
                "mode": "nearest",
                "coordinate_transformation_mode": "asymmetric",
                "nearest_mode": "floor",
            },
            {"mode": "linear"},
        )
    modes = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
    modes += ["half_pixel_symmetric"] if b.opset >= 19 else []
    attrs = {"coordinate_transformation_mode": b.pick(*modes)}
    attrs["mode"] = b.pick("nearest", "linear", "cubic")
    if attrs["mode"] == "nearest":
        attrs["nearest_mode"] = b.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
        return attrs
    if attrs["mode"] == "cubic":
        attrs |= {"cubic_coeff_a": b.pick(-0.75, -0.5), "exclude_outside": b.pick(0, 1)}
    if b.opset >= 18 and b.chance(0.3):
        attrs["antialias"] = 1
    return attrs


def resize_sizes(b, attrs, h, w, factors):
    """What filters make is near where coordinates are: they take any size."""
    if attrs["mode"] != "nearest" and b.chance(0.5):
        return [b.number(1, 3 * h), b.number(1, 3 * w)]
    return [int(h * factors[0]), int(w * factors[1])]


def resize(b, code):
    """By factors whose coordinates are exact, so that no engine rounds one to another pixel."""
    h, w = b.shape(code.name)[2:]
    if b.opset < 11:
        scales = b.floats([1, 1, b.pick(1, 2), 2])
        return [b.q(b.node("Resize", [b.dq(code), scales], mode="nearest"))]
    factors = [b.pick(1, 2, 2, 3, 4) for _ in "hw"]
    if h % 2 == 0 and w % 2 == 0 and b.chance(0.15):
        factors = [0.5, 0.5]
    none = b.floats(np.zeros(0)) if b.opset < 13 else ""
    codes = b.opset >= 13 and b.chance(0.15)
    # what overshoots the range of codes would wrap around
    attrs = {"mode": b.pick("nearest", "linear")} if codes else resize_attrs(b)
    if b.chance(0.5):
        sizes = [*b.shape(code.name)[:2], *resize_sizes(b, attrs, h, w, factors)]
        names = [none, none, b.const(np.array(sizes, np.int64))]
    else:
        names = [none, b.floats([1, 1, *factors])]
    if codes:
        return [b.like(b.node("Resize", [code.name, *names], **attrs), code)]
    y = b.node("Resize", [b.dq(code), *names], **attrs)
    return [b.q(y, like=code if b.chance(0.6) else None)]


def beside(b, one, other, axis):
    """Whether two codes can be joined along an axis."""
    a, c = list(b.shape(one.name)), list(b.shape(other.name))
    return len(a) == len(c) and a[:axis] + a[axis + 1 :] == c[:axis] + c[axis + 1 :]


def concat(b, code):
    """With an input of another scale, or of the same."""
    axis = 1 if b.chance(0.8) else b.number(0, rank(b, code) - 1)
    shape = list(b.shape(code.name))
    shape[axis] = b.number(1, 9)
    others = [b.input(shape) for _ in range(b.pick(1, 1, 2))]
    if b.chance(0.4):
        others = [b.pick(*(c for c in b.codes if beside(b, c, code, axis)))]
    parts = [code, *others]
    if len({b.values[c.name].dtype for c in parts}) == 1 and b.chance(0.1):  # codes as they are
        return [b.like(b.node("Concat", [c.name for c in parts], axis=axis), code)]
    if b.chance(0.2) and b.values[code.name].dtype == np.uint8:
        triples = [b.triple(c) for c in parts if b.values[c.name].dtype == np.uint8]
        return [qlinear_concat(b, triples, axis)]
    return [b.q(b.node("Concat", [b.dq(c) for c in parts], axis=axis))]


def qlinear_concat(b, triples, axis):
    flat = [name for triple in triples for name in triple]
    real = [
        (b.values[t[0]] - b.values[t[2]].astype(np.int64).reshape(-1)[0])
        * b.values[t[1]].reshape(-1)[0]
        for t in triples
    ]
    ys, yz = map(b.const, b.parameters(np.concatenate([r.ravel() for r in real]), "u1"))
    y = b.node("QLinearConcat", [ys, yz, *flat], domain=MICROSOFT, axis=axis)
    return Code(y, ys, yz)


def split(b, code):
    axis = 1 if b.chance(0.8) else rank(b, code) - 1
    size = b.shape(code.name)[axis]
    if size < 2:
        return requantize(b, code)
    first = b.number(1, size - 1) if size % 2 or b.chance(0.5) else size // 2
    parts, names, attrs = [first, size - first], [b.dq(code)], {"axis": axis}
    if b.opset >= 13:
        names.append(b.const(np.array(parts, np.int64)))
    else:
        attrs["split"] = parts
    like = code if b.chance(0.7) else None
    return [b.q(y, like=like) for y in b.node("Split", names, 2, **attrs)]


def slice_(b, code):
    shape = b.shape(code.name)
    axis = 1 if b.chance(0.6) else b.number(0, len(shape) - 1)
    start = b.number(0, shape[axis] - 1)
    end, step = b.pick(shape[axis], 2**31 - 1, start + 1, -1), b.pick(1, 1, 1, 2)
    if len(range(shape[axis])[start:end:step]) == 0:
        end = shape[axis]
    parts = [b.const(np.array([v], np.int64)) for v in (start, end, axis, step)]
    return [
        b.q(
            b.node("Slice", [b.dq(code), *parts[: b.pick(4, 4 if step > 1 else 3)]]),
            like=code if b.chance(0.7) else None,
        )
    ]


def pad(b, code):
    shape = b.shape(code.name)
    pads = [0] * (2 * len(shape))
    for axis in range(1, len(shape)):
        if axis > 1 or b.chance(0.2):
            pads[axis], pads[axis + len(shape)] = b.number(0, 2), b.number(0, 2)
    modes = ["reflect", "edge", *(["wrap"] if b.opset >= 19 else [])]
    mode = b.pick("constant", "constant", *modes)
    if mode in ("reflect", "wrap") and min(shape[1:]) < 3:
        mode = "constant"
    value = b.pick(0.0, 0.0, -1.0, 0.37)
    if b.opset < 11:
        y = b.node("Pad", [b.dq(code)], pads=pads, mode=mode, value=value)
    else:
        names = [b.dq(code), b.const(np.array(pads, np.int64))]
        y = b.node("Pad", [*names, *([b.floats(value)] if mode == "constant" else [])], mode=mode)
    return [b.q(y, like=code if b.chance(0.5) else None)]


def moved(b, code, op, **attrs):
    """Through an operator that only moves: of floats between DQ and Q, or of the codes."""
    if b.opset >= 13 and b.chance(0.3):
        return [b.like(b.node(op, [code.name], **attrs), code)]
    return [b.q(b.node(op, [b.dq(code)], **attrs), like=code if b.chance(0.7) else None)]


def depth_to_space(b, code):
    c, block = b.shape(code.name)[1], b.pick(2, 2, 3)
    if c % block**2:
        return space_to_depth(b, code)
    mode = {} if b.opset < 11 else b.pick({}, {"mode": "DCR"}, {"mode": "CRD"})
    return [
        b.q(
            b.node("DepthToSpace", [b.dq(code)], blocksize=block, **mode),
            like=code if b.chance(0.7) else None,
        )
    ]


def space_to_depth(b, code):
    h, w = b.shape(code.name)[2:]
    if h % 2 or w % 2:
        return requantize(b, code)
    return [b.q(b.node("SpaceToDepth", [b.dq(code)], blocksize=2), like=code)]


def transpose(b, code):
    order = b.rng.permutation(rank(b, code)).tolist()
    if rank(b, code) == 4 and b.chance(0.6):
        order = b.pick([0, 2, 3, 1], [0, 3, 1, 2])
    return moved(b, code, "Transpose", perm=order)


def qlinear_binary(b, code):
    other = b.input(b.shape(code.name))
    if b.values[other.name].dtype != b.values[code.name].dtype:
        other = code
    names = [name for each in (code, other) for name in b.triple(each)]
    op = b.pick("QLinearAdd", "QLinearMul")
    return [b.quantized(op, names, (), b.values[code.name].dtype, MICROSOFT)]


def qlinear_unary(b, code):
    names = b.triple(code)
    op = b.pick("QLinearSigmoid", "QLinearLeakyRelu", "QLinearGlobalAveragePool")
    attrs = {"alpha": 0.1} if op == "QLinearLeakyRelu" else {}
    return [b.quantized(op, names, (), b.values[code.name].dtype, MICROSOFT, **attrs)]


def softmax(b, code):
    """Along the channels, or another axis, which others than the plugin compute."""
    axis = b.pick(-1, -1, 1, 1, rank(b, code) - 1, b.number(0, rank(b, code) - 1))
    if b.chance(0.2):
        names, kind = b.triple(code), b.values[code.name].dtype
        attrs = {"axis": axis, "opset": b.opset}
        return [b.quantized("QLinearSoftmax", names, (), kind, MICROSOFT, **attrs)]
    return [b.q(b.node("Softmax", [b.dq(code)], axis=axis))]


def numbers(b, count):
    """Numbers for each channel: as they are, or codes."""
    name = b.floats(b.rng.normal(0, 1, count))
    return b.pair(name) if b.chance(0.3) else name


def layer_norm(b, code):
    """Along the last axis; the newest of RMS alone is for opset 23."""
    count = b.shape(code.name)[-1]
    rms = b.chance(0.3) and b.opset >= 23
    if b.opset < 17:
        return softmax(b, code)
    more = [] if rms or b.chance(0.3) else [numbers(b, count)]
    attrs = {"epsilon": b.pick(1e-5, 1e-2)} | ({"axis": -1} if b.chance(0.5) else {})
    op = "RMSNormalization" if rms else "LayerNormalization"
    y = b.node(op, [b.dq(code), numbers(b, count), *more], **attrs)
    return [b.q(activations.draw(b, y, none=0.8))]


ANY = [activation] * 4 + [combine] * 6 + [concat] * 2 + [split, slice_, pad, requantize, transpose]
ANY += [qlinear_binary, by_channel, softmax, layer_norm]
IMAGES = [max_pool] * 2 + [average_pool] * 2 + [global_pool, resize, resize, depth_to_space]
IMAGES += [space_to_depth, squeeze_and_excite, qlinear_unary, batch_norm]

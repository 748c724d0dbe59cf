# SPDX-License-Identifier: Apache-2.0
"""Resize of ONNX in float64. Every mode is a matrix along each axis that changes."""

import numpy as np

NEAREST: dict = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def coordinates(mode, size, out, scale, region):
    """Where each of `out` pixels lies in an axis of `size` pixels."""
    o = np.arange(out, dtype=np.float64)
    if mode == "asymmetric":
        return o / scale
    if mode == "align_corners":
        return o * (size - 1) / (out - 1) if out > 1 else 0 * o
    if mode == "tf_half_pixel_for_nn":
        return (o + 0.5) / scale
    if mode == "tf_crop_and_resize":
        start, end = region
        if out == 1:
            return 0 * o + 0.5 * (start + end) * (size - 1)
        return start * (size - 1) + o * (end - start) * (size - 1) / (out - 1)
    half = (o + 0.5) / scale - 0.5
    if mode == "half_pixel":
        return half
    if mode == "pytorch_half_pixel":
        return half if out > 1 else 0 * o
    if mode == "half_pixel_symmetric":
        return half + size / 2 * (1 - out / (scale * size))
    raise NotImplementedError(f"Resize: coordinate_transformation_mode {mode}")


def linear(d, _):
    return np.maximum(0, 1 - d)


def cubic(d, a):
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = (((d - 5) * d + 8) * d - 4) * a
    return np.where(d < 1, near, np.where(d < 2, far, 0))


FILTERS: dict = {"linear": (1, linear), "cubic": (2, cubic)}  # how far they reach


def filtered(method, at, size, scale, attrs):
    """[size]: what the filter makes of each input pixel at one place."""
    reach, weigh = FILTERS[method]
    wider = max(1, 1 / scale) if attrs.get("antialias", 0) else 1
    places = np.arange(np.floor(at - reach * wider), np.ceil(at + reach * wider) + 1)
    inside = np.clip(places, 0, size - 1)
    shares = weigh(np.abs(places - at) / wider, attrs.get("cubic_coeff_a", -0.75))
    if attrs.get("exclude_outside", 0):
        shares *= places == inside
    made = np.zeros(size)
    np.add.at(made, inside.astype(int), shares / shares.sum())
    return made


def matrix(method, nearest, where, size, scale, attrs):
    """[out, size]: the share of each input pixel in each output pixel."""
    if method != "nearest":
        return np.stack([filtered(method, at, size, scale, attrs) for at in where])
    share = np.zeros((where.size, size))
    pixels = np.clip(NEAREST[nearest](where), 0, size - 1).astype(int)
    share[np.arange(where.size), pixels] = 1
    return share


def target(x, scales, sizes, axes, attrs):
    """Output size and scale of each of `axes`."""
    policy = attrs.get("keep_aspect_ratio_policy", b"stretch").decode()
    old = [x.shape[a] for a in axes]
    if sizes is None or sizes.size == 0:
        scales = [float(s) for s in scales]
        return [int(np.floor(n * s)) for n, s in zip(old, scales)], scales
    sizes = [int(s) for s in sizes]
    if policy != "stretch":
        ratios = [s / n for s, n in zip(sizes, old)]
        ratio = min(ratios) if policy == "not_larger" else max(ratios)
        return [int(np.floor(ratio * n + 0.5)) for n in old], [ratio] * len(old)
    return sizes, [s / n for s, n in zip(sizes, old)]


def resize(x, roi, scales, sizes, attrs):
    axes = [a % x.ndim for a in attrs.get("axes") or range(x.ndim)]
    mode = attrs.get("coordinate_transformation_mode", b"half_pixel").decode()
    nearest = attrs.get("nearest_mode", b"round_prefer_floor").decode()
    method = attrs.get("mode", b"nearest").decode()
    outs, ratios = target(x, scales, sizes, axes, attrs)
    outside, y = np.zeros([1] * x.ndim, bool), x
    for i, (axis, out, ratio) in enumerate(zip(axes, outs, ratios)):
        crop = mode == "tf_crop_and_resize"
        if out == x.shape[axis] and ratio == 1 and not crop:
            continue
        region = (roi[i], roi[len(axes) + i]) if crop else (0, 1)
        where = coordinates(mode, x.shape[axis], out, ratio, region)
        if crop:
            beyond = (where < 0) | (where > x.shape[axis] - 1)
            outside = outside | beyond.reshape([-1 if a == axis else 1 for a in range(x.ndim)])
        share = matrix(method, nearest, where, x.shape[axis], ratio, attrs)
        y = np.moveaxis(np.tensordot(share, y.astype(np.float64), (1, axis)), 0, axis)
    return np.where(outside, attrs.get("extrapolation_value", 0.0), y).astype(x.dtype)


def resize_10(x, scales, attrs):
    """Opset 10: asymmetric; nearest goes down when it enlarges and up when it shrinks."""
    y = x
    for axis, scale in enumerate(map(float, scales)):
        if scale == 1:
            continue
        where = np.arange(int(np.floor(x.shape[axis] * scale))) / scale
        near = "ceil" if scale < 1 else "floor"
        method = attrs.get("mode", b"nearest").decode()
        share = matrix(method, near, where, x.shape[axis], scale, attrs)
        y = np.moveaxis(np.tensordot(share, y.astype(np.float64), (1, axis)), 0, axis)
    return y.astype(x.dtype)

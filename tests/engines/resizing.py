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


def matrix(method, nearest, where, size):
    """[out, size]: the share of each input pixel in each output pixel."""
    share = np.zeros((where.size, size))
    rows = np.arange(where.size)
    if method == "nearest":
        share[rows, np.clip(NEAREST[nearest](where), 0, size - 1).astype(int)] = 1
    elif method == "linear":
        where = np.clip(where, 0, size - 1)
        low = np.floor(where).astype(int)
        np.add.at(share, (rows, low), 1 - (where - low))
        np.add.at(share, (rows, np.minimum(low + 1, size - 1)), where - low)
    else:
        raise NotImplementedError(f"Resize: mode {method}")
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
    if attrs.get("antialias", 0):
        raise NotImplementedError("Resize: antialias")
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
        share = matrix(method, nearest, where, x.shape[axis])
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
        share = matrix(attrs.get("mode", b"nearest").decode(), near, where, x.shape[axis])
        y = np.moveaxis(np.tensordot(share, y.astype(np.float64), (1, axis)), 0, axis)
    return y.astype(x.dtype)

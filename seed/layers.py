# SPDX-License-Identifier: Apache-2.0
"""The seed's four layers, in PyTorch and as it wrote them (what is wrong with them included), and
the same convolution by Quernel in real int8 with each part switched on by itself."""

import numpy as np
import torch
from quernel import operators as ops
from quernel.torch import layer as describe
from torch import nn
from torch.nn import functional as F


def signed(x, rows=False):
    """The seed's quantizer: int8, one scale for the whole tensor or one for each row, as fake
    quantization."""
    scale = (
        x.abs().amax(dim=tuple(range(1, x.ndim)), keepdim=True) if rows else x.abs().max()
    ) / 127
    return torch.clamp(torch.round(x / scale), -127, 127) * scale


class SeedConv2d(nn.Module):
    """Convolution as im2col and one GEMM. quantizers: int8 in front of the GEMM. smooth:
    SmoothQuant in front of those, a factor per im2col column, alpha 1/2. As in the seed the bias is
    dropped, dilation and groups are not known, and a column without activations or without weights
    divides 0 by 0 or by 0."""

    def __init__(self, conv, quantizers=True, smooth=True):
        super().__init__()
        self.conv, self.quantizers, self.smooth = conv, quantizers, smooth

    def forward(self, x):
        conv = self.conv
        size = [
            (n + 2 * p - k) // s + 1
            for n, p, k, s in zip(x.shape[2:], conv.padding, conv.kernel_size, conv.stride)
        ]
        columns = F.unfold(x, conv.kernel_size, padding=conv.padding, stride=conv.stride)
        columns = columns.transpose(1, 2).reshape(-1, columns.shape[1])
        weights = conv.weight.detach().reshape(conv.out_channels, -1)
        if self.smooth:
            factor = torch.sqrt(columns.abs().max(dim=0)[0] / weights.abs().max(dim=0)[0])
            columns, weights = columns / factor, weights * factor
        if self.quantizers:
            columns, weights = signed(columns), signed(weights, rows=True)
        y = columns @ weights.t()
        return (
            y.reshape(len(x), -1, conv.out_channels)
            .transpose(1, 2)
            .reshape(len(x), conv.out_channels, *size)
        )


class QuantizedConv2d(nn.Module):
    """The plain int8 convolution that the seed compares with: the same quantizers, no im2col."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv

    def forward(self, x):
        conv = self.conv
        return F.conv2d(
            signed(x),
            signed(conv.weight.detach(), rows=True),
            conv.bias,
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
        )


# What Quernel can do, each part by itself: (name, type, mode, smoothing).
PARTS = (
    ("signed, per tensor", ops.S8, ops.DYNAMIC_CALL, None),
    ("unsigned", ops.U8, ops.DYNAMIC_CALL, None),
    ("per row", ops.S8, ops.DYNAMIC_ROW, None),
    ("column smoothing, signed", ops.S8, ops.DYNAMIC_CALL, "column"),
    ("column smoothing, unsigned", ops.U8, ops.DYNAMIC_CALL, "column"),
    ("channel smoothing, signed", ops.S8, ops.DYNAMIC_CALL, "channel"),
    ("channel smoothing, unsigned", ops.U8, ops.DYNAMIC_CALL, "channel"),
    ("channel, unsigned, per row", ops.U8, ops.DYNAMIC_ROW, "channel"),
)


def factors(x, layer, kind, alpha):
    """Smoothing factors per channel or per im2col column, from the input itself as in the seed."""
    if kind is None:
        return None
    if kind == "channel":
        return ops.smooth_factors(np.abs(x).max(axis=(0, 2, 3)), layer.largest_weights(), alpha)
    columns = F.unfold(
        torch.from_numpy(x), layer.weights.shape[2:], padding=layer.pad[:2], stride=layer.stride
    )
    largest = columns.abs().amax(dim=(0, 2)).numpy()
    s = ops.smooth_factors(largest, np.abs(layer.weights).max(axis=0).ravel(), alpha)
    return s.reshape(layer.weights.shape[1:])


def quernel_conv(conv, x, type_, mode, smooth, alpha=0.5):
    """The convolution of an array in int8, one choice of parts."""
    layer = describe(conv)
    packed = ops.Weights(layer.weights, smooth=factors(x, layer, smooth, alpha))
    y = np.empty(layer.output_shape(x.shape), np.float32)
    quant = {"type": type_, "mode": mode, "asymmetric": int(type_ == ops.U8 and x.min() < 0)}
    return ops.conv2d(
        packed, x, y, layer.stride, layer.pad, layer.dilation, quant, {"bias": layer.bias}
    )(x, y)


def relative_l1(reference, made):
    """Mean |difference| over mean |reference|; NaN where the layer made one."""
    return float(
        np.abs(np.subtract(made, reference, dtype=np.float64)).mean() / np.abs(reference).mean()
    )

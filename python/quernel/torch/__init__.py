# SPDX-License-Identifier: Apache-2.0
"""Quernel's layers as PyTorch modules for inference on the CPU, and quantize(), which puts them
into a model."""

from .layers import layer, unfit
from .modules import QuantConv2d, QuantConvTranspose2d, QuantLinear
from .quantize import quantize

__all__ = ["QuantConv2d", "QuantConvTranspose2d", "QuantLinear", "layer", "quantize", "unfit"]

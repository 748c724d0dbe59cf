# SPDX-License-Identifier: Apache-2.0
"""Quantizes ONNX files into ONNX files that any engine runs."""

from .quantize import quantize
from .report import Report

__all__ = ["Report", "quantize"]
